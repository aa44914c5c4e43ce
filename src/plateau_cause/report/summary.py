"""From what was measured and decided to plateau_cause.json: words for the verdict, nothing decided again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plateau_cause.report import numbers
from plateau_cause.report.wording import spoken, words

MEMORISED = 0.95  # training accuracy from which the plateau is in the held-out accuracy
FEW_IMAGES = 100  # test images below which the smallest effect that can be seen is said
Record = Mapping[str, Any]
# What is diagnosed -> its name and what it is judged on; what it becomes; what is counted.
NAMES = {"recipe": ("recipe", "test images"), "script": ("script", "held-out images")}
REPAIRED = {"recipe": "recommended recipe", "script": "repaired script"}
ACCURACY = {"recipe": "test accuracy", "script": "held-out accuracy"}


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
    recipe, data = found["findings"], found["data"]
    gap = found["gap"]  # None: a script in which nothing could be changed
    explained = sum(item["effect"] for item in _standing(recipe, "cause"))
    base = max(gap["effect"] if gap else 0.0, explained, 1e-9)
    causes = [_cause(item, "recipe", item["effect"] / base, runs) for item in _standing(recipe, "cause")]
    causes += [_cause(item, "data", None, runs) for item in _standing(data, "cause")]
    undecided = [*_standing(recipe, "undecided"), *_standing(data, "undecided")]
    summary = {
        "schema_version": 1,
        "verdict": _verdict(found, causes),
        "plateau": dict(plateau),
        "levels": {**levels, **{k: v for item in data for k, v in item["levels"].items()}},
        "causes": sorted(causes, key=lambda cause: -cause["effect"]),
        "harmless": [_difference(item) for item in _standing(recipe, "harmless")],
        "undecided": [_difference(item) for item in undecided],
        "recommended_recipe": found["recommended"]["recipe"],
        "verified": _verified(found),
        "cost": _cost(found),
        "min_effect": min_effect,
        "alarms": [alarm["words"] for alarm in found["alarms"]],
        **({"gap": {key: gap[key] for key in ("effect", "ci")}} if gap else {}),
        "test_images": found["test_images"],
        "subject": found.get("subject", "recipe"),
    }
    summary["notes"] = summary["alarms"] + _target(found, target) + _notes(summary)
    summary["would_settle"] = _would_settle(summary)
    return {**summary, "headline": headline(summary)}


def _standing(items: Sequence[Record], standing: str) -> list[Record]:
    return [item for item in items if item["standing"] == standing]


def _verdict(found: Record, causes: Sequence[Record]) -> str:
    """Returns the verdict on recipe and data together: what is open about the data acquits no one."""
    if causes or found["verdict"] == "plateau":
        return "plateau"
    is_open = any(item["standing"] == "undecided" and item["probability"] >= 0.5 for item in found["data"])
    contradicted = any(not alarm["acquits"] for alarm in found["alarms"])
    return "inconclusive" if is_open or contradicted else str(found["verdict"])


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
    name, images = NAMES[summary.get("subject", "recipe")]
    if summary["verdict"] == "healthy":
        reached = f"the {name} reaches {before:.1%} on {images}"
        return f"Nothing to repair was found: {reached}; {_hidden(summary)}."
    if summary["verdict"] == "inconclusive":
        return (
            f"Undecided: the {name} reaches {before:.1%}, and {_hidden(summary)}; these runs and "
            f"{images} do not tell whether there is more."
        )
    if not summary["causes"]:
        names = _listed([entry["factor"] for entry in summary["undecided"]])
        return (
            f"The {REPAIRED[name]} reaches {after:.1%} instead of {before:.1%}; which of its changes does "
            f"it is not decided ({names})."
        )
    primary = summary["causes"][0]
    title = f"{_place(primary)}{words(primary).title}"
    gained = numbers.points(primary["effect"])
    if primary.get("alternatives"):
        others = _listed(primary["alternatives"])
        return f"{title}: repairing it gains {gained}, and so does any one of: {others}."
    if primary["kind"] == "data":
        return f"{words(primary).title}: worth {gained} of test accuracy; the recipe stands at {before:.1%}."
    together = " once the rest is in place (alone it hurts)" if primary["alone"] < 0 else ""
    return (
        f"{title}: worth {gained} of {ACCURACY[name]}{together}; the {REPAIRED[name]} reaches "
        f"{after:.1%} instead of {before:.1%}."
    )


def _place(cause: Record) -> str:
    """Returns `train.py:41: ` where a cause has a line."""
    place = cause.get("location")
    return f"{place['file']}:{place['line']}: " if place else ""


def _hidden(summary: Record) -> str:
    """Returns how much may still be hidden, by the interval of the gap and of the best run."""
    known = [found["ci"][1] for found in (summary.get("gap"), summary["verified"]) if found and found["ci"]]
    if not known:
        return "nothing stands out that could be changed"
    most = max(*known, 0.0)
    count, images = summary["test_images"], NAMES[summary.get("subject", "recipe")][1]
    return f"at most {numbers.points(most).removeprefix('+')} may still be hidden with {count} {images}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(spoken(name) for name in names)


def _cause(item: Record, kind: str, share: float | None, runs: Mapping[str, str]) -> dict[str, Any]:
    kept = ("cause", "effect", "ci", "probability", "evidence", "fix", "title", "repair", "explanation")
    alone = item["alone"]["effect"] if "alone" in item else item["effect"]
    return {
        **{key: item[key] for key in kept},
        "kind": kind,
        "share": share,
        "alone": alone,
        "alternatives": list(item.get("alternatives", ())),
        "runs": [runs[name] for name in item["runs"] if runs.get(name)],
        **{key: item[key] for key in ("location", "patch") if item.get(key)},
    }


def _difference(item: Record) -> dict[str, Any]:
    return {key: item[key] for key in ("factor", "difference", "effect", "ci")}


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


def _notes(summary: Record) -> list[str]:
    notes = []
    if summary["test_images"] < FEW_IMAGES and "gap" in summary:
        width = summary["gap"]["ci"][1] - summary["gap"]["ci"][0]
        seen = numbers.points(width / 2).removeprefix("+")
        images = NAMES[summary.get("subject", "recipe")][1]
        notes.append(f"{summary['test_images']} {images}: an effect below about {seen} cannot be seen.")
    trained, tested = summary["plateau"]["train_accuracy"], summary["verified"]["before"]
    if summary["verdict"] == "healthy" and (trained or 0.0) < tested:
        notes.append(
            "Training accuracy is the lower one: augmentation, regularisation or noisy labels, not a fault."
        )
    open_ones = [f"{entry['factor']} ({numbers.points(entry['effect'])})" for entry in summary["undecided"]]
    if open_ones:
        notes.append(f"Neither shown to matter nor to be harmless: {', '.join(open_ones)}.")
    return notes


def _would_settle(summary: Record) -> list[str]:
    """Returns what would decide what is open; nothing where nothing is."""
    if not summary["undecided"] and summary["verdict"] != "inconclusive":
        return []
    gap = summary.get("gap")
    if gap is None:
        return []
    return [
        f"The gap to the reference is {numbers.points_with_interval(gap['effect'], gap['ci'])}: more "
        "test images, "
        "or further seeds (diagnosis.seeds: [0, 1, 2]), narrow every interval.",
        "A larger budget (diagnosis.max_cost) pays for more runs.",
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
