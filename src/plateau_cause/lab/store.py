"""Finished runs on disk, one folder of content-keyed files each."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import torch

from plateau_cause import artifacts
from plateau_cause.config.recipe import Recipe
from plateau_cause.lab.arm import Arm
from plateau_cause.training.task import Outcome

CURVES = ["epoch", "train_accuracy", "val_accuracy", "train_loss", "val_loss", "learning_rate"]


@dataclass(frozen=True)
class Result:
    """A finished arm.

    Attributes:
        key: content key of arm and context.
        cost: forward passes of the whole network over one image; decides what is still affordable
            (seconds would make two equal runs decide differently).
    """

    key: str
    arm: Arm
    outcome: Outcome
    cost: float

    def correct(self, targets: np.ndarray) -> np.ndarray:
        """Returns (n_test,) booleans: the kept epoch's hit on each test image."""
        return hits(self.outcome.test_outputs, targets)


def hits(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns (n,) booleans: highest output is the target; a row that is not a number is a miss."""
    right: np.ndarray = (outputs.argmax(1) == targets) & np.isfinite(outputs).all(1)
    return right


def rows_digest(rows: np.ndarray) -> str:
    """Returns a digest of which training rows are used, in which order."""
    return hashlib.sha256(np.ascontiguousarray(rows, np.int64).tobytes()).hexdigest()[:16]


def checkpoint(folder: Path | None, key: str) -> Path | None:
    """Returns where an unfinished run keeps its state."""
    return None if folder is None else folder / f"{key}.checkpoint.pt"


def save(folder: Path | None, result: Result) -> None:
    """Writes a finished run; the JSON goes last and marks it complete."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    outcome = result.outcome
    artifacts.write_arrays(folder / f"{result.key}.npz", **_arrays(outcome))
    artifacts.write_json(folder / f"{result.key}.json", _plain(result))


def weights_path(folder: Path, key: str) -> Path:
    """Returns where a run's trained weights lie, if they were kept."""
    return folder / f"{key}.weights.pt"


def save_weights(folder: Path | None, key: str, model: torch.nn.Module) -> None:
    """Writes a trained network's state dict atomically."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with artifacts.atomic_path(weights_path(folder, key)) as path:
        torch.save(model.state_dict(), path)


def load(folder: Path | None, key: str) -> Result | None:
    """Returns a finished run, or None."""
    if folder is None or not (folder / f"{key}.json").exists():
        return None
    saved = artifacts.read_json(folder / f"{key}.json")
    arrays = artifacts.read_arrays(folder / f"{key}.npz")
    arm = saved["arm"]
    arm = Arm(**{**arm, "recipe": _rebuild(Recipe, arm["recipe"]), "own": frozenset(arm["own"])})
    values = {
        **saved["outcome"],
        **{name: _numbers(saved["outcome"][name]) for name in ("history", "signals")},
    }
    outcome = Outcome(**values, val_outputs=arrays["val_outputs"], test_outputs=arrays["test_outputs"])
    return Result(key=key, arm=arm, outcome=outcome, cost=saved["cost"])


def _numbers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the rows with NaN where JSON, which has none, says null: a loss that diverged."""
    return [{key: math.nan if value is None else value for key, value in row.items()} for row in rows]


def remember(folder: Path | None, key: str, values: dict[str, float]) -> None:
    """Writes a few measured numbers under a content key."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        artifacts.write_json(folder / f"{key}.numbers.json", values)


def recall(folders: Sequence[Path], key: str) -> dict[str, float] | None:
    """Returns the numbers under a content key, or None."""
    path = next((path for folder in folders if (path := folder / f"{key}.numbers.json").exists()), None)
    return None if path is None else artifacts.read_json(path)


def _arrays(outcome: Outcome) -> dict[str, np.ndarray]:
    return {"val_outputs": outcome.val_outputs, "test_outputs": outcome.test_outputs}


def _plain(result: Result) -> dict[str, Any]:
    outcome = result.outcome
    kept = ("history", "signals", "kept_epoch", "seconds", "diverged_step")
    return {
        "arm": {**asdict(result.arm), "own": sorted(result.arm.own)},
        "outcome": {name: getattr(outcome, name) for name in kept},
        "cost": result.cost,
    }


def _rebuild(kind: type, values: dict[str, Any]) -> Any:
    """Returns a recipe section as it was saved, unchecked: an arm may hold what params.yaml cannot say."""
    hints = get_type_hints(kind)
    return kind(**{name: _rebuild_value(hints[name], value) for name, value in values.items()})


def _rebuild_value(hint: Any, value: Any) -> Any:
    if is_dataclass(hint):
        return _rebuild(hint, value)  # type: ignore[arg-type]
    return tuple(value) if isinstance(value, list) else value
