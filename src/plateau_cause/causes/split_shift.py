"""Test images from another domain: half of them are learned from, and the others judge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plateau_cause.causes.trial import DataCause, DataFacts, Trial, points, stratified_half
from plateau_cause.causes.words import Words
from plateau_cause.lab.belief import Belief

TOLD_APART = 0.75  # AUC of a classifier between training and test images from which they are another domain
SEEN = "with half of the test images"


def _prior(facts: DataFacts) -> float:
    is_asked = facts.split_auc >= TOLD_APART and facts.headroom >= facts.min_effect
    return min(0.8, facts.split_auc - 0.2) if is_asked else 0.0


def _trial(facts: DataFacts) -> Trial | None:
    seen = stratified_half(facts.targets[facts.test])
    if seen.all() or not seen.any():
        return None
    rows = np.concatenate([facts.train, facts.test[seen]])
    return Trial(
        base=facts.best,
        base_name="best",
        name="best + half of the test images",
        arms=(replace(facts.best.arm, images=SEEN),),
        subsets={SEEN: rows},
        counted=~seen,
        facts={"images": int(seen.sum())},
    )


def _explain(facts: DataFacts, trial: Trial, measured: Belief) -> list[str]:
    return [
        f"A classifier tells test images from training images (AUC {facts.split_auc:.2f}; 0.5 is chance). "
        f"With {trial.facts['images']} test images among the training images the other test images are "
        f"recognised better by {points(measured)}."
    ]


WORDS = Words(
    title="The test images come from another domain",
    repair="Train on the test domain",
    explanation=(
        "The test images differ from the training images in more than chance: another camera, place or "
        "time. What is learned from the one does not carry to the other."
    ),
)
DATA_CAUSE = DataCause(
    name="split_shift",
    words=WORDS,
    prior=_prior,
    trial=_trial,
    explain=_explain,
    fix=lambda facts, trial: {"data": "training images of the domain that the test images come from"},
)
