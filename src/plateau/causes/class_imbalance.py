"""Classes of very different size, and how the sampler deals with them."""

from __future__ import annotations

from dataclasses import replace

from plateau.attribution import effect
from plateau.causes.factor import Evidence, RecipeFactor
from plateau.causes.hypothesis import Bench, DataFacts, DataFinding, DataHypothesis, pair
from plateau.training.arm import Arm


def _suspicion(arm: Arm, other: Arm, evidence: Evidence) -> float:
    return evidence.gap * (0.5 if evidence.imbalance >= 3 else 0.02)


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The largest class has {evidence.imbalance:.1f} times the training images of the smallest; sampler "
        f"{arm.recipe.sampler} was exchanged for {other.recipe.sampler}."
    ]


FACTOR = RecipeFactor(name="class_imbalance", keys=("sampler",), suspicion=_suspicion, explain=_explain)


IMBALANCED = 3.0  # largest over smallest class from which sampling is worth a run


def _data_suspicion(facts: DataFacts) -> float:
    already = facts.best.arm.recipe.sampler == "balanced"
    return 0.5 * facts.headroom if facts.imbalance >= IMBALANCED and not already else 0.0


def _data_test(bench: Bench, facts: DataFacts) -> DataFinding | None:
    name = "best + balanced sampler"
    arm = facts.best.arm
    balanced = bench.run(replace(arm, recipe=replace(arm.recipe, sampler="balanced")), name)
    return DataFinding(
        cause="class_imbalance",
        effect=effect([pair(facts.best, balanced, facts)]),
        evidence=[
            f"The largest class has {facts.imbalance:.1f} times the training images of the smallest; with "
            "every class "
            "drawn equally often the same recipe was trained again."
        ],
        fix={"recipe.sampler": "balanced"},
        runs=[name],
    )


HYPOTHESIS = DataHypothesis(name="class_imbalance", suspicion=_data_suspicion, cost=1.0, test=_data_test)
