"""A trained arm as the project shows it: settings, figures and predictions, in files and in MLflow alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from plateau_cause.config.params import dump
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.store import Result, hits
from plateau_cause.tracking.read import PREDICTIONS
from plateau_cause.tracking.run import Run
from plateau_cause.training.losses import are_probabilities
from plateau_cause.training.predictor import Predictor

LOST = "(not a number)"  # what a network that diverged sees
OUTSIDE = "(none of the classes)"  # the highest of a network's outputs belongs to no class of the data


def log(run: Run, lab: Laboratory, result: Result) -> None:
    """Logs one trained arm under the same names as any other, so that MLflow can compare them."""
    run.log_params(settings(lab, result))
    run.log_history(result.outcome.history)
    run.log_history([_named(signal) for signal in result.outcome.signals])
    run.log_metrics(metrics(lab, result))
    run.log_text(predictions(lab, result).to_csv(index=False), PREDICTIONS)


def settings(lab: Laboratory, result: Result) -> dict[str, Any]:
    """Returns all in which one arm can differ from another: the recipe, and what it is applied to."""
    arm = result.arm
    part = "" if lab.part_of is None else f" of {len(lab.dataset.indices('train'))} of {lab.part_of}"
    others = {"weights": arm.weights, "images": f"{arm.images}{part}", "seed": arm.seed}
    own = {"own_code": ", ".join(sorted(arm.own))} if arm.own else {}
    return {"recipe": dump(arm.recipe), "backbone": {"name": lab.backbone_name}, **others, **own}


def metrics(lab: Laboratory, result: Result) -> dict[str, float]:
    """Returns the final numbers of one arm, named alike for every arm."""
    targets, outcome = lab.dataset.targets, result.outcome
    kept = outcome.history[outcome.kept_epoch - 1] if outcome.kept_epoch else {}
    return {
        "train_accuracy": float(kept.get("train_accuracy", 0.0)),
        "val_accuracy": float(hits(outcome.val_outputs, targets[lab.dataset.indices("val")]).mean()),
        "test_accuracy": float(result.correct(targets[lab.dataset.indices("test")]).mean()),
        "kept_epoch": float(outcome.kept_epoch),
        **({} if outcome.diverged_step is None else {"diverged_step": float(outcome.diverged_step)}),
    }


def divergence(result: Result) -> str | None:
    """Returns that and where the arm's training diverged, in a sentence, or None where it did not."""
    step, epoch = result.outcome.diverged_step, len(result.outcome.history)
    if step is None:
        return None
    return f"the loss is no number (NaN or infinite) from step {step} on, in epoch {epoch}: training stopped"


def predictions(lab: Laboratory, result: Result) -> pd.DataFrame:
    """Returns one row per test image: image_id, label, predicted label or LOST, and whether it was right."""
    rows = lab.dataset.indices("test")
    test = lab.dataset.manifest.iloc[rows]
    outputs = result.outcome.test_outputs
    lost = ~np.isfinite(outputs).all(1)
    lost_as = np.where(np.isneginf(outputs).all(1), OUTSIDE, LOST)
    named = np.where(lost, lost_as, np.asarray(lab.dataset.classes, object)[outputs.argmax(1)])
    right = result.correct(lab.dataset.targets[rows])
    return pd.DataFrame(
        {
            "image_id": test["image_id"].to_numpy(),
            "label": test["label"].to_numpy(),
            "predicted": named,
            "correct": right,
            "sha256": test["sha256"].to_numpy(),  # by which `plateau compare` sees that an image has changed
        }
    )


def predictor(lab: Laboratory, result: Result) -> Predictor:
    """Returns the arm's trained network as something that reads plain images."""
    softmax = are_probabilities(torch.from_numpy(result.outcome.val_outputs))
    transform = lab.code.transform if "transform" in result.arm.own else None
    preprocessing = result.arm.recipe.preprocessing
    return Predictor(lab.trained(result), preprocessing, lab.dataset.classes, softmax, transform)


def _named(signal: dict[str, float]) -> dict[str, float]:
    block = signal["block"]
    return {
        "epoch": signal["epoch"],
        f"gradient_norm/{block}": signal["gradient_norm"],
        f"update_ratio/{block}": signal["update_ratio"],
    }
