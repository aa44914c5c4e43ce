"""Other tools on the same cases: rules over the recipe's run, cleanlab on its features, an LR finder.

Their symptoms are judged generously: one of the causes that a symptom may mean is enough (see rules.py).
Rules cost what watching costs, nothing here; cleanlab and the LR finder cost what they ran.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.diagnosis import diagnose, rules
from benchmarks.diagnosis.rules import Observed, Symptom
from benchmarks.diagnosis.score import Judged
from plateau_cause.features.views import load_views
from plateau_cause.lab import build, range_test, store
from plateau_cause.lab.store import Result
from plateau_cause.pipeline import paths
from plateau_cause.pipeline.bench import open_laboratory
from plateau_cause.training import model

NOISE_SHARE = 0.05  # cleanlab lists some issues in every data set; from here on it counts as an accusation
RATE_DECADE = 10.0  # the LR finder's suggestion against the recipe's rate: a decade apart is an accusation
BATCH = 32


@dataclass(frozen=True)
class Opinion:
    """What a peer said about one case, and its cost as a multiple of the user's run, that run included."""

    symptoms: list[Symptom]
    cost: float


def judge_all(results: Sequence[Judged], work: Path) -> dict[str, dict[str, float]]:
    """Returns the scores of every peer, and ours in their terms, over the same cases."""
    opinions: dict[str, list[Opinion]] = {}
    for judged in results:
        for name, opinion in consult(judged, work).items():
            opinions.setdefault(name, []).append(opinion)
    ours = [_own(judged) for judged in results]
    return {name: scores(results, said) for name, said in {"plateau": ours, **opinions}.items()}


def consult(judged: Judged, work: Path) -> dict[str, Opinion]:
    """Returns every peer's opinion about a case that was diagnosed."""
    params = diagnose.parameters(judged.case, work)
    folder = work / "cases" / judged.case.name.replace("/", "--")
    lab, _ = open_laboratory(params, folder)
    result = store.load(diagnose.runs_folder(work), judged.answer["recipe_key"])
    assert result is not None, f"{judged.case.name}: the recipe's run is gone; run the case again"
    seen = observe(lab, result)
    opinions = {name: Opinion(rule(seen), 1.0) for name, rule in rules.RULES.items()}
    seconds = max(result.outcome.seconds, 1e-9)
    for name, ask in {
        "cleanlab": lambda: cleanlab(lab, folder),
        "LR finder": lambda: lr_finder(lab, result),
    }.items():
        started = time.perf_counter()
        opinions[name] = Opinion(ask(), 1.0)
        opinions[name] = Opinion(opinions[name].symptoms, 1.0 + (time.perf_counter() - started) / seconds)
    return opinions


def scores(results: Sequence[Judged], opinions: Sequence[Opinion]) -> dict[str, float]:
    """Returns top-1, any hit, cases without a fault that are accused, and the median cost."""
    pairs = list(zip(results, opinions, strict=True))
    faulty = [(judged, said.symptoms) for judged, said in pairs if judged.truth.causes]
    right = [
        [bool(_accepted(judged) & symptom.causes) for symptom in symptoms] for judged, symptoms in faulty
    ]
    wrong = [_is_accused(judged, said) for judged, said in pairs if not judged.truth.causes]
    return {
        "top1": float(np.mean([hits[:1] == [True] for hits in right])) if right else math.nan,
        "any_hit": float(np.mean([any(hits) for hits in right])) if right else math.nan,
        "false_accusations": float(sum(wrong)),
        "cost": float(np.median([said.cost for said in opinions])) if opinions else math.nan,
    }


