"""How fast plateau is: ratios within one run, beside bare loops and other libraries, and their bars.

    python -m benchmarks.speed.run                          every measure; half an hour and more on two cores
    python -m benchmarks.speed.run --only loops commands    some of them
    python -m benchmarks.speed.run --only loops --name resnet50 --weights none --size 224 --batch 256

Prints Markdown; exit status 1 where a bar is not met. Sides are timed in turn, but for what takes minutes.
Memory at ten times the images is `benchmarks.scale`. Lightning, fastai and the HF Trainer are measured where
they are installed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from plateau_cause import runtime

runtime.set_up_threads()  # before torch loads

from benchmarks import launchers, working_scale  # noqa: E402
from benchmarks.speed import commands, files, kept, loops, shift  # noqa: E402
from benchmarks.speed.measure import HEADING, Measured  # noqa: E402
from benchmarks.speed.throughput import Workload  # noqa: E402

DIAGNOSED = {1_500: 1.5, 15_000: 0.7, 60_000: 0.4}  # images: most that a diagnosis may cost, in trainings
ARMS, TOGETHER = 12, 1.7


def main() -> int:
    """Prints the table line by line; returns the exit status."""
    given = _arguments()
    work = _workload(given, given.images)
    measures: dict[str, Callable[[], Iterator[Measured]]] = {
        "commands": lambda: commands.measures(given.rounds),
        "loops": lambda: loops.measures(work, given.rounds),
        "kept": lambda: kept.measures(work, given.rounds),
        "files": lambda: files.measures(work, given.rounds),
        "shift": shift.measures,
        "workers": _workers,
        "diagnosis": _diagnoses,
    }
    print(f"{work.name}, {work.size_px} px, batch {work.batch}, {work.images} images, device {work.device}\n")
    print(HEADING, flush=True)
    are_met = True
    for name in given.only or measures:
        for found in measures[name]():
            print(found.line(), flush=True)
            are_met &= found.is_met
    return 0 if are_met else 1


def _workers() -> Iterator[Measured]:
    (_, one_s, _), (_, two_s, _) = launchers.measured(ARMS, workers=2)[:2]
    what = f"{ARMS} independent arms on two workers"
    yield Measured(what, "one worker of one thread", (one_s / two_s,), TOGETHER)


def _diagnoses() -> Iterator[Measured]:
    for images, bar in DIAGNOSED.items():
        cost = working_scale.cost(images)
        yield Measured(
            f"a diagnosis of {images:,} images", "one training of the recipe", (cost,), bar, at_most=True
        )


def _workload(given: argparse.Namespace, images: int) -> Workload:
    device = runtime.device(given.device)
    return Workload(given.name, given.weights, given.size, given.batch, images, device)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ("commands", "loops", "kept", "files", "shift", "workers", "diagnosis")
    parser.add_argument("--only", nargs="+", choices=names, help="measures; all of them")
    parser.add_argument("--name", default="tf_efficientnet_lite0", help="torchvision or timm model")
    parser.add_argument("--weights", default="bundled", help="bundled, none, pretrained or a file")
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--batch", type=int, default=64, help="images per step")
    parser.add_argument("--images", type=int, default=2048, help="per epoch, a multiple of the batch")
    parser.add_argument("--rounds", type=int, default=3, help="of both sides, in turn")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
