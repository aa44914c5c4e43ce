"""Classes of very different size, and how the sampler deals with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plateau.attribution import effect
from plateau.causes.factor import Evidence, RecipeFactor
from plateau.causes.hypothesis import Bench, DataFacts, DataFinding, DataHypothesis, pair
from plateau.training import store
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
STRENGTHS = (0.5, 1.0)  # of the correction: 1 is exact for outputs that are well calibrated log-probabilities


def _data_suspicion(facts: DataFacts) -> float:
    already = facts.best.arm.recipe.sampler == "balanced"
    return 0.5 * facts.headroom if facts.imbalance >= IMBALANCED and not already else 0.0


def _data_test(bench: Bench, facts: DataFacts) -> DataFinding | None:
    """Corrects the outputs for the classes' shares, for free; else trains with a balanced sampler."""
    strength = _strength(facts)
    if strength is not None:
        return _corrected(facts, strength)
    name = "best + balanced sampler"
    arm = facts.best.arm
    balanced = bench.run(replace(arm, recipe=replace(arm.recipe, sampler="balanced")), name)
    seen = pair(facts.best, balanced, facts)
    return DataFinding(
        cause="class_imbalance",
        effect=effect([seen]),
        pairs=(seen,),
        evidence=[
            f"{_sizes(facts)}; with every class drawn equally often the same recipe was trained again."
        ],
        fix={"recipe.sampler": "balanced"},
        runs=[name],
    )


def _strength(facts: DataFacts) -> float | None:
    """Returns the correction that gains most on validation images; None where none gains enough."""
    outputs, labels = facts.best.outcome.val_outputs, facts.targets[facts.val]

    def gained(strength: float) -> float:
        before, after = (store.hits(corrected(outputs, shares(facts), s), labels) for s in (0.0, strength))
        return float(after.mean() - before.mean())

    best = max(STRENGTHS, key=gained)
    return best if gained(best) >= facts.min_effect else None


def _corrected(facts: DataFacts, strength: float) -> DataFinding:
    outputs, labels = facts.best.outcome.test_outputs, facts.targets[facts.test]
    before, after = (store.hits(corrected(outputs, shares(facts), s), labels) for s in (0.0, strength))
    formula = f"{strength:g} · log(share of the class in the training images)"
    return DataFinding(
        cause="class_imbalance",
        effect=effect([(before, after)]),
        evidence=[
            f"{_sizes(facts)}; {formula} subtracted from the outputs of the best run takes test accuracy "
            f"from {before.mean():.3f} to {after.mean():.3f} (the strength chosen on validation images)."
        ],
        fix={"data": f"more images of the small classes; until then subtract {formula} from the outputs"},
        runs=[],
    )


def corrected(outputs: np.ndarray, share: np.ndarray, strength: float) -> np.ndarray:
    """Returns outputs (n, C) without the classes' shares (C,) of the training images (Menon et al. 2021)."""
    return np.asarray(outputs - strength * np.log(share))


def shares(facts: DataFacts) -> np.ndarray:
    """Returns the classes' shares (C,) of the training images; one without any counts as half an image."""
    counts = np.bincount(facts.targets[facts.train], minlength=len(facts.classes))
    return np.asarray(np.maximum(counts, 0.5) / len(facts.train))


def _sizes(facts: DataFacts) -> str:
    return f"The largest class has {facts.imbalance:.1f} times the training images of the smallest"


HYPOTHESIS = DataHypothesis(name="class_imbalance", suspicion=_data_suspicion, cost=1.0, test=_data_test)
