"""Wrong labels among the training images: set aside, and what learns learns again from the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from plateau_cause.causes.trial import DataCause, DataFacts, Trial
from plateau_cause.causes.words import Words
from plateau_cause.lab.belief import Belief

LEAST_RATE = 0.03  # below it clean data sets are flagged as often (measured on the digits)
# At least so many wrong: then most labels in doubt are, between classes too, and what is gained without those
# that can be told acquits nobody.
MANY = 0.1
KEPT = "without flagged labels"


def _prior(facts: DataFacts) -> float:
    rate = float(facts.noise["rate"])
    return min(0.9, 0.3 + 4 * rate) if rate >= LEAST_RATE and expected(facts) >= facts.min_effect else 0.0


def expected(facts: DataFacts) -> float:
    """Returns the accuracy that wrong labels may cost what learns: their share, or all that is missing."""
    rate = float(facts.noise["rate"])
    left = 1.0 - float(facts.hits(facts.learner).mean())
    return min(left, rate) if rate >= LEAST_RATE else 0.0


def _trial(facts: DataFacts) -> Trial | None:
    kept = _kept(facts)
    if len(kept) in (0, len(facts.train)):
        return None
    return Trial(
        base=facts.learner,
        base_name=facts.learner_name,
        name=f"{facts.learner_name} - flagged labels",
        arms=(replace(facts.learner.arm, images=KEPT),),
        subsets={KEPT: kept},
        is_partial=_are_many(facts),
        facts={"flagged": len(facts.train) - len(kept)},
    )


def _explain(facts: DataFacts, trial: Trial, measured: Belief) -> list[str]:
    return [
        f"About {facts.noise['rate']:.0%} of the training labels look wrong: a classifier that never saw the "
        "image contradicts them, and the image lies deep inside the other class. "
        f"{trial.facts['flagged']} labels in doubt were set aside, and {trial.base_name} learned again from "
        "the rest."
    ]


def _fix(facts: DataFacts, trial: Trial) -> Mapping[str, Any]:
    flagged = trial.facts["flagged"]
    return {"data": f"review the {flagged} flagged labels (data/interventions/suspect_labels.csv)"}


def _are_many(facts: DataFacts) -> bool:
    return bool(facts.noise["interval"][0] >= MANY)


def _kept(facts: DataFacts) -> np.ndarray:
    """Returns the training rows whose labels are not in doubt.

    Few wrong labels are told from classes that overlap by where the image lies. Many make the neighbours
    disagree as an overlap does: on digits with 37 % wrong so were two thirds of what was flagged as overlap.
    """
    kinds = ("noise", "overlap") if _are_many(facts) else ("noise",)
    flagged = [image["row"] for image in facts.noise["flagged"] if image["kind"] in kinds]
    return facts.train[~np.isin(facts.train, flagged)]


WORDS = Words(
    title="Some labels are wrong",
    repair="Repair wrong labels",
    explanation=(
        "A share of the training labels contradicts the images. The model spends its capacity on "
        "learning them, or is held back by them."
    ),
)
DATA_CAUSE = DataCause(
    name="label_noise",
    words=WORDS,
    prior=_prior,
    trial=_trial,
    explain=_explain,
    fix=_fix,
    levels=lambda facts, trial, effect: {"label_noise_ceiling": 1.0 - facts.noise_held_out},
)
