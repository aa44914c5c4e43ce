"""Fine-tuning from JPEG files through a transform of one's own, beside the loops of other libraries.

Every side trains the same network on the same files with the same transform and batch size. The others read
through torchvision's ImageFolder and a DataLoader with as many workers as CPUs; timm through its own loader,
which has the same crop and flip. Ours decodes and stores the files first, which the first epoch's time holds,
and evaluates on 600 training images after every epoch, which the others need not do.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import v2

from benchmarks.generated import stripes
from benchmarks.speed import throughput
from benchmarks.speed.measure import Measured, in_turn
from benchmarks.speed.throughput import Workload
from plateau_cause import runtime
from plateau_cause.config.params import Data, Split
from plateau_cause.config.recipe import Recipe, Schedule
from plateau_cause.images.prepare import prepare
from plateau_cause.images.store import open_dataset
from plateau_cause.training import losses, model
from plateau_cause.training.loop import train
from plateau_cause.training.task import Rows, Task
from plateau_cause.training.transform_inputs import TransformInputs

HEIGHT, WIDTH = 375, 500  # ImageNet's most usual size
EPOCHS = 3
COLD, LATER = 1.0, 1.5
Sides = dict[str, Callable[[], list[float]]]


def measures(work: Workload, rounds: int) -> Iterator[Measured]:
    """Yields two lines per library that is installed: the first epoch, and the ones that follow."""
    with TemporaryDirectory() as room:
        files = Path(room) / "files"
        _write(files, work.images)
        sides = _sides(work, files, Path(room))
        found = in_turn([_both(side) for side in sides.values()], rounds)
        for place, name in enumerate(sides):
            if place == 0:
                continue
            pairs = [(turn[0], turn[place]) for turn in found]
            for what, part, bar in (("first epoch", 0, COLD), ("later epochs", 1, LATER)):
                ratios = tuple(theirs[part] / ours[part] for ours, theirs in pairs)
                yield Measured(f"fine-tuning from JPEG files, {what}", name, ratios, bar)


def _both(side: Callable[[], list[float]]) -> Callable[[], Any]:
    """Returns a function: the seconds of the first epoch, and of the fastest later one."""

    def run() -> tuple[float, float]:
        ends = side()
        lengths = [later - earlier for earlier, later in pairwise(ends)]
        return lengths[0], min(lengths[1:])

    return run


def _write(folder: Path, images: int) -> None:
    data = stripes(images, 64, throughput.CLASSES)
    for row, target in enumerate(data.targets):
        place = folder / "train" / f"class {target}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.image(row)).resize((WIDTH, HEIGHT)).save(place / f"{row:06d}.jpg", quality=90)


def _sides(work: Workload, files: Path, room: Path) -> Sides:
    """Returns by name what gives the times at which the start and each epoch's end were passed."""
    sides: Sides = {"plateau": lambda: _ours(work, files, room), "timm": lambda: _timm(work, files)}
    for package, name, side in (
        ("lightning", "Lightning", _lightning),
        ("fastai", "fastai", _fastai),
        ("accelerate", "HF Trainer", _hugging_face),
    ):
        if importlib.util.find_spec(package):
            sides[name] = lambda side=side: side(work, files)  # type: ignore[misc]
    return sides


def _transform(work: Workload) -> Callable[[Any], torch.Tensor]:
    seen = work.preprocessing
    steps = [v2.RandomResizedCrop(work.size_px), v2.RandomHorizontalFlip(), v2.ToImage()]
    floats = v2.ToDtype(torch.float32, scale=True)
    return v2.Compose([*steps, floats, v2.Normalize(list(seen.mean), list(seen.std))])  # type: ignore[arg-type]


