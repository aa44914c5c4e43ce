"""Too few training images: the same recipe learns from half of them, and the curve is carried on."""

from __future__ import annotations

from functools import partial

import numpy as np

from plateau_cause.causes import class_imbalance, class_overlap, label_noise
from plateau_cause.causes.hypothesis import Bench, DataFacts, DataFinding, DataHypothesis, hits, on_subset
from plateau_cause.lab.effect import Effect, effect

TIMES = 4  # as many images: what more data would give is said for that many, two doublings
HALVED = 0.75  # of the last doubling's gain is what two more give where each gains half of the one before
# Training minus test accuracy from which images are missing: below it nearly every data set would gain a
# little from twice as many, and no healthy recipe should be told so.
LEAST_GAP = 0.1
HALVES = ("half", "other half")


def _suspicion(facts: DataFacts) -> float:
    # Labels that nobody could know are memorised as well, and more images do not help with them.
    unknowable = (class_overlap.HYPOTHESIS, label_noise.HYPOTHESIS)
    gap = facts.train_accuracy - facts.test_accuracy - sum(cause.suspicion(facts) for cause in unknowable)
    missed = float((_common(facts) & ~hits(facts.best, facts)).mean())
    return 0.5 * missed if gap >= LEAST_GAP else 0.0


def _common(facts: DataFacts) -> np.ndarray:
    """Returns (n_test,) whether the image is of a class that is not rare: what rare classes lose is that."""
    return ~np.isin(facts.targets[facts.test], class_imbalance.rare_classes(facts))


def _test(bench: Bench, facts: DataFacts) -> DataFinding | None:
    which = HALVES[facts.repetition % 2]
    rows = half(facts.train, facts.targets, facts.repetition % 2)
    bench.add_subset(which, rows)
    name = f"best - {which} of the images"
    halved = bench.run(on_subset(facts.best.arm, which, len(rows), len(facts.train)), name)
    common = _common(facts)
    with_half, with_all = hits(halved, facts) & common, hits(facts.best, facts) & common
    extrapolate = partial(carried_on, accuracy=1.0 - float((common & ~with_all).mean()))
    measured = effect([(with_half, with_all)])
    expected = extrapolate(measured)
    return DataFinding(
        cause="limited_data",
        effect=expected,
        pairs=((with_half, with_all),),
        carry=extrapolate,
        evidence=[
            f"From {len(facts.train) // 2} to {len(facts.train)} training images test accuracy rose by "
            f"{measured.mean:+.3f} [{measured.low:+.3f}, {measured.high:+.3f}] (measured); {TIMES} times "
            f"as many would add about {expected.mean:+.3f} (extrapolated, the mean of two power laws)."
        ],
        fix={
            "data": f"more labelled images: about {TIMES * len(facts.train)} for training instead of "
            f"{len(facts.train)}"
        },
        runs=[name],
        levels={"more_data": facts.test_accuracy + expected.mean},
    )


def half(rows: np.ndarray, targets: np.ndarray, first: int = 0) -> np.ndarray:
    """Returns every other training row of each class, from the first or second on, at least one, in order."""
    labels = targets[rows]
    kept = np.zeros(len(rows), bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        kept[own[min(first, len(own) - 1) :: 2]] = True
    return rows[kept]


def carried_on(gain: Effect, accuracy: float) -> Effect:
    """Returns the gain of two more doublings: the mean of two power laws through the last doubling's gain.

    One has no floor: two points fix it, e(4n) = e(n)³ / e(n/2)². One is of exponent 1 with a floor, so that
    each doubling gains half of the one before (Mahmood et al. 2022 on bracketing).
    """
    error = max(1.0 - accuracy, 1e-6)
    without_floor = error * (1.0 - (error / max(error + gain.mean, 1e-6)) ** 2)
    halved = min(HALVED * gain.mean, error)
    factor = (halved + without_floor) / 2 / gain.mean if gain.mean > 0 else HALVED
    return Effect(gain.mean * factor, gain.error * factor, gain.low * factor, gain.high * factor)


HYPOTHESIS = DataHypothesis(name="limited_data", suspicion=_suspicion, test=_test)
