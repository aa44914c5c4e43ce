"""Pretrained features that do not fit the domain: the same recipe from random weights does better."""

from __future__ import annotations

from dataclasses import replace

from plateau_cause.causes.hypothesis import Bench, DataFacts, DataFinding, DataHypothesis, pair
from plateau_cause.config.recipe import put
from plateau_cause.lab.effect import effect


def _suspicion(facts: DataFacts) -> float:
    is_pretrained = facts.best.arm.weights != "none" and not facts.best.arm.own
    worse_than_random = facts.probe_random - facts.probe
    return worse_than_random if is_pretrained and facts.headroom >= facts.min_effect else 0.0


def _test(bench: Bench, facts: DataFacts) -> DataFinding | None:
    name = "best from random weights"
    # Random weights with frozen statistics would lose for a reason of their own.
    recipe = put(facts.best.arm.recipe, {"batch_norm": "train"})
    scratch = bench.run(replace(facts.best.arm, weights="none", recipe=recipe), name)
    seen = pair(facts.best, scratch, facts)
    return DataFinding(
        cause="feature_misalignment",
        effect=effect([seen]),
        pairs=(seen,),
        evidence=[
            f"A linear probe reaches {facts.probe:.3f} on the pretrained features and "
            f"{facts.probe_random:.3f} on those "
            "of an untrained network: what the backbone learned does not describe these images."
        ],
        fix={
            "backbone.weights": "none, or a backbone pretrained closer to this domain",
            "recipe.batch_norm": "train",
        },
        runs=[name],
    )


HYPOTHESIS = DataHypothesis(name="feature_misalignment", suspicion=_suspicion, test=_test)
