"""What a diagnosis found, as plain types that one stage writes and the next one reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from plateau_cause.causes.factor import RecipeFactor
from plateau_cause.causes.hypothesis import DataFinding
from plateau_cause.config.params import dump
from plateau_cause.diagnosis.diagnose import Diagnosed, reachable_gap, recommended_name, seeds_of
from plateau_cause.diagnosis.finding import Finding
from plateau_cause.diagnosis.ledger import Ledger
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.effect import Effect
from plateau_cause.lab.store import CURVES, Result, hits


def record(
    diagnosed: Diagnosed, targets: np.ndarray, val: np.ndarray, test: np.ndarray, limit: float
) -> dict[str, Any]:
    """Returns everything the summary needs.

    Args:
        diagnosed: the finished diagnosis.
        targets: (N,) labels of the manifest.
        val: manifest rows of the validation images.
        test: manifest rows of the test images.
        limit: `min_effect`, at which probabilities are stated.
    """
    found = diagnosed.investigation
    recommended = diagnosed.recommended
    return {
        "gap": effect_record(found.gap, limit),
        "verdict": found.verdict,
        "path": list(found.path),
        "swaps": [_swap(finding, found.ledger, diagnosed, limit) for finding in found.findings],
        "data": [_hypothesis(finding, diagnosed.runs["recipe"], limit) for finding in diagnosed.data],
        "recommended": {
            "name": recommended_name(diagnosed),
            "before": _accuracy(seeds_of(diagnosed, "recipe"), targets[test]),
            "after": _accuracy(seeds_of(diagnosed, recommended_name(diagnosed)), targets[test]),
            "recipe": recipe_record(recommended.arm),
            "weights": recommended.arm.weights,
            "gain": effect_record(reachable_gap(diagnosed, targets[test]), limit),
        },
        "runs": [_run(name, result, targets, val, test) for name, result in diagnosed.runs.items()],
        "seconds": {name: result.outcome.seconds for name, result in diagnosed.runs.items()},
        "train_loss": diagnosed.evidence.train_loss,
        "num_classes": diagnosed.evidence.num_classes,
        "test_images": len(test),
    }


def effect_record(effect: Effect, limit: float) -> dict[str, Any]:
    """Returns an effect with its interval and the probability that it reaches the limit."""
    interval = [effect.low, effect.high]
    return {"effect": effect.mean, "ci": interval, "probability": effect.probability(limit)}


def recipe_record(arm: Arm) -> dict[str, Any]:
    """Returns the arm's recipe as in params.yaml; the user's file only where its pieces are in force."""
    recipe = dump(arm.recipe)
    return recipe if arm.own else {**recipe, "code": None}


def curves(diagnosed: Diagnosed) -> pd.DataFrame:
    """Returns the learning curves of all runs: arm, epoch and what was measured."""
    rows = [
        {"arm": name, **{key: row[key] for key in CURVES}}
        for name, result in diagnosed.runs.items()
        for row in result.outcome.history
    ]
    return pd.DataFrame(rows, columns=["arm", *CURVES])


def _swap(finding: Finding, ledger: Ledger, diagnosed: Diagnosed, limit: float) -> dict[str, Any]:
    recipe, reference = ledger.recipe[0].arm, ledger.reference[0].arm
    factor, rates = finding.factor, ledger.rates
    sides = {"forward": finding.forward, "backward": finding.backward}
    return {
        "factor": factor.name,
        "cause": factor.reported(recipe, reference, rates),
        "difference": factor.difference(recipe, reference),
        **effect_record(finding.effect, limit),
        **{name: None if side is None else effect_record(side, limit) for name, side in sides.items()},
        "jointly": finding.jointly,
        "only_together": finding.forward is not None and finding.forward.mean < 0 < finding.effect.low,
        "evidence": factor.explain(recipe, reference, diagnosed.evidence) + _directions(finding, ledger),
        "fix": _fix(factor, recipe, ledger),
        "runs": ledger.run_keys(factor.name),
    }


def _directions(finding: Finding, ledger: Ledger) -> list[str]:
    """Returns what each direction showed, and what a difference between them means."""
    said = []
    if finding.forward is not None:
        said.append(f"Fixed in the recipe: {_change(finding.forward)}.")
    if finding.backward is not None:
        said.append(f"Broken in the reference: {_change(_reverse(finding.backward))}.")
    if _is_masked(finding):
        others = ", ".join(name for name in sorted(ledger.everything) if name != finding.factor.name)
        said.append(f"Fixed alone it helps little: it is masked by another difference ({others}).")
    return said


def _is_masked(finding: Finding) -> bool:
    forward, backward = finding.forward, finding.backward
    if forward is None or backward is None:
        return False
    return backward.low > 0 and backward.mean > 2 * max(0.0, forward.mean)


def _change(effect: Effect) -> str:
    return f"test accuracy {effect.mean:+.3f} [{effect.low:+.3f}, {effect.high:+.3f}]"


def _reverse(effect: Effect) -> Effect:
    return Effect(-effect.mean, effect.error, -effect.high, -effect.low)


def _fix(factor: RecipeFactor, recipe: Arm, ledger: Ledger) -> dict[str, Any]:
    fixed = ledger.arm(frozenset({factor.name}))
    if recipe.own & factor.pieces:
        return {"recipe.code": f"in your file: {factor.difference(fixed, recipe)}"}
    return factor.fix(recipe, fixed)


def _hypothesis(finding: DataFinding, recipe: Result, limit: float) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        **effect_record(finding.effect, limit),
        "open": finding.is_open(limit),
        "evidence": finding.evidence,
        "fix": dict(finding.fix),
        "runs": finding.runs,
        "levels": dict(finding.levels),
        "in_recipe": finding.before is not None and finding.before.key == recipe.key,
    }


def _accuracy(results: list[Result], targets: np.ndarray) -> float:
    return float(np.mean([result.correct(targets).mean() for result in results]))


def _run(name: str, result: Result, targets: np.ndarray, val: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    outcome = result.outcome
    kept = outcome.history[outcome.kept_epoch - 1] if outcome.kept_epoch else {}
    return {
        "name": name,
        "train_accuracy": kept.get("train_accuracy"),
        "val_accuracy": float(hits(outcome.val_outputs, targets[val]).mean()),
        "test_accuracy": float(result.correct(targets[test]).mean()),
        "epochs": len(outcome.history),
        "cost_s": outcome.seconds,
    }
