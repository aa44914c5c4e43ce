"""From what was measured to plateau_cause.json: the verdict, the causes and one sentence to act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plateau_cause.report.wording import WORDS

MEMORISED = 0.95  # training accuracy from which the plateau is in the held-out accuracy
Record = Mapping[str, Any]


def summarize(
    found: Record,
    levels: Mapping[str, float | None],
    plateau: Mapping[str, Any],
    min_effect: float,
    runs: Mapping[str, str],
    target: float | None = None,
) -> dict[str, Any]:
    """Returns the content of plateau_cause.json, without the summary's own run id.

    Args:
        found: the record of the intervene stage.
        levels: measured accuracies by name.
        plateau: the recipe's plateau (see `describe_plateau`).
        min_effect: the smallest change worth reporting.
        runs: MLflow run id by run name.
        target: the test accuracy that the user needs, where they said so.
    """
    recipe_causes = [
        _cause(swap, "recipe", found, runs) for swap in found["swaps"] if _is_cause(swap, min_effect)
    ]
    data_causes = [_cause(item, "data", found, runs) for item in found["data"] if _is_cause(item, min_effect)]
    makeshifts = recipe_causes if _repaired_by_data(found, min_effect) else []
    recipe_causes = [cause for cause in recipe_causes if cause not in makeshifts]
    verdict = _verdict(found, bool(recipe_causes), bool(data_causes))
    causes = sorted(
        recipe_causes * (found["verdict"] == "plateau") + data_causes, key=lambda cause: -cause["effect"]
    )
    summary = {
        "schema_version": 1,
        "verdict": verdict,
        "plateau": dict(plateau),
        "levels": {**levels, **{k: v for item in found["data"] for k, v in item["levels"].items()}},
        "causes": causes if verdict == "plateau" else [],
        "harmless": [_difference(swap) for swap in found["swaps"] if swap["effect"] < min_effect],
        "undecided": [_difference(swap) for swap in found["swaps"] if _is_undecided(swap, min_effect)],
        "recommended_recipe": found["recommended"]["recipe"],
        "verified": _verified(found),
        "cost": _cost(found),
        "min_effect": min_effect,
        "notes": _target(found, target) + _makeshifts(makeshifts) + _notes(found, min_effect),
        "would_settle": _would_settle(found, min_effect) if verdict == "inconclusive" else [],
    }
    return {**summary, "headline": headline(summary)}


def describe_plateau(
    run: Record, level: float, from_epoch: int | None, explained_by: str | None
) -> dict[str, Any]:
    """Returns the plateau section: which curve is stuck, where, since when."""
    metric = "test_accuracy" if (run["train_accuracy"] or 0.0) >= MEMORISED else "train_accuracy"
    return {
        "metric": metric,
        "level": level if metric == "train_accuracy" else run["test_accuracy"],
        "from_epoch": from_epoch,
        "explained_by": explained_by,
        **{f"{split}_accuracy": run[f"{split}_accuracy"] for split in ("train", "val", "test")},
    }


def headline(summary: Record) -> str:
    """Returns one sentence that a person can act on."""
    before, after = summary["verified"]["before"], summary["verified"]["after"]
    if summary["verdict"] == "healthy":
        low = (summary["plateau"]["train_accuracy"] or 0.0) < before
        note = (
            " Training accuracy is the lower one: augmentation, regularisation or noisy labels, not a fault."
            if low
            else ""
        )
        return (
            f"Nothing to repair: the recipe reaches {before:.1%}, as much as the best recipe measured.{note}"
        )
    if summary["verdict"] == "inconclusive":
        return (
            f"Undecided: the recipe reaches {before:.1%}; the intervals do not tell whether more is possible."
        )
    primary = summary["causes"][0]
    title = WORDS[primary["cause"]].title
    points = f"{100 * primary['effect']:+.0f} points of test accuracy"
    if primary.get("only_together"):
        points += " once the rest of the recommended recipe is in place (alone it hurts)"
    if primary["kind"] == "data":
        return f"{title}: worth {points}; the recipe stands at {before:.1%}."
    return f"{title}: worth {points}; the recommended recipe reaches {after:.1%} instead of {before:.1%}."


def _is_cause(item: Record, min_effect: float) -> bool:
    is_open = item.get("jointly") or item.get("open")
    return not is_open and item["ci"][0] > 0 and item["effect"] >= min_effect


def _is_undecided(item: Record, min_effect: float) -> bool:
    """Returns whether something looks worth reporting while what was measured may be luck."""
    return (item["effect"] >= min_effect or bool(item.get("open"))) and not _is_cause(item, min_effect)


def _repaired_by_data(found: Record, min_effect: float) -> bool:
    """Returns whether repairing the data alone takes the recipe to where the reference stands.

    Then its differences only make up for the data: keeping the best epoch limits what wrong labels do.
    """
    gains = [
        item["effect"] for item in found["data"] if item.get("in_recipe") and _is_cause(item, min_effect)
    ]
    return bool(gains) and found["gap"]["effect"] - max(gains) < 0.5 * min_effect


def _makeshifts(causes: Sequence[Record]) -> list[str]:
    if not causes:
        return []
    names = ", ".join(f"{cause['cause']} ({100 * cause['effect']:+.0f} points)" for cause in causes)
    return [
        f"With the data repaired the recipe reaches the reference. Until then these make up for it in part: "
        f"{names}."
    ]


def _verdict(found: Record, has_recipe_causes: bool, has_data_causes: bool) -> str:
    if has_data_causes or (found["verdict"] == "plateau" and has_recipe_causes):
        return "plateau"
    # A gap that no single factor carries is real but not understood: no one is accused. Nor is a recipe
    # called healthy while something that is wrong with its data is more likely than not, or tested in part.
    is_open = any(item["open"] for item in found["data"])
    return "inconclusive" if found["verdict"] == "plateau" or is_open else str(found["verdict"])


def _cause(item: Record, kind: str, found: Record, runs: Mapping[str, str]) -> dict[str, Any]:
    gap = max(found["gap"]["effect"], 1e-9)
    share = min(1.0, max(0.0, item["effect"] / gap)) if kind == "recipe" else None
    return {
        "cause": item["cause"],
        "kind": kind,
        **{key: item[key] for key in ("effect", "ci", "probability", "evidence", "fix")},
        "share": share,
        "only_together": bool(item.get("only_together")),
        "runs": [runs[name] for name in item["runs"] if runs.get(name)],
    }


def _difference(swap: Record) -> dict[str, Any]:
    return {"factor": swap["factor"], **{key: swap[key] for key in ("difference", "effect", "ci", "jointly")}}


def _verified(found: Record) -> dict[str, Any]:
    best = found["recommended"]
    gain = {"effect": best["gain"]["effect"], "ci": best["gain"]["ci"]}
    return {"before": best["before"], "after": best["after"], **gain}


def _cost(found: Record) -> dict[str, float]:
    seconds = dict(found["seconds"])
    recipe = seconds.pop("recipe")
    extra = found.get("extra_seconds", 0.0)
    return {
        "recipe_seconds": recipe,
        "reference_seconds": found["reference_seconds"],
        "diagnosis_seconds": sum(seconds.values())
        - seconds["reference"]
        + found["reference_seconds"]
        + extra,
    }


def _target(found: Record, target: float | None) -> list[str]:
    """Returns whether the accuracy that the user needs is reached, and by what."""
    if target is None:
        return []
    verified = _verified(found)
    said = f"The target of {target:.1%} (diagnosis.target_accuracy) is "
    if verified["before"] >= target:
        return [f"{said}reached by the recipe as it stands."]
    if verified["after"] >= target:
        return [f"{said}reached by the recommended recipe, not by the recipe as it stands."]
    return [f"{said}missed by the best recipe measured by {100 * (target - verified['after']):.1f} points."]


def _notes(found: Record, min_effect: float) -> list[str]:
    notes = []
    if any(swap["jointly"] for swap in found["swaps"]):
        names = ", ".join(swap["factor"] for swap in found["swaps"] if swap["jointly"])
        notes.append(
            f"Measured together, not one by one: {names}. Their joint effect is what each line shows."
        )
    alone = [
        swap["factor"]
        for swap in found["swaps"]
        if not swap["jointly"] and (swap["backward"] is None or swap["forward"] is None)
    ]
    open_ones = [
        f"{item.get('factor', item['cause'])} ({100 * item['effect']:+.0f} points)"
        for item in [*found["swaps"], *found["data"]]
        if _is_undecided(item, min_effect)
    ]
    if open_ones:
        notes.append(
            f"Not decided by these runs and test images, neither cause nor harmless: {', '.join(open_ones)}."
        )
    if alone:
        notes.append(f"Measured in one direction only: {', '.join(alone)}.")
    return notes


def _would_settle(found: Record, min_effect: float) -> list[str]:
    low, high = found["gap"]["ci"]
    open_data = [item for item in found["data"] if item["open"] and "data" in item["fix"]]
    needed = f"The gap to the reference is {found['gap']['effect']:+.3f} [{low:+.3f}, {high:+.3f}]"
    return [
        f"{needed}: more test images, or further seeds (diagnosis.seeds: [0, 1, 2]), would narrow it below "
        f"min_effect ({min_effect:g}).",
        "A larger budget (diagnosis.max_cost) lets more swaps be measured in both directions.",
        *(f"{item['cause']} is not decided: {item['fix']['data']}, and run again." for item in open_data),
    ]


def label_map(records: Sequence[Record]) -> dict[str, str]:
    """Returns MLflow run id by run name from the stages' run records."""
    found: dict[str, str] = {}
    for record in records:
        found |= {name: run_id for name, run_id in record.get("children", {}).items() if run_id}
        _, _, arm = record["name"].partition("@")
        if arm and record["run_id"]:
            found[arm] = record["run_id"]
    return found


def diagnosis_tags(summary: Record) -> dict[str, str]:
    """Returns what runs and models say about their diagnosis: verdict, primary cause, headline."""
    primary = summary["causes"][0]["cause"] if summary["causes"] else "none"
    return {"verdict": summary["verdict"], "primary_cause": primary, "headline": summary["headline"]}
