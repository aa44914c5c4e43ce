"""Pretrained features that do not fit the domain: the same recipe from random weights does better."""

from __future__ import annotations

from dataclasses import replace

from plateau_cause.causes.trial import DataCause, DataFacts, Trial
from plateau_cause.causes.words import Words
from plateau_cause.config.recipe import put
from plateau_cause.lab.belief import Belief
from plateau_cause.numbers import percent


def _prior(facts: DataFacts) -> float:
    is_pretrained = facts.best.arm.weights != "none" and not facts.best.arm.own
    ahead = facts.probe_random - facts.probe
    is_asked = is_pretrained and ahead >= facts.min_effect and facts.headroom >= facts.min_effect
    return min(0.8, 0.3 + 3 * ahead) if is_asked else 0.0


def _trial(facts: DataFacts) -> Trial | None:
    # Random weights with frozen statistics would lose for a reason of their own.
    recipe = put(facts.best.arm.recipe, {"batch_norm": "train"})
    arm = replace(facts.best.arm, weights="none", recipe=recipe)
    return Trial(base=facts.best, base_name="best", name="best from random weights", arms=(arm,))


def _explain(facts: DataFacts, trial: Trial, measured: Belief) -> list[str]:
    return [
        f"A linear probe reaches {percent(facts.probe)} on the pretrained features and "
        f"{percent(facts.probe_random)} on those of an untrained network (validation images): what the "
        "backbone learned does not describe these images."
    ]


WORDS = Words(
    title="The backbone knows a different kind of image",
    repair="Adapt the features",
    explanation=(
        "The pretrained features were made for images unlike these. They need to be adapted in depth, "
        "or another backbone is needed."
    ),
)
DATA_CAUSE = DataCause(
    name="feature_misalignment",
    words=WORDS,
    prior=_prior,
    trial=_trial,
    explain=_explain,
    fix=lambda facts, trial: {
        "backbone.weights": "none, or a backbone pretrained closer to this domain",
        "recipe.batch_norm": "train",
    },
)
