"""What stage finetune leaves: results, curves and predictions on disk, and the same in its MLflow run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from plateau_cause import artifacts
from plateau_cause.config.params import dump
from plateau_cause.diagnosis.record import CURVES
from plateau_cause.lab import store
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.store import Result, hits
from plateau_cause.pipeline.bench import TrainedArm, arm_folder
from plateau_cause.tracking.null_run import NullRun
from plateau_cause.tracking.read import PREDICTIONS
from plateau_cause.training.losses import are_probabilities
from plateau_cause.training.predictor import Predictor

LOST = "(not a number)"  # what a network that diverged sees


def write(root: Path, arm: str, lab: Laboratory, found: TrainedArm, range_test_seconds: float) -> None:
    """Writes data/arms/<arm>, reports/plots/curves_<arm>.csv and reports/finetune_<arm>.json."""
    with artifacts.atomic_folder(arm_folder(root, arm)) as folder:
        for result in found.results:
            store.save(folder, result)
            weights = lab.weights_file(result.key)
            if weights is not None:
                (folder / weights.name).write_bytes(weights.read_bytes())
        artifacts.write_parquet(folder / "predictions.parquet", predictions(lab, found.results[0]))
        keys = [result.key for result in found.results]
        times = {"seconds": found.seconds, "range_test_seconds": range_test_seconds}
        costs = {"candidates": [result.cost for result in found.tried]}
        artifacts.write_json(folder / "arm.json", {"keys": keys, **costs, **times})
    curve = pd.DataFrame(found.results[0].outcome.history, columns=CURVES)
    artifacts.write_csv(root / f"reports/plots/curves_{arm}.csv", curve)
    artifacts.write_json(root / f"reports/finetune_{arm}.json", metrics(lab, found.results[0]))


def track(run: NullRun, lab: Laboratory, found: TrainedArm) -> None:
    """Logs the arm: parameters, curves, signals, data set, and the model, which loads again by URI."""
    first = found.results[0]
    log_result(run, lab, first)
    run.log_dataset(lab.dataset.manifest, "images", lab.dataset.digest)
    for result in found.results[1:]:
        with run.child(
            f"{found.name} seed {result.arm.seed}", {"arm": found.name, "seed": result.arm.seed}
        ) as child:
            log_result(child, lab, result)
    for result in found.tried:
        with run.child(f"candidate ({result.arm.recipe.trainable})", {"arm": "candidate"}) as child:
            log_result(child, lab, result)
    if not first.arm.own & {"model", "transform"}:
        example = lab.dataset.store.image(int(lab.dataset.indices("test")[0]))  # (H, W, 3)
        run.log_model(predictor(lab, first), example[None])


def log_result(run: NullRun, lab: Laboratory, result: Result) -> None:
    """Logs one trained arm under the same names as any other, so that MLflow can compare them."""
    run.log_params(settings(lab, result))
    run.log_history(result.outcome.history)
    run.log_history([_named(signal) for signal in result.outcome.signals])
    run.log_metrics(metrics(lab, result))
    run.log_text(predictions(lab, result).to_csv(index=False), PREDICTIONS)


def settings(lab: Laboratory, result: Result) -> dict[str, Any]:
    """Returns all in which one arm can differ from another: the recipe, and what it is applied to."""
    arm = result.arm
    others = {"weights": arm.weights, "images": arm.images, "seed": arm.seed}
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
    }


def predictions(lab: Laboratory, result: Result) -> pd.DataFrame:
    """Returns one row per test image: image_id, label, predicted label or LOST, and whether it was right."""
    rows = lab.dataset.indices("test")
    test = lab.dataset.manifest.iloc[rows]
    outputs = result.outcome.test_outputs
    lost = ~np.isfinite(outputs).all(1)
    named = np.where(lost, LOST, np.asarray(lab.dataset.classes, object)[outputs.argmax(1)])
    right = result.correct(lab.dataset.targets[rows])
    return pd.DataFrame(
        {
            "image_id": test["image_id"].to_numpy(),
            "label": test["label"].to_numpy(),
            "predicted": named,
            "correct": right,
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