def observe(lab: Any, result: Result) -> Observed:
    """Returns what the tools can see of the recipe's run."""
    outcome, arm = result.outcome, result.arm
    curves = {
        key: np.asarray([row[key] for row in outcome.history], float)
        for key in ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
    }
    rows = lab.dataset.indices("train")
    batch = build.inputs(lab, arm).evaluation(torch.from_numpy(rows[:: max(1, len(rows) // BATCH)]))
    sizes = {name: sum(p.numel() for p in group) for name, group in model.blocks(build.network(lab, arm))}
    norms, updates = _signals(outcome.signals, list(sizes), len(outcome.history))
    return Observed(
        **curves,
        learning_rate=arm.recipe.optimizer.learning_rate,
        dropout=arm.recipe.head.dropout,
        activation=arm.recipe.head.activation,
        loss_name=arm.recipe.loss.name,
        input_low=float(batch.min()),
        input_high=float(batch.max()),
        input_mean=float(batch.mean()),
        input_size=(int(batch.shape[-2]), int(batch.shape[-1])),
        gradients=norms / np.sqrt([max(1, size) for size in sizes.values()]),  # mean |g| <= |g| / sqrt(n)
        gradient_norms=norms,
        updates=updates,
        outputs=outcome.val_outputs,
        targets=lab.dataset.targets[lab.dataset.indices("val")],
        class_counts=np.bincount(lab.dataset.targets[rows], minlength=lab.num_classes),
    )


def cleanlab(lab: Any, folder: Path) -> list[Symptom]:
    """Returns label noise where confident learning on the recipe's features flags enough training labels."""
    from cleanlab.filter import find_label_issues
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = lab.dataset.indices("train")
    features = load_views(folder / paths.FEATURES)[0]["recipe"].features[rows]
    labels, counts = np.unique(lab.dataset.targets[rows], return_inverse=True)
    folds = int(min(5, np.bincount(counts).min()))
    if folds < 2 or len(labels) < 2:
        return []
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    probabilities = cross_val_predict(classifier, features, counts, cv=folds, method="predict_proba")
    share = float(np.mean(find_label_issues(counts, probabilities, n_jobs=1)))
    return [Symptom(f"{share:.0%} label issues", frozenset({"label_noise"}))] if share >= NOISE_SHARE else []


def lr_finder(lab: Any, result: Result) -> list[Symptom]:
    """Returns a rate too low or too high against the steepest descent of a range test."""
    task = build.task(lab, result.arm)
    if task.optimizer is None or type(task.optimizer).__name__.lower() not in range_test.RATES:
        return []
    if not any(p.requires_grad for p in task.model.parameters()):
        return []
    rates, losses = range_test.sweep(task)
    if len(losses) < 2 or not np.isfinite(losses).all():
        return []
    suggestion = float(rates[int(np.gradient(losses).argmin())])
    ratio = result.arm.recipe.optimizer.learning_rate / suggestion
    if 1 / RATE_DECADE <= ratio <= RATE_DECADE:
        return []
    cause = "learning_rate_low" if ratio < 1 else "learning_rate_high"
    return [Symptom(f"suggests {suggestion:.1e}", frozenset({cause}))]


def _signals(
    signals: Sequence[Mapping[str, Any]], blocks: list[str], epochs: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns gradient norms and update ratios (epochs, blocks); zero where nothing was recorded."""
    norms, updates = np.zeros((2, max(1, epochs), len(blocks)))
    for signal in signals:
        at = int(signal["epoch"]) - 1, blocks.index(signal["block"])
        norms[at], updates[at] = signal["gradient_norm"], signal["update_ratio"]
    return norms, updates


def _own(judged: Judged) -> Opinion:
    cost = judged.answer["summary"]["cost"]
    spent = cost["recipe_seconds"] + cost["diagnosis_seconds"]
    symptoms = [Symptom(name, frozenset({name})) for name in judged.named]
    return Opinion(symptoms, spent / max(cost["recipe_seconds"], 1e-9))


def _accepted(judged: Judged) -> frozenset[str]:
    return judged.truth.causes | judged.truth.tolerated


def _is_accused(judged: Judged, said: Opinion) -> bool:
    return any(not symptom.causes & judged.truth.tolerated for symptom in said.symptoms)
