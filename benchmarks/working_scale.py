"""Swaps on a part of the images: the right cause first, and what it costs, on sets of 20,000 training images.

    python -m benchmarks.working_scale [--sets drawings photographs] [--images 20000] [--jobs 2]

Each set is diagnosed with a fault planted; what removing the fault gains is measured by a training on all
images. Finished runs are kept in .plateau/scale. Prints a table; exit status 1 where a planted fault that
costs accuracy is not the first cause, or one that costs none is accused.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from plateau_cause import artifacts, runtime

WORK = Path(".plateau/scale")
SEED = 100  # of the truth's training: none that a diagnosis uses
EPOCHS = 4


@dataclass(frozen=True)
class Planted:
    """A set of images and the fault in its recipe: keys of sets.SOURCES and of faults.FAULTS, or "-"."""

    images: str
    fault: str


PLANTED = (
    Planted("drawings", "rate-1e-6"),
    Planted("photographs", "head-only"),
    Planted("textures", "strong"),
    Planted("photographs", "bytes"),
    Planted("drawings", "-"),
)


def main() -> int:
    """Diagnoses the chosen sets, prints a table, returns the exit status."""
    given = _arguments()
    runtime.set_up_threads()
    from benchmarks.diagnosis import workers

    chosen = [planted for planted in PLANTED if given.sets is None or planted.images in given.sets]
    for name in {planted.images for planted in chosen}:
        write(name, given.images, WORK)
    parts = [[planted] for planted in chosen]
    rows = workers.spread(measure_all, parts, given.jobs, given.images, WORK)
    print(HEADING)
    print("\n".join(line(row) for row in rows.values()))
    return 0 if all(row["is_right"] for row in rows.values()) else 1


def write(name: str, images: int, work: Path) -> Path:
    """Writes training images, and a fifth as many for validation and for test; returns their table."""
    from benchmarks.diagnosis import sets

    place = work / f"{name}-{images}"
    if not (place / "table.csv").exists():
        sizes = {"train": images, "val": images // 5, "test": images // 5}
        pixels, labels = sets.SOURCES[name](sum(sizes.values()), 0)
        splits = np.random.default_rng(0).permutation(np.repeat(list(sizes), list(sizes.values())))
        with artifacts.atomic_folder(place) as folder:
            for row, image in enumerate(pixels):
                Image.fromarray(image).save(folder / f"{row:06d}.png", compress_level=1)
            names = [str((place / f"{row:06d}.png").resolve()) for row in range(len(labels))]
            table = pd.DataFrame({"image": names, "label": labels, "split": splits})
            artifacts.write_csv(folder / "table.csv", table)
    return place / "table.csv"


def measure_all(parts: list[Planted], images: int, work: Path) -> dict[str, dict[str, Any]]:
    """Returns a row of the table by name of set and fault."""
    return {f"{planted.images}/{planted.fault}": measure(planted, images, work) for planted in parts}


def measure(planted: Planted, images: int, work: Path) -> dict[str, Any]:
    """Returns what the diagnosis says, what it cost, and what removing the fault gains on all images."""
    from benchmarks.diagnosis import diagnose
    from plateau_cause.lab.inspection import recipe_arm

    faulty, sound = (parameters(planted, images, work, is_faulty) for is_faulty in (True, False))
    folder = work / f"{planted.images}-{planted.fault}-{images}"
    answer = diagnose.stages(faulty, folder, work / "runs")
    lab, _ = diagnose.laboratory(faulty, folder, work / "runs")
    targets = lab.dataset.targets[lab.dataset.indices("test")]
    reached = {
        name: float(lab.run(recipe_arm(lab, given.recipe, SEED), name).correct(targets).mean())
        for name, given in (("faulty", faulty), ("sound", sound))
    }
    return judged(planted, answer["summary"], reached["sound"] - reached["faulty"])


def cost(images: int, planted: Planted = PLANTED[0], work: Path = WORK) -> float:
    """Returns what a diagnosis takes without the confirmation, in trainings of the recipe on all images."""
    from benchmarks.diagnosis import diagnose

    write(planted.images, images, work)
    folder = work / f"{planted.images}-{planted.fault}-{images}"
    given = parameters(planted, images, work, is_faulty=True)
    found = diagnose.stages(given, folder, work / "runs")["summary"]["cost"]
    spent = found["diagnosis_seconds"] - found.get("confirmation_seconds", 0.0)
    return float(spent / found["recipe_seconds"])


def judged(planted: Planted, summary: dict[str, Any], gain: float) -> dict[str, Any]:
    """Returns a row: the answer beside what was measured; between 1.5 and 4.5 points both are right.

    Args:
        planted: the fault.
        summary: content of plateau_cause.json.
        gain: test accuracy that removing the fault gains, trained on all images.
    """
    from benchmarks.diagnosis.faults import FAULTS

    cause = "" if planted.fault == "-" else FAULTS[planted.fault].cause
    named, seconds = [found["cause"] for found in summary["causes"]], summary["cost"]
    is_first, is_accused = named[:1] == [cause], cause in named
    right = is_first if gain >= 0.045 else not is_accused if gain < 0.015 else True
    return {
        "name": f"{planted.images}, {planted.fault}",
        "gain": gain,
        "verdict": summary["verdict"],
        "named": named,
        "scale": summary["scale"],
        "verified": summary["verified"]["effect"],
        "cost": seconds["diagnosis_seconds"] / max(seconds["recipe_seconds"], 1e-9),
        "confirmation": seconds.get("confirmation_seconds", 0.0) / max(seconds["recipe_seconds"], 1e-9),
        "is_right": right and (cause != "" or not named),
    }


def parameters(planted: Planted, images: int, work: Path, is_faulty: bool) -> Any:
    """Returns the recipe, with its fault or without, as params.yaml would say it."""
    from benchmarks.diagnosis import cases, pretrain, sets
    from benchmarks.diagnosis.faults import FAULTS
    from plateau_cause.config.params import BackboneParams, Data, Params
    from plateau_cause.config.recipe import Recipe, put

    fault = dict(FAULTS[planted.fault].recipe) if is_faulty and planted.fault != "-" else {}
    values = {**cases.BASES["all"], "schedule.epochs": EPOCHS, "batch_size": 32, **fault}
    return Params(
        data=Data(source="table", path=str(write(planted.images, images, work)), stored_size=sets.SIDE_PX),
        backbone=BackboneParams(name="test_resnet", weights=str(pretrain.weights_file("resnet"))),
        recipe=put(Recipe(), values),
    )


COLUMNS = (
    "set, fault",
    "gained without it, all images",
    "verdict",
    "causes",
    "swaps on",
    "gained by the recommended recipe, all images",
    "cost, in trainings of the recipe",
    "of which the confirmation",
)
HEADING = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def line(row: dict[str, Any]) -> str:
    """Returns a row of the table as Markdown."""
    scale = row["scale"]
    part = f"{scale['images']:,} of {scale['of']:,}"
    named = ", ".join(row["named"]) or "none"
    numbers = f"{100 * row['verified']:+.1f} | {row['cost']:.2f} | {row['confirmation']:.2f}"
    return f"| {row['name']} | {100 * row['gain']:+.1f} | {row['verdict']} | {named} | {part} | {numbers} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", help="of images; all of them")
    parser.add_argument("--images", type=int, default=20_000, help="for training")
    parser.add_argument("--jobs", type=int, default=runtime.available_cpus(), help="sets at a time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
