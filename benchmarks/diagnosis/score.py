"""Answers against the truth: top-1, sets of causes, false accusations, calibration, cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from benchmarks.diagnosis.cases import Case

BARS = {
    "top1": 0.97,
    "precision": 0.97,
    "recall": 0.93,
    "false_accusations": 0,
    "ece": 0.03,
    "cost_ratio": 1.5,
}
SAME_PRIMARY = 0.96  # share of the cases that another seed gives the same first cause
LEFT_OUT_SLACK = 0.05  # how much worse a group may be when it is scored alone
BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


@dataclass(frozen=True)
class Truth:
    """What removing things recovers.

    Attributes:
        causes: those that must be named; empty: healthy or harmless.
        tolerated: true as well by measurement, or another name for the same: neither asked for nor an error.
        alternatives: gain in the recipe as it is, and are not missed once the causes are removed: no error
            beside a true cause, and none itself.
        measured: whether long runs say so, or only what was planted.
    """

    causes: frozenset[str]
    tolerated: frozenset[str] = frozenset()
    alternatives: frozenset[str] = frozenset()
    measured: bool = False

    @property
    def unasked(self) -> frozenset[str]:
        """Returns the names that are neither asked for nor an error."""
        return self.tolerated | self.alternatives


@dataclass(frozen=True)
class Judged:
    """A case, its answer and its truth."""

    case: Case
    answer: dict[str, Any]
    truth: Truth

    @property
    def named(self) -> list[str]:
        """Returns the causes named, the primary first."""
        return [cause["cause"] for cause in self.answer["summary"]["causes"]]

    @property
    def is_right(self) -> bool:
        """Returns whether the primary cause is a true one; on healthy cases whether nobody is accused."""
        if not self.truth.causes:
            return not self.accused
        return bool(self.named) and self.named[0] in self.truth.causes | self.truth.tolerated

    @property
    def accused(self) -> list[str]:
        """Returns the causes named that are none."""
        return [cause for cause in self.named if cause not in self.truth.causes | self.truth.unasked]

    @property
    def cost_ratio(self) -> float:
        """Returns seconds of the diagnosis, the reference included, over those of the reference."""
        cost = self.answer["summary"]["cost"]
        return float(cost["diagnosis_seconds"] / max(cost["reference_seconds"], 1e-9))


def truth_of(case: Case, measured: dict[str, Any]) -> Truth:
    """Returns the measured truth of the case; what was planted where there is none yet."""
    known = measured.get(case.name)
    if known is not None:
        causes, tolerated, alternatives = (
            frozenset(known[k]) for k in ("causes", "tolerated", "alternatives")
        )
        return Truth(causes, tolerated, alternatives, measured=True)
    return Truth(case.planted if case.kind in ("single", "double") else frozenset())


def judge(case: Case, answer: dict[str, Any], truth: Truth) -> Judged:
    """Returns the answer beside the truth."""
    return Judged(case, answer, truth)


def scores(results: Sequence[Judged]) -> dict[str, float]:
    """Returns all numbers of the table; those without any case are not a number."""
    faulty = [judged for judged in results if judged.truth.causes]
    clean = [judged for judged in results if not judged.truth.causes]
    hits = sum(len(judged.truth.causes & set(judged.named)) for judged in faulty)
    named = sum(len([c for c in judged.named if c not in judged.truth.unasked]) for judged in results)
    pairs = probabilities(results)
    return {
        "cases": len(results),
        "top1": _share(judged.is_right for judged in faulty),
        "precision": hits / named if named else float("nan"),
        "recall": hits / sum(len(judged.truth.causes) for judged in faulty) if faulty else float("nan"),
        "false_accusations": sum(bool(judged.accused) for judged in clean),
        "brier": _mean([(p - y) ** 2 for p, y in pairs]),
        "ece": calibration_error(pairs),
        "cost_ratio": median(judged.cost_ratio for judged in results) if results else float("nan"),
        "seconds": median(judged.answer["seconds"] for judged in results) if results else float("nan"),
    }


def probabilities(results: Iterable[Judged]) -> list[tuple[float, int]]:
    """Returns every probability stated, and whether it is of a cause; what is not asked for is left out."""
    return [
        (float(item["probability"]), int(item["cause"] in judged.truth.causes))
        for judged in results
        for item in judged.answer["judged"]
        if item["cause"] not in judged.truth.unasked
    ]


def reliability(pairs: Sequence[tuple[float, int]]) -> list[tuple[float, float, int, float, float]]:
    """Returns per bin: low, high, number, mean stated probability, share that is true."""
    rows = []
    for low, high in pairwise(BINS):
        inside = [(p, y) for p, y in pairs if low <= p < high or p == high == 1.0]
        if inside:
            rows.append(
                (low, high, len(inside), _mean([p for p, _ in inside]), _mean([float(y) for _, y in inside]))
            )
    return rows


def calibration_error(pairs: Sequence[tuple[float, int]]) -> float:
    """Returns the expected calibration error: mean distance of stated and true shares over the bins."""
    return sum(n * abs(p - y) for *_, n, p, y in reliability(pairs)) / len(pairs) if pairs else float("nan")


def groups(results: Sequence[Judged], key: Callable[[Case], str]) -> dict[str, dict[str, float]]:
    """Returns the scores of each group alone: what the tool does on a set or backbone left out."""
    names = sorted({key(judged.case) for judged in results})
    return {name: scores([judged for judged in results if key(judged.case) == name]) for name in names}


def same_primary(results: Sequence[Judged], others: Sequence[Judged]) -> float:
    """Returns the share of cases whose first cause, or that there is none, is the same in both."""
    return _share(one.named[:1] == two.named[:1] for one, two in zip(results, others, strict=True))


def passes(by_seed: Mapping[int, Sequence[Judged]]) -> bool:
    """Returns whether the scores, those of each left-out set, and the other seeds reach the bars."""
    return not failures(by_seed)


def failures(by_seed: Mapping[int, Sequence[Judged]]) -> list[str]:
    """Returns what misses its bar, in words: of the first seed's scores and the others' agreement."""
    results, *others = by_seed.values()
    missed = [f"{name} {value:.3f}" for name, value in _missed(scores(results), 0.0).items()]
    for group, found in groups(results, lambda case: case.set).items():
        shown = {name: found[name] for name in ("top1", "precision", "recall", "false_accusations")}
        missed += [f"{name} {value:.3f} on {group}" for name, value in _missed(shown, LEFT_OUT_SLACK).items()]
    agreements = [same_primary(results, other) for other in others]
    missed += [
        f"same first cause {share:.3f} under another seed" for share in agreements if share < SAME_PRIMARY
    ]
    return missed


def _missed(found: dict[str, float], slack: float) -> dict[str, float]:
    upper = ("false_accusations", "ece", "cost_ratio")
    return {
        name: found[name]
        for name, bar in BARS.items()
        if name in found and (found[name] > bar if name in upper else found[name] < bar - slack)
    }


def _share(values: Iterable[bool]) -> float:
    return _mean([float(value) for value in values])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
