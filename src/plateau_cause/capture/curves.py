"""The epochs of a replay as the rows of a learning curve."""

from __future__ import annotations

from typing import Any


def curve(epochs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns one row per trained epoch: epoch, learning_rate, and train_ and val_ accuracy and loss.

    Args:
        epochs: of replay.json; `val` is the last evaluation of an epoch.
    """
    return [_row(epoch) for epoch in epochs if (epoch["training"] or {}).get("accuracy") is not None]


def _row(epoch: dict[str, Any]) -> dict[str, Any]:
    last = epoch["evaluations"][-1] if epoch["evaluations"] else {}
    row = {"epoch": epoch["epoch"], "learning_rate": (epoch["rates"] or [None])[0]}
    for split, measured in (("train", epoch["training"]), ("val", last)):
        row |= {f"{split}_{key}": measured.get(key) for key in ("accuracy", "loss")}
    return row
