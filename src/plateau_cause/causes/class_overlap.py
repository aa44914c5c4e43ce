"""Classes that the images do not tell apart: confusions in both directions between few pairs.

The pairs are found on validation images; what merging them is worth is judged on test images.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from plateau_cause.causes.trial import DataCause, DataFacts, Trial, points
from plateau_cause.causes.words import Words
from plateau_cause.lab.belief import Belief

BOTH_WAYS = 0.4  # the rarer direction of a confused pair over the commoner one: overlap is symmetric
PAIR_ERROR = 0.25  # share of the pair's images confused within the pair; 0.5 is a coin toss
EXPLAINED = 0.7  # share of all errors that fall inside the pairs: a weak model errs everywhere
TOSSED_EXPLAINED = 0.4  # enough where inside the pairs a prediction says nothing about the label
RARELY = 0.15  # share of a pair's predictions that the rarer class needs: one never predicted is not tossed
TWO_SIDED = 1.96  # standard errors
MERGED_ACCURACY = 0.85  # with the pairs merged the task is as good as solved


def _prior(facts: DataFacts) -> float:
    return 0.8 if expected(facts) >= facts.min_effect else 0.0


def expected(facts: DataFacts) -> float:
    """Returns the share of validation images confused inside such pairs; 0 where errors lie elsewhere."""
    labels, predictions = facts.targets[facts.val], facts.best.outcome.val_outputs.argmax(1)
    pairs = confused_pairs(predictions, labels, len(facts.classes))
    inside = sum(share for *_, share in pairs)
    counts = _confusion(predictions, labels, len(facts.classes))
    explained = TOSSED_EXPLAINED if all(_is_tossed(counts, a, b) for a, b, _ in pairs) else EXPLAINED
    accuracy = float((predictions == labels).mean())
    concentrated = inside >= explained * (1.0 - accuracy) and accuracy + inside >= MERGED_ACCURACY
    return inside if concentrated and len(facts.classes) > 2 else 0.0


def _trial(facts: DataFacts) -> Trial | None:
    predictions = facts.best.outcome.val_outputs.argmax(1)
    pairs = confused_pairs(predictions, facts.targets[facts.val], len(facts.classes))
    if not pairs:
        return None
    merged = np.arange(len(facts.classes))
    for first, second, _ in pairs:
        merged[merged == merged[second]] = merged[first]
    names = ", ".join(f"{facts.classes[a]} / {facts.classes[b]}" for a, b, _ in pairs)
    found = facts.best.outcome.test_outputs.argmax(1)
    return Trial(
        base=facts.best,
        base_name="best",
        name="best, pairs merged",
        after=merged[found] == merged[facts.targets[facts.test]],
        facts={"names": names},
    )


def _explain(facts: DataFacts, trial: Trial, measured: Belief) -> list[str]:
    return [
        f"Even the best run confuses {trial.facts['names']} in both directions (found on validation images); "
        f"with each pair counted as one class its test accuracy changes by {points(measured)}."
    ]


def _fix(facts: DataFacts, trial: Trial) -> Mapping[str, Any]:
    return {"data": f"merge or redefine {trial.facts['names']}, or add images that show the difference"}


def confused_pairs(
    predictions: np.ndarray, labels: np.ndarray, num_classes: int
) -> list[tuple[int, int, float]]:
    """Returns pairs of classes confused both ways: first, second, share of all images; largest first."""
    counts = _confusion(predictions, labels, num_classes)
    found = []
    for a in range(num_classes):
        for b in range(a + 1, num_classes):
            wrong, total = counts[a, b] + counts[b, a], counts[[a, b]].sum()
            mutual = min(counts[a, b], counts[b, a]) >= max(2.0, BOTH_WAYS * max(counts[a, b], counts[b, a]))
            if (mutual or _is_tossed(counts, a, b)) and wrong / total >= PAIR_ERROR:
                found.append((a, b, float(wrong / len(labels))))
    return _disjoint(sorted(found, key=lambda pair: -pair[2]))


def _confusion(predictions: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns counts (C, C) of label (rows) and prediction."""
    counts = np.zeros((num_classes, num_classes))
    np.add.at(counts, (labels, predictions), 1)
    return counts


def _is_tossed(counts: np.ndarray, first: int, second: int) -> bool:
    """Returns whether predictions inside a pair are independent of the label (two proportions, 5 %)."""
    one, other = counts[first, [first, second]], counts[second, [first, second]]
    n, m = one.sum(), other.sum()
    share = (one[0] + other[0]) / max(1.0, n + m)
    if min(n, m) == 0 or not RARELY <= share <= 1 - RARELY:
        return False
    error = np.sqrt(share * (1 - share) * (1 / n + 1 / m))
    return bool(abs(one[0] / n - other[0] / m) < TWO_SIDED * error)


def _disjoint(pairs: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Returns the pairs without those that share a class with a larger one: chains would merge everything."""
    kept: list[tuple[int, int, float]] = []
    for pair in pairs:
        if not any({pair[0], pair[1]} & {first, second} for first, second, _ in kept):
            kept.append(pair)
    return kept


WORDS = Words(
    title="Some classes cannot be told apart",
    repair="Separate the classes",
    explanation=(
        "Errors sit between a few pairs of classes whose images look alike to every model that was tried."
    ),
)
DATA_CAUSE = DataCause(
    name="class_overlap", words=WORDS, prior=_prior, trial=_trial, explain=_explain, fix=_fix
)
