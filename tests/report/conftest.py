"""Hand-written summaries, and the rest of a report's content around them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plateau_cause.report import changes
from plateau_cause.report.content import Example, ReportContent
from plateau_cause.report.picture import Picture
from plateau_cause.report.plots import pictures

SUMMARIES = Path(__file__).parent / "summaries"
KINDS = sorted(path.stem for path in SUMMARIES.glob("*.json"))


@pytest.fixture
def load() -> Callable[[str], dict[str, Any]]:
    """Returns a hand-written summary by name."""
    return load_summary


@pytest.fixture
def make() -> Callable[..., ReportContent]:
    """Returns the content of a report around a hand-written summary."""
    return make_content


@pytest.fixture(params=KINDS)
def content(request: pytest.FixtureRequest) -> ReportContent:
    """Returns the content of every kind of report in turn."""
    return make_content(request.param)


@pytest.fixture(scope="session")
def drawn_once() -> Callable[[ReportContent], list[Picture]]:
    """Returns the pictures of an unchanged kind of report, drawn once for all tests."""
    drawn: dict[str, list[Picture]] = {}

    def of(content: ReportContent) -> list[Picture]:
        headline = content.summary["headline"]
        if headline not in drawn:
            drawn[headline] = pictures(content)
        return drawn[headline]

    return of


def load_summary(kind: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((SUMMARIES / f"{kind}.json").read_text(encoding="utf-8"))
    return summary


def make_content(kind: str, labels: tuple[str, ...] = tuple("0123456789"), n: int = 60) -> ReportContent:
    summary = load_summary(kind)
    full = summary["levels"]["reference"] is not None
    return ReportContent(
        summary=summary,
        title="digits · tf_efficientnet_lite0",
        curves=_curves(summary),
        runs=_runs(summary),
        differences=_differences(summary) if full else (),
        dataset={
            "images": 1797,
            "classes": list(labels),
            "per split": {"train": 1077, "val": 360, "test": 360},
            "unreadable": 0,
            "digest": "9b1c44e0",
        },
        profile=_profile() if full else {},
        projection=_projection(labels, n) if full else None,
        trustworthiness=0.93 if full else None,
        learning_curve=_learning_curve() if full else None,
        **(_training(labels, "reference" if summary["causes"] else "recipe") if full else {}),
    )


def _arms(summary: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Returns train and test accuracy at the end, per arm."""
    state, reference = summary["plateau"], summary["levels"]["reference"]
    arms = {"recipe": (state["train_accuracy"], state["test_accuracy"])}
    if reference is None:
        return arms
    arms["reference"] = (min(1.0, reference + 0.02), reference)
    for entry in [*summary["causes"], *summary["harmless"]]:
        name, gain = entry.get("cause", entry.get("factor")), entry["effect"] or 0.0
        arms[f"recipe + {name}"] = (min(1.0, state["train_accuracy"] + gain), state["test_accuracy"] + gain)
        arms[f"reference - {name}"] = (min(1.0, reference - gain), reference - gain)
    return arms


def _curves(summary: dict[str, Any], epochs: int = 6) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    rise = 1 - 0.8 * np.exp(-1.1 * epoch)
    return pd.concat(
        pd.DataFrame(
            {
                "arm": arm, "epoch": epoch, "train_accuracy": train * rise,
                "val_accuracy": 0.99 * test * rise,
                "train_loss": 2.3 - 2 * rise, "val_loss": 2.3 - 1.9 * rise, "learning_rate": 1e-3,
            }
        )
        for arm, (train, test) in _arms(summary).items()
    )  # fmt: skip


def _runs(summary: dict[str, Any]) -> list[dict[str, Any]]:
    known = {f"recipe + {c['cause']}": c["runs"] for c in summary["causes"]}
    return [
        {
            "name": arm, "run_id": known.get(arm, [f"{i:06x}"])[0], "test_accuracy": test,
            "train_accuracy": train, "cost_s": 3.0 + i,
            "url": None if i % 3 == 2 else f"http://127.0.0.1:5000/#/experiments/1/runs/{i:06x}",
        }
        for i, (arm, (train, test)) in enumerate(_arms(summary).items())
    ]  # fmt: skip


