"""Images per second of the training loop and of embedding, beside a bare PyTorch loop on the same network.

    python -m benchmarks.speed                       a laptop: EfficientNet-Lite0 at 64 px
    python -m benchmarks.speed --name resnet50 --weights none --size 224 --batch 256 --images 5120    a GPU

Needs torch, torchvision, timm and scikit-learn only. The ratio is what to compare between machines.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from plateau_cause import runtime

runtime.set_up_threads()  # before torch loads


def main() -> None:
    """Prints one line per measurement: images/s, and the ratio to the bare loop."""
    import torch

    given = _arguments()
    device = runtime.device()
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(
        0, 256, (given.images, 3, given.size, given.size), dtype=torch.uint8, generator=generator
    )
    targets = torch.randint(0, 10, (given.images,), generator=generator)
    bare = [_speed(lambda: _bare(given, images, targets, device), given.images) for _ in range(given.repeats)]
    ours = [_speed(lambda: _ours(given, images, targets, device), given.images) for _ in range(given.repeats)]
    print(f"device {device}, {given.name}, {given.size} px, batch {given.batch}, {given.images} images")
    print(f"train, bare loop   {max(bare):10.0f} images/s")
    print(f"train, plateau     {max(ours):10.0f} images/s   ratio {max(ours) / max(bare):.2f}")
    print(f"embed, plateau     {_speed(lambda: _embed(given, images, device), given.images):10.0f} images/s")


def _bare(given: argparse.Namespace, images: object, targets: object, device: object) -> None:
    """One epoch as short as PyTorch allows: same network, precision, layout, optimiser; nothing measured."""
    import torch
    from torch.nn import functional

    network, optimizer = _network(given, device)
    network.train()
    for rows in torch.arange(given.images).split(given.batch):
        batch = (
            images[rows].to(device).float().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)
        )  # type: ignore[index]
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):  # type: ignore[attr-defined]
            output = network(batch)
        loss = functional.cross_entropy(output.float(), targets[rows].to(device))  # type: ignore[index]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    _wait(device)


def _ours(given: argparse.Namespace, images: object, targets: object, device: object) -> None:
    """One epoch of the project's loop, evaluation of a small split and signals included."""
    import numpy as np

    from plateau_cause.config.recipe import Recipe, Schedule
    from plateau_cause.images.preprocessing import canonical
    from plateau_cause.training import losses, model
    from plateau_cause.training.inputs import PixelInputs
    from plateau_cause.training.loop import train
    from plateau_cause.training.task import Rows, Task

    network, optimizer = _network(given, device)
    recipe = Recipe(trainable="all", schedule=Schedule(epochs=1), batch_size=given.batch)
    preprocessing = canonical(given.backbone.expects, given.size)
    held_out = np.arange(min(given.batch, given.images))
    task = Task(
        model=network,
        inputs=PixelInputs(images.numpy(), preprocessing, "none", device),  # type: ignore[attr-defined,arg-type]
        targets=targets.to(device),  # type: ignore[attr-defined]
        rows=Rows(np.arange(given.images), held_out, held_out),
        recipe=recipe,
        seed=0,
        loss=losses.build(recipe.loss),
        optimizer=optimizer,
        blocks=model.blocks(network),
        enter_training=lambda: None,
        num_classes=10,
    )
    train(task)
    _wait(device)


def _embed(given: argparse.Namespace, images: object, device: object) -> None:
    from plateau_cause.features.embed import embed
    from plateau_cause.images.preprocessing import canonical

    embed(given.backbone, images.numpy(), canonical(given.backbone.expects, given.size), device)  # type: ignore[attr-defined,arg-type]


def _network(given: argparse.Namespace, device: object):  # type: ignore[no-untyped-def]
    import torch

    from plateau_cause.backbones import load_backbone
    from plateau_cause.config.recipe import Head
    from plateau_cause.training.model import Classifier

    if "backbone" not in given:
        given.backbone = load_backbone(given.name, given.weights)
    network = Classifier(given.backbone, 10, Head()).to(device=device, memory_format=torch.channels_last)
    return network, torch.optim.AdamW(network.parameters(), 1e-4, fused=True)


def _speed(run: Callable[[], None], images: int) -> float:
    started = time.perf_counter()
    run()
    return images / (time.perf_counter() - started)


def _wait(device: object) -> None:
    import torch

    if device.type == "cuda":  # type: ignore[attr-defined]
        torch.cuda.synchronize()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", default="tf_efficientnet_lite0", help="torchvision or timm model")
    parser.add_argument("--weights", default="bundled", help="bundled, none, pretrained or a file")
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--batch", type=int, default=64, help="images per step")
    parser.add_argument("--images", type=int, default=512, help="images per epoch")
    parser.add_argument("--repeats", type=int, default=2, help="epochs of each loop; the best counts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
