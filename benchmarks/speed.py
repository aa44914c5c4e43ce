"""Images per second of the training loop and of embedding, beside bare PyTorch loops on the same network.

    python -m benchmarks.speed                       a laptop: EfficientNet-Lite0 at 64 px
    python -m benchmarks.speed --name resnet50 --weights none --size 224 --batch 256 --images 5120    a GPU

Needs torch, torchvision, timm and scikit-learn only. The ratio is what to compare between machines.
"""

from __future__ import annotations

import argparse

from plateau_cause import runtime

runtime.set_up_threads()  # before torch loads

from benchmarks import throughput  # noqa: E402


def main() -> None:
    """Prints one line per measurement: images/s, and the ratio to the bare loop."""
    given = _arguments()
    device = runtime.device(given.device)
    work = throughput.Workload(
        given.name, given.weights, given.size, given.batch, given.images, device, epochs=given.repeats
    )
    print(f"device {device}, {given.name}, {given.size} px, batch {given.batch}, {given.images} images")
    for what, ours, bare in (
        ("train", throughput.training, throughput.bare_training),
        ("embed", throughput.embedding, throughput.bare_embedding),
    ):
        least, found = bare(work, compiled=False), ours(work)
        print(f"{what}, bare loop   {least:10.0f} images/s")
        print(f"{what}, plateau     {found:10.0f} images/s   ratio {found / least:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", default="tf_efficientnet_lite0", help="torchvision or timm model")
    parser.add_argument("--weights", default="bundled", help="bundled, none, pretrained or a file")
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--batch", type=int, default=64, help="images per step")
    parser.add_argument("--images", type=int, default=512, help="images per epoch, a multiple of the batch")
    parser.add_argument("--repeats", type=int, default=2, help="epochs of each loop; the best counts")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    return parser.parse_args()


if __name__ == "__main__":
    main()
