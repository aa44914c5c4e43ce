"""The record of a watched run in words, and as the rows of curves."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.rules.every import stands_still
from plateau_cause.capture.rules.observation import at


def render(record: dict[str, Any]) -> str:
    """Returns the epochs of a watched run as a table, what moved, and how the script ended."""
    names = _names(record)
    head = ["epoch", "training", *names, "rate"]
    lines = [[str(row["epoch"]), *_cells(row, names)] for row in record["epochs"]]
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    table = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
             for line in [head, *lines]]  # fmt: skip
    return "\n".join(["Accuracy of each epoch, in %", "", *table, "", *_moved(record), *_ending(record)])


def curves(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns one row per epoch: epoch, train_accuracy, train_loss, and <loader>_accuracy of each other."""
    return [_row(epoch) for epoch in record["epochs"]]


def _row(epoch: dict[str, Any]) -> dict[str, Any]:
    training = epoch["training"] or {}
    curve = {"train_accuracy": training.get("accuracy"), "train_loss": training.get("loss")}
    others = {f"{one['loader'] or 'evaluation'}_accuracy": one["accuracy"] for one in epoch["evaluations"]}
    rate = (epoch["rates"] or [None])[0]
    return {"epoch": epoch["epoch"], **curve, "learning_rate": rate, **others}


def _names(record: dict[str, Any]) -> list[str]:
    found = [one["loader"] or "evaluation" for row in record["epochs"] for one in row["evaluations"]]
    return list(dict.fromkeys(found))


def _cells(row: dict[str, Any], names: list[str]) -> list[str]:
    by_name = {one["loader"] or "evaluation": one["accuracy"] for one in row["evaluations"]}
    training = row["training"]["accuracy"] if row["training"] else None
    rate = f"{row['rates'][0]:.3g}" if row["rates"] else "–"
    return [_percent(training), *(_percent(by_name.get(name)) for name in names), rate]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _moved(record: dict[str, Any]) -> list[str]:
    """Returns which layers have not moved at all."""
    still = stands_still(record)
    if not still:
        return []
    return [f"{len(still)} layers have not moved: {', '.join(still[:4])}"
            f"{' …' if len(still) > 4 else ''}", ""]  # fmt: skip


def _ending(record: dict[str, Any]) -> list[str]:
    error = record["error"]
    if error is None:
        return [f"The script ended after {record['seconds']:.0f} s."]
    when = "after its training was finished" if record["is_trained"] else "in its training"
    where = f" at {at(error['place'])}" if error["place"] else ""
    return [f"The script failed {when}{where}: {error['class']}: {error['message']}"]