def _differences(summary: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [{"factor": c["cause"], "recipe": "head", "reference": "all"} for c in summary["causes"]]
    return rows + [
        {"factor": e["factor"], "recipe": "null", "reference": "canonical"} for e in summary["harmless"]
    ]


def _profile() -> dict[str, list[dict[str, Any]]]:
    depths = ["stem"] + ["early"] * 12 + ["mid"] * 18 + ["late"] * 18
    return {
        view: [
            {"layer": f"blocks.{i}.bn1", "depth": depth, "kl": scale * (1 + i / 6), "z": 0.5, "rho": 0.1}
            for i, depth in enumerate(depths)
        ]
        for view, scale in (("recipe", 4.0), ("canonical", 1.5), ("random", 9.0))
    }


def _projection(labels: tuple[str, ...], n: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = []
    for shift, view in enumerate(("recipe", "canonical", "random")):
        for i, label in enumerate(labels):
            angle = 2 * np.pi * i / len(labels)
            x, y = random.normal(size=(2, n)) * 0.9 + 6 * np.array([[np.cos(angle)], [np.sin(angle)]])
            rows.append(
                pd.DataFrame(
                    {"x": x + 3 * shift, "y": y + shift, "label": label, "split": "train", "view": view}
                )
            )
    return pd.concat(rows, ignore_index=True)


def _training(labels: tuple[str, ...], fix: str) -> dict[str, Any]:
    predictions = make_predictions(labels, 0.9 if fix == "reference" else None)
    return {
        "fix": fix,
        "signals": {"recipe": make_signals(2, frozen=7), "reference": make_signals(9, frozen=0)},
        "predictions": predictions,
        "changed": make_examples(predictions),
        "landscape": make_landscape(),
        "tuned": pd.DataFrame(
            {"n": [540, 1077, 2154], "accuracy": [0.8, 0.9, 0.95], "measured": [True, True, False]}
        ),
    }


def make_predictions(labels: tuple[str, ...], after: float | None = 0.9, n: int = 300) -> pd.DataFrame:
    """Returns what a recipe that is right 6 times in 10 sees, and what its fix does (None: the same)."""
    random = np.random.default_rng(0)
    label = random.choice(labels, n)
    seen = [
        np.where(random.random(n) < right, label, random.choice(labels, n)) for right in (0.6, after or 0)
    ]
    ids = [f"image-{i:03d}" for i in range(n)]
    columns = {"image_id": ids, "label": label, "before": seen[0], "after": seen[0 if after is None else 1]}
    return pd.DataFrame(columns)


def make_examples(predictions: pd.DataFrame) -> list[Example]:
    """Returns an example for each chosen image, upright and wide ones in turn."""
    random = np.random.default_rng(0)
    rows = [row for part in changes.split(predictions) for row in changes.choose(part).itertuples()]
    images = [random.integers(0, 256, (20, 12 + 16 * (i % 2), 3), dtype=np.uint8) for i in range(len(rows))]
    return [Example(i, row.label, row.before, row.after) for i, row in zip(images, rows, strict=True)]


def make_signals(epochs: int, frozen: int, blocks: int = 8) -> pd.DataFrame:
    """Returns signals of a network whose first blocks are frozen."""
    names = ["stem", *(f"block{i}" for i in range(1, blocks - 1)), "head"]
    return pd.DataFrame(
        {
            "epoch": epoch, "block": name, "gradient_norm": (place >= frozen) * 2.0**place / epoch,
            "update_ratio": (place >= frozen) * 1e-4 * (place + 1) / epoch,
        }
        for epoch in range(1, epochs + 1) for place, name in enumerate(names)
    )  # fmt: skip


def make_landscape() -> dict[str, np.ndarray]:
    """Returns a line that falls over a ridge, and two bowls."""
    at, steps = np.linspace(0, 1, 11), np.linspace(-0.3, 0.3, 7)
    loss = 1.5 - 1.4 * at + 2 * at * (1 - at)
    bowl = steps[:, None] ** 2 + steps[None] ** 2
    return {
        "line_at": at, "line_loss": np.stack([loss, loss + 0.2]), "line_accuracy": np.stack([at, at / 2]),
        "line_mixes_inputs": np.array(True), "plane_steps": steps,
        "plane_recipe": 1.5 + bowl, "plane_reference": 0.1 + 20 * bowl,
        "blocks_recipe": np.array([1, 8]), "blocks_reference": np.array([8, 8]),
    }  # fmt: skip


def _learning_curve() -> pd.DataFrame:
    n = np.array([67, 135, 270, 538, 1077, 2154, 4308])
    accuracy = 1 - 1.6 * n**-0.35
    return pd.DataFrame(
        {
            "n": n,
            "accuracy": np.where(n <= 1077, accuracy, np.nan),
            "fit_low": accuracy - 0.01,
            "fit_high": accuracy + n / 2e5,
        }
    )
