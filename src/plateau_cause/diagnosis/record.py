"""What a diagnosis found, as plain types that one stage writes and the next one reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from plateau_cause.config.params import dump
from plateau_cause.config.recipe import get
from plateau_cause.diagnosis import repair
from plateau_cause.diagnosis.alarms import balanced_accuracy
from plateau_cause.diagnosis.diagnose import Diagnosed
from plateau_cause.diagnosis.finding_record import belief_record, finding_record
from plateau_cause.diagnosis.questions import DataQuestion
from plateau_cause.diagnosis.verdict import HARMLESS, UNDECIDED, Verdict
from plateau_cause.lab.arm import OWN_PIECES, Arm
from plateau_cause.lab.effect import effect
from plateau_cause.lab.store import CURVES, Result, hits

# Pieces of a user's file -> the key of the recipe that declares the same
DECLARED = {
    "augmentation": "augmentation", "trainable": "trainable", "activation": "head.activation",
    "dropout": "head.dropout", "parameters": "optimizer.parameters",
    "learning_rate": "optimizer.learning_rate", "weight_decay": "optimizer.weight_decay",
}  # fmt: skip


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
    verdict = diagnosed.verdict
    return {
        "gap": belief_record(verdict.gap, limit),
        "verdict": verdict.verdict,
        "findings": [finding_record(finding, diagnosed, limit) for finding in verdict.findings],
        "data": [_suspicion(asked, found, limit) for asked, found in diagnosed.data],
        "recommended": _recommended(diagnosed, targets, test),
        "runs": [run_record(name, result, targets, val, test) for name, result in diagnosed.runs.items()],
        "seconds": {name: result.outcome.seconds for name, result in diagnosed.runs.items()},
        "train_loss": diagnosed.evidence.train_loss,
        "num_classes": diagnosed.evidence.num_classes,
        "test_images": len(test),
        "seeds": len(diagnosed.seeds),
    }


def recipe_record(arm: Arm, code: str | None) -> dict[str, Any]:
    """Returns the arm's recipe as in params.yaml; the user's file, `code`, where its pieces are in force."""
    return {**dump(arm.recipe), "code": code if arm.own else None}


def left_out(arm: Arm, given: Arm) -> list[str]:
    """Returns the functions of the user's file of which an arm keeps nothing, `given` being the recipe's."""
    known = {name: set(pieces) & given.own for name, pieces in OWN_PIECES.items()}
    return [name for name, pieces in known.items() if pieces and not pieces & arm.own] if arm.own else []


def in_file(arm: Arm, given: Arm) -> list[dict[str, Any]]:
    """Returns what an arm changes within functions of the user's file that it keeps: params.yaml cannot.

    Each as `{"function": …, "what": …, "value": …}`; `what` is a key of the recipe where there is one.
    """
    changed = given.own - arm.own
    kept = {name: pieces for name, pieces in OWN_PIECES.items() if set(pieces) & arm.own}
    return [
        {"function": name, "what": DECLARED.get(piece, piece), "value": _in_place(piece, arm)}
        for name, pieces in kept.items() for piece in pieces if piece in changed
    ]  # fmt: skip


def _in_place(piece: str, arm: Arm) -> Any:
    """Returns what an arm has in place of a piece of the user's file."""
    others = {"evaluation": "as in training", "clearing": "before each step", "weights": arm.weights}
    return get(arm.recipe, DECLARED[piece]) if piece in DECLARED else others.get(piece, "as declared")


def curves(runs: Mapping[str, Result]) -> pd.DataFrame:
    """Returns the learning curves of runs by name: arm, epoch and what was measured."""
    rows = [
        {"arm": name, **{key: row[key] for key in CURVES}}
        for name, result in runs.items()
        for row in result.outcome.history
    ]
    return pd.DataFrame(rows, columns=["arm", *CURVES])


def _suspicion(asked: DataQuestion, verdict: Verdict, limit: float) -> dict[str, Any]:
    finding, cause, facts, trial = verdict.findings[0], asked.cause, asked.facts, asked.trial
    reported = trial.carried(finding.need)
    standing = finding.standing
    if standing == HARMLESS and trial.is_partial:
        standing = UNDECIDED
    return {
        "factor": cause.name,
        "cause": cause.name,
        "kind": cause.kind,
        "standing": standing,
        "difference": cause.words.title,
        **belief_record(reported, limit),
        "evidence": cause.explain(facts, trial, finding.need),
        "fix": dict(cause.fix(facts, trial)),
        "runs": [trial.name] if trial.arms else [],
        "subsets": {name: len(rows) for name, rows in trial.subsets.items()},
        "levels": dict(cause.levels(facts, trial, reported)),
        "extrapolated": not trial.repairs,
        **repair.words(cause.words),
    }


def _recommended(diagnosed: Diagnosed, targets: np.ndarray, test: np.ndarray) -> dict[str, Any]:
    """Returns the recommended recipe, and what it reaches beyond the user's, on the same test images."""
    best, labels, given = diagnosed.recommended, targets[test], diagnosed.runs["recipe"].arm
    name = next(name for name, result in diagnosed.runs.items() if result.key == best.key)
    before, after = _seeds(diagnosed, diagnosed.runs["recipe"]), _seeds(diagnosed, best)
    sides = [np.mean([result.correct(labels) for result in side], axis=0) for side in (before, after)]
    gain = effect([(sides[0], sides[1])])
    return {
        "name": name,
        "before": float(sides[0].mean()),
        "after": float(sides[1].mean()),
        "recipe": recipe_record(best.arm, given.recipe.code),
        "left_out": left_out(best.arm, given),
        "in_file": in_file(best.arm, given),
        "weights": best.arm.weights,
        "gain": {"effect": gain.mean, "ci": [gain.low, gain.high]},
    }


def _seeds(diagnosed: Diagnosed, first: Result) -> list[Result]:
    """Returns a run under every seed of `diagnosis.seeds`."""
    found = next(
        (results for results in diagnosed.question.results.values() if results[0].key == first.key), [first]
    )
    return [result for result in found if result.arm.seed in diagnosed.seeds]


def run_record(
    name: str, result: Result, targets: np.ndarray, val: np.ndarray, test: np.ndarray
) -> dict[str, Any]:
    """Returns what a run reached; the arguments as in `record`."""
    outcome = result.outcome
    kept = outcome.history[outcome.kept_epoch - 1] if outcome.kept_epoch else {}
    return {
        "name": name,
        "train_accuracy": kept.get("train_accuracy"),
        "val_accuracy": float(hits(outcome.val_outputs, targets[val]).mean()),
        "test_accuracy": float(result.correct(targets[test]).mean()),
        "class_mean": balanced_accuracy(outcome.test_outputs.argmax(1), targets[test]),
        "diverged_step": outcome.diverged_step,
        "epochs": len(outcome.history),
        "cost_s": outcome.seconds,
    }
