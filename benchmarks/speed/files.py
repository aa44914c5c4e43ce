"""Fine-tuning from JPEG files through a transform of one's own, beside the loops of other libraries.

Every side trains the same network on the same files with the same transform and batch size. The others read
through torchvision's ImageFolder and a DataLoader with as many workers as CPUs; timm through its own loader,
which has the same crop and flip. Ours decodes and stores the files first, which the first epoch's time holds,
and evaluates on 600 training images after every epoch, which the others need not do.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.generated import stripes
from benchmarks.speed import throughput
from benchmarks.speed.frameworks import (
    EPOCHS,
    fastai_loop,
    hugging_face_loop,
    lightning_loop,
    random_crops,
    timm_loop,
)
from benchmarks.speed.measure import Measured, in_turn
from benchmarks.speed.throughput import Workload
from plateau_cause.config.params import Data, Split
from plateau_cause.config.recipe import Recipe, Schedule
from plateau_cause.images.prepare import prepare
from plateau_cause.images.store import open_dataset
from plateau_cause.training import losses, model
from plateau_cause.training.loop import train
from plateau_cause.training.task import Rows, Task
from plateau_cause.training.transform_inputs import TransformInputs

HEIGHT, WIDTH = 375, 500  # ImageNet's most usual size
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
    sides: Sides = {"plateau": lambda: _ours(work, files, room), "timm": lambda: timm_loop(work, files)}
    for package, name, side in (
        ("lightning", "Lightning", lightning_loop),
        ("fastai", "fastai", fastai_loop),
        ("accelerate", "HF Trainer", hugging_face_loop),
    ):
        if importlib.util.find_spec(package):
            sides[name] = lambda side=side: side(work, files)  # type: ignore[misc]
    return sides


def _ours(work: Workload, files: Path, room: Path) -> list[float]:
    made = random_crops(work)
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
