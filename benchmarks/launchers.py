"""Independent arms on local workers against one after the other: time, and whether the numbers are the same.

python -m benchmarks.launchers [--arms 12] [--workers 2] [--epochs 3]

The shipped digits at 32 px, every layer of the bundled network trained, a seed per arm. The workers start
before the clock does, unless --cold. Prints a line per side, and how far outputs on the test images lie apart
from those of the first. On a shared machine repeat it: the sides are timed one after the other.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from plateau_cause import runtime
from plateau_cause.config.params import Data, Params
from plateau_cause.config.recipe import put
from plateau_cause.lab.launch.crew import WORKERS
from plateau_cause.lab.launch.team import Team
from plateau_cause.lab.store import Result
from plateau_cause.pipeline import paths

FIRST_WARM = 1000  # seed of what is trained before the clock starts
RECIPE = {"preprocessing.size": 32, "trainable": "all", "batch_norm": "frozen", "batch_size": 32}


Side = tuple[str, float, list[Result]]  # its name, seconds for all arms, their results


def main() -> None:
    """Prints seconds of every side, ratios, and differences."""
    given = _arguments()
    sides = measured(given.arms, given.workers, given.epochs, given.images, given.cold)
    _, base_s, base = sides[0]
    for name, seconds, results in sides:
        print(f"{name}: {seconds:.1f} s, {base_s / seconds:.2f} times as fast; {_apart(base, results)}")


def measured(
    arms: int, workers: int, epochs: int = 3, images: int = 900, is_cold: bool = False
) -> list[Side]:
    """Returns what one worker takes, several, and one with all CPUs; the first two have the same threads.

    Args:
        arms: trained by each side.
        workers: at once; each has its share of the CPUs.
        epochs: of each arm.
        images: of the 1797 digits.
        is_cold: whether the start of the workers counts too.
    """
    runtime.set_up_threads()
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        params = Params(
            data=Data(max_images=images),
            recipe=put(Params().recipe, {**RECIPE, "schedule.epochs": epochs}),
            device="cpu",
        )
        try:
            _prepare(params)
            cpus = runtime.available_cpus()
            share = max(1, cpus // workers)
            asked = [(1, share), (workers, share), (1, cpus)]
            return [_side(params, arms, is_cold, *each) for each in asked]
        finally:
            os.chdir(before)


def _prepare(params: Params) -> None:
    from plateau_cause.images.prepare import prepare
    from plateau_cause.pipeline.embed import write_features

    prepare(params.data, paths.PREPARED)
    write_features(params, Path())


def _side(params: Params, arms: int, is_cold: bool, workers: int, threads: int) -> Side:
    """Returns a name, the seconds for all arms, and their results; nothing is left for the next side."""
    import torch

    from plateau_cause.lab.inspection import recipe_arm
    from plateau_cause.pipeline.bench import open_laboratory

    os.environ[WORKERS] = str(workers)
    torch.set_num_threads(threads)
    lab, _ = open_laboratory(params, Path())
    lab.folder = paths.KEPT / f"{workers}-{threads}"  # where nothing is finished
    arm = recipe_arm(lab, params.recipe, 0)
    if not is_cold:
        short = replace(arm, recipe=put(arm.recipe, {"schedule.epochs": 1}))
        lab.run_all([(short.with_seed(FIRST_WARM + n), "start") for n in range(workers)])
    started = time.perf_counter()
    results = lab.run_all([(arm.with_seed(seed), f"arm {seed}") for seed in range(arms)])
    seconds = time.perf_counter() - started
    if isinstance(lab.team, Team):
        lab.team.close()
    return f"{workers} at once, {threads} thread(s) each", seconds, results


def _apart(results: list[Result], others: list[Result]) -> str:
    """Returns in words how far two lists of results of the same arms lie apart."""
    pairs = list(zip(results, others, strict=True))
    if all(np.array_equal(one.outcome.test_outputs, other.outcome.test_outputs) for one, other in pairs):
        return "equal to the first bit for bit"
    outputs = max(float(np.abs(a.outcome.test_outputs - b.outcome.test_outputs).max()) for a, b in pairs)
    answers = [a.outcome.test_outputs.argmax(1) != b.outcome.test_outputs.argmax(1) for a, b in pairs]
    return f"outputs differ by up to {outputs:.2g}, answers on {np.mean(answers):.2%} of the test images"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arms", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2, help="at once; each has its share of the CPUs")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int, default=900, help="of the 1797 digits")
    parser.add_argument("--cold", action="store_true", help="the start of the workers counts too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
