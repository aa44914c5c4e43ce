"""How answers to noisy games are judged, and the bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.games.simulator import Key
from plateau_cause.diagnosis.game import Factors

MEAN_OF_IDEAL, EACH_OF_IDEAL = 0.92, 0.85  # recall over the ideal's: on the mean of the kinds, in each kind
FALSE = 0.03  # share of a kind's games with a false accusation
CALIBRATION = 0.03  # mean distance of stated probabilities from the shares that are true
BINS = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True)
class Answer:
    """What was named in a game, and what is right.

    Attributes:
        named: factors called causes.
        right: what they are judged by.
        stated: probability and name of every factor.
    """

    named: Factors
    right: Key
    stated: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Row:
    """A kind of games, of one size and luck.

    Attributes:
        recall, ideal_recall, old_recall: mean share of what must be named that was, by the rule, the ideal
            and version 1; NaN where nothing must, or version 1 is not there.
        false, ideal_false, old_false: share of the games with a false accusation.
        stated: (probability, whether it is a cause) of every factor that is surely one or surely none.
    """

    kind: str
    factors: int
    luck: float
    games: int
    recall: float
    ideal_recall: float
    old_recall: float
    false: float
    ideal_false: float
    old_false: float
    stated: Sequence[tuple[float, bool]]


def row(
    kind: str,
    factors: int,
    luck: float,
    answers: Sequence[Answer],
    bounds: Sequence[Answer],
    before: Sequence[Answer] = (),
) -> Row:
    """Returns the scores of the rule's answers beside the ideal's and version 1's to the same structures."""
    stated = [
        (probability, name in answer.right.must | answer.right.any_of)
        for answer in answers
        for probability, name in answer.stated
        if name in answer.right.must | answer.right.any_of or name not in answer.right.may
    ]
    return Row(
        kind, factors, luck, len(answers), _recall(answers), _recall(bounds), _recall(before),
        _false(answers), _false(bounds), _false(before), stated,
    )  # fmt: skip


def _recall(answers: Sequence[Answer]) -> float:
    found = [answer.right.recall(answer.named) for answer in answers]
    shares = [share for share in found if share is not None]
    return float(np.mean(shares)) if shares else float("nan")


def _false(answers: Sequence[Answer]) -> float:
    if not answers:
        return float("nan")
    return float(np.mean([bool(answer.named - answer.right.may) for answer in answers]))


def calibration_error(stated: Sequence[tuple[float, bool]]) -> float:
    """Returns the mean distance of stated probabilities and the share that is true, over ten bins."""
    said = np.array(stated, float).reshape(-1, 2)
    error = 0.0
    for low, high in pairwise(BINS):
        inside = (said[:, 0] >= low) & ((said[:, 0] < high) | (high == 1.0))
        if inside.any():
            error += inside.sum() * abs(said[inside, 0].mean() - said[inside, 1].mean())
    return float(error / max(1, len(said)))


def failures(rows: Sequence[Row]) -> list[str]:
    """Returns what misses its bar, in words."""
    missed = []
    for found in rows:
        where = f"{found.kind}, {found.factors} factors, luck {found.luck:g}"
        if found.recall < EACH_OF_IDEAL * found.ideal_recall:
            missed.append(f"recall {found.recall:.2f} of the ideal's {found.ideal_recall:.2f}: {where}")
        if found.false > FALSE:
            missed.append(f"{found.false:.1%} falsely accused: {where}")
    for size, luck in sorted({(found.factors, found.luck) for found in rows}):
        ours, ideal = _means([found for found in rows if (found.factors, found.luck) == (size, luck)])
        if ours < MEAN_OF_IDEAL * ideal:
            missed.append(f"mean recall {ours:.3f} of the ideal's {ideal:.3f}: {size} factors, luck {luck:g}")
    error = calibration_error([pair for found in rows for pair in found.stated])
    return [*missed, *([f"calibration error {error:.3f}"] if error > CALIBRATION else [])]


def _means(rows: Sequence[Row]) -> tuple[float, float]:
    known = [found for found in rows if not np.isnan(found.recall)]
    if not known:
        return float("nan"), float("nan")
    return float(np.mean([r.recall for r in known])), float(np.mean([r.ideal_recall for r in known]))


def line(found: Row) -> str:
    """Returns a row in words."""
    old = "" if np.isnan(found.old_false) else f", version 1 {found.old_recall:.2f}"
    old_false = "" if np.isnan(found.old_false) else f", version 1 {found.old_false:.1%}"
    return (
        f"{found.factors} factors, luck {100 * found.luck:.1f} points, {found.kind:8} "
        f"recall {found.recall:.2f} (ideal {found.ideal_recall:.2f}{old}), "
        f"falsely accused {found.false:.1%} (ideal {found.ideal_false:.1%}{old_false})"
    )


def summary(rows: Sequence[Row]) -> list[str]:
    """Returns the means per size and luck, and the calibration, in words."""
    said = []
    for size, luck in sorted({(found.factors, found.luck) for found in rows}):
        ours, ideal = _means([found for found in rows if (found.factors, found.luck) == (size, luck)])
        said.append(
            f"{size} factors, luck {100 * luck:.1f} points: mean recall {ours:.3f} (ideal {ideal:.3f})"
        )
    error = calibration_error([pair for found in rows for pair in found.stated])
    return [*said, f"calibration error {error:.3f}"]
