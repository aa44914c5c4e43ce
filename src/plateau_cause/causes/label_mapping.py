"""Labels of two splits that name other classes: what is learned as one is called another in the test set.

The mapping is found on one half of the test images and judged on the other, and the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from plateau_cause.causes.trial import DataCause, DataFacts, Trial, points, stratified_half
from plateau_cause.causes.words import Words
from plateau_cause.features.label_order import ERRORS, SUSPECT, best_mapping
from plateau_cause.lab.belief import Belief

SHOWN = 5  # classes in a sentence


def _prior(facts: DataFacts) -> float:
    before = facts.hits(facts.best)
    least = max(SUSPECT, ERRORS * math.sqrt(0.5 / max(1, len(before))))
    return 0.9 if float(_mapped(facts).mean() - before.mean()) >= least else 0.0


def _trial(facts: DataFacts) -> Trial | None:
    predictions, labels = _predictions(facts)
    mapping = best_mapping(predictions, labels, len(facts.classes))
    return Trial(
        base=facts.best,
        base_name="best",
        name="best, labels mapped",
        after=_mapped(facts),
        facts={"mapping": {facts.classes[a]: facts.classes[b] for a, b in enumerate(mapping) if a != b}},
    )


def _mapped(facts: DataFacts) -> np.ndarray:
    """Returns (n_test,) the hits after the mapping that the other half of the test images suggests."""
    predictions, labels = _predictions(facts)
    halves = stratified_half(labels)
    hits = np.zeros(len(labels), bool)
    for half in (False, True):
        mapping = best_mapping(predictions[halves != half], labels[halves != half], len(facts.classes))
        own = halves == half
        hits[own] = mapping[predictions[own]] == labels[own]
    return hits


def _predictions(facts: DataFacts) -> tuple[np.ndarray, np.ndarray]:
    return facts.best.outcome.test_outputs.argmax(1), facts.targets[facts.test]


def _explain(facts: DataFacts, trial: Trial, measured: Belief) -> list[str]:
    pairs = list(trial.facts["mapping"].items())
    shown = ", ".join(f"{learned} is called {given}" for learned, given in pairs[:SHOWN])
    more = f" and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    return [
        f"What training calls {shown} in the test set{more}. With the test labels mapped back (found on one "
        f"half of the test images, judged on the other) test accuracy changes by {points(measured)}."
    ]


def _fix(facts: DataFacts, trial: Trial) -> Mapping[str, Any]:
    names = ", ".join(f"{given} -> {learned}" for learned, given in trial.facts["mapping"].items())
    return {"data": f"name the classes of every split alike; in the test set: {names}"}


WORDS = Words(
    title="The labels of two splits do not mean the same",
    repair="Map the labels",
    explanation=(
        "The splits give the same name or number to other classes, as folders that are listed in another "
        "order do. The network learns the one and is judged by the other."
    ),
)
DATA_CAUSE = DataCause(
    name="label_mapping", words=WORDS, prior=_prior, trial=_trial, explain=_explain, fix=_fix
)
