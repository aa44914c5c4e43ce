"""The images that a script's loaders read, as a folder of raw images and a table of labels and splits."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause.capture.child.course import Loader
from plateau_cause.capture.child.refusal import RefusedError
from plateau_cause.capture.child.replay import Sample, samples

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors

TABLE, IMAGES = "table.csv", "raw"


def write_table(out: Path, train: Loader, others: list[Loader], doors: Doors) -> int:
    """Writes the raw images and the table of image, label and split; returns the longest side, pixels."""
    from PIL import Image

    (out / IMAGES).mkdir(parents=True, exist_ok=True)
    longest = 0
    with (out / TABLE).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["image", "label", "split"])
        for part, loader in (("train", train), *zip(("val", "test"), others, strict=False)):
            indices = list(range(len(loader.loader.dataset)))
            for sample in samples(loader.loader, indices, doors.decoding, doors.hooks):
                name = f"{IMAGES}/{part}-{sample.index:06d}.png"
                if sample.raw is None or sample.raw.image is None or sample.label is None:
                    raise RefusedError(f"{loader.name or part}: item {sample.index} has no image or no label")
                Image.fromarray(sample.raw.image).convert("RGB").save(out / name)
                longest = max(longest, *sample.raw.image.shape[:2])
                table.writerow([name, f"{sample.label:04d}", _split(part, sample, len(others) == 1)])
    return longest


def _split(part: str, sample: Sample, is_alone: bool) -> str:
    """Returns the split of an item; the only set beside training's is divided, item by item."""
    return ("val", "test")[sample.index % 2] if part == "val" and is_alone else part