def _ours(work: Workload, files: Path, room: Path) -> list[float]:
    made = _transform(work)
    ends = [time.perf_counter()]
    with TemporaryDirectory(dir=room) as folder:
        few = Split(val=0.05, test=0.05)
        prepare(
            Data(source="imagefolder", path=str(files / "train"), split=few, stored_size=96),
            Path(folder) / "p",
        )
        data = open_dataset(Path(folder) / "p")
        rows = Rows(np.arange(len(data)), data.indices("val"), data.indices("test"))
        network = work.network()
        recipe = Recipe(trainable="all", schedule=Schedule(epochs=EPOCHS), batch_size=work.batch)
        task = Task(
            model=network,
            inputs=TransformInputs(data.store, lambda image, train: made(image), True, work.device),
            targets=torch.tensor(data.targets),
            rows=rows,
            recipe=recipe,
            seed=0,
            loss=losses.build(recipe.loss),
            optimizer=throughput.optimizer(network),
            blocks=model.blocks(network),
            enter_training=lambda: None,
            num_classes=throughput.CLASSES,
        )
        train(task, on_epoch=lambda _: ends.append(time.perf_counter()))
    return ends


def _loader(work: Workload, files: Path) -> DataLoader[Any]:
    data = datasets.ImageFolder(str(files / "train"), _transform(work))
    workers = runtime.available_cpus()
    return DataLoader(data, work.batch, shuffle=True, num_workers=workers, persistent_workers=True)


def _timm(work: Workload, files: Path) -> list[float]:
    from timm.data import create_dataset, create_loader

    ends = [time.perf_counter()]
    seen = work.preprocessing
    loader = create_loader(
        create_dataset("", str(files), split="train"),
        (3, work.size_px, work.size_px),
        work.batch,
        is_training=True,
        use_prefetcher=False,
        color_jitter=0.0,
        mean=seen.mean,
        std=seen.std,
        num_workers=runtime.available_cpus(),
        device=work.device,
    )
    network = work.network().train()
    moving, criterion = throughput.optimizer(network), nn.CrossEntropyLoss()
    for _ in range(EPOCHS):
        for images, targets in loader:
            loss = criterion(network(images.contiguous(memory_format=torch.channels_last)), targets)
            moving.zero_grad()
            loss.backward()
            moving.step()
        ends.append(time.perf_counter())
    return ends


def _lightning(work: Workload, files: Path) -> list[float]:
    import lightning

    ends = [time.perf_counter()]

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = work.network()

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            return nn.functional.cross_entropy(self.network(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return throughput.optimizer(self.network)

        def on_train_epoch_end(self) -> None:
            ends.append(time.perf_counter())

    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(Module(), _loader(work, files))
    return ends


def _fastai(work: Workload, files: Path) -> list[float]:
    from fastai.callback import progress  # noqa: F401  # gives a learner `no_bar`
    from fastai.callback.core import Callback
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    ends = [time.perf_counter()]

    class Ends(Callback):  # type: ignore[misc]
        def after_train(self) -> None:
            ends.append(time.perf_counter())

    loader = _loader(work, files)
    learner = Learner(
        DataLoaders(loader, []),
        work.network(),
        loss_func=nn.CrossEntropyLoss(),
        opt_func=lambda groups, lr: OptimWrapper(opt=torch.optim.AdamW(groups, lr, fused=True)),
        cbs=[Ends()],
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit(EPOCHS, 1e-4)
    return ends


def _hugging_face(work: Workload, files: Path) -> list[float]:
    from transformers import Trainer, TrainerCallback, TrainingArguments

    ends = [time.perf_counter()]

    class Ends(TrainerCallback):
        def on_epoch_end(self, *_: Any, **__: Any) -> None:
            ends.append(time.perf_counter())

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = work.network()

        def forward(self, pixels: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
            logits = self.network(pixels)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    def collate(pairs: list[tuple[torch.Tensor, int]]) -> dict[str, torch.Tensor]:
        return {"pixels": torch.stack([p for p, _ in pairs]), "labels": torch.tensor([t for _, t in pairs])}

    network = Network()
    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=work.batch,
            num_train_epochs=EPOCHS,
            dataloader_num_workers=runtime.available_cpus(),
            dataloader_persistent_workers=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
        )
        trainer = Trainer(
            network,
            arguments,
            data_collator=collate,
            train_dataset=datasets.ImageFolder(str(files / "train"), _transform(work)),
            optimizers=(throughput.optimizer(network), None),
            callbacks=[Ends()],
        )
        trainer.train()
    return ends
