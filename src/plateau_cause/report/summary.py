"""From what was measured and decided to plateau_cause.json: words for the verdict, nothing decided again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plateau_cause.config.params import ALL_IMAGES
from plateau_cause.report.notes import in_file, notes, would_settle
from plateau_cause.report.sentences import headline, tells_apart

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
    recipe, data = found["findings"], found["data"]
    gap = found["gap"]  # None: a script in which nothing could be changed
    explained = sum(item["effect"] for item in _standing(recipe, "cause"))
    base = max(gap["effect"] if gap else 0.0, explained, 1e-9)
    causes = [_cause(item, "recipe", item["effect"] / base, runs) for item in _standing(recipe, "cause")]
    causes += [_cause(item, item.get("kind", "data"), None, runs) for item in _standing(data, "cause")]
    summary = {
        "schema_version": 1,
        "verdict": _verdict(found, causes),
        "plateau": dict(plateau),
        "levels": {**levels, **_levels(data)},
        "causes": sorted(causes, key=lambda cause: -cause["effect"]),
        **_no_causes(recipe, data, causes, min_effect),
        "recommended_recipe": found["recommended"]["recipe"],
        "verified": _verified(found),
        "cost": _cost(found),
        "min_effect": min_effect,
        "alarms": [alarm["words"] for alarm in found["alarms"]],
        **({"gap": {key: gap[key] for key in ("effect", "ci")}} if gap else {}),
        "test_images": found["test_images"],
        "subject": found.get("subject", "recipe"),
        **_besides(found),
        **({"scale": dict(found["scale"])} if "scale" in found else {}),
    }
    summary["recommended_in_file"] = in_file(found)
    summary["notes"] = notes(summary, found, target)
    summary["would_settle"] = would_settle(summary)
    return {**summary, "headline": headline(summary, found)}


def _no_causes(
    recipe: Sequence[Record], data: Sequence[Record], causes: Sequence[Record], min_effect: float
) -> dict[str, list[dict[str, Any]]]:
    """Returns what differs and is no cause: harmless, better as it is, undecided.

    What is asked of the recipe and of the data alike, such as the resolution, is said once; what may stand
    in a cause's place is said beside that.
    """
    named = {cause["cause"] for cause in causes}
    spare = {name for cause in causes for name in cause["alternatives"]}
    unharmful = [item for item in _standing(recipe, "harmless") if item["cause"] not in named]
    undecided = [item for item in _standing([*recipe, *data], "undecided")
                 if item["cause"] not in named and not {item["cause"], item["factor"]} & spare]  # fmt: skip
    return {
        "harmless": [_difference(item) for item in unharmful if not _is_better(item, min_effect)],
        "better_as_is": [_difference(item) for item in unharmful if _is_better(item, min_effect)],
        "undecided": [_difference(item) for item in undecided],
    }


def _is_better(item: Record, min_effect: float) -> bool:
    """Returns whether the user's value is surely the better one, by what is worth reporting."""
    return bool(item["ci"][1] < 0 and item["effect"] <= -min_effect)


def _levels(data: Sequence[Record]) -> dict[str, float]:
    """Returns what suspicions about the data say of levels; a ceiling only where wrong labels are a cause."""
    found = {name: level for item in data for name, level in item["levels"].items()}
    if not any(item["cause"] == "label_noise" for item in _standing(data, "cause")):
        found.pop("label_noise_ceiling", None)
    return found


def _standing(items: Sequence[Record], standing: str) -> list[Record]:
    return [item for item in items if item["standing"] == standing]


def _verdict(found: Record, causes: Sequence[Record]) -> str:
    """Returns the verdict on recipe and data together: what is open about the data acquits no one."""
    if causes or found["verdict"] == "plateau" or tells_apart(found):
        return "plateau"
    is_open = any(item["standing"] == "undecided" and item["probability"] >= 0.5 for item in found["data"])
    contradicted = any(not alarm["acquits"] for alarm in found["alarms"])
    return "inconclusive" if is_open or contradicted else str(found["verdict"])


def describe_plateau(
    run: Record,
    level: float,
    from_epoch: int | None,
    explained_by: str | None,
    ends: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Returns the plateau section: which curve is stuck, where, since when.

    Args:
        run: the recipe's.
        level: at which the curve that `judged_curve` names ends.
        from_epoch: from which it is flat; None where it still moves.
        explained_by: the measured level that its test accuracy equals.
        ends: lowest and highest value of its flat part, where they are known.
    """
    name = judged_curve(run)
    is_trained = name == "train_accuracy"
    known = {} if ends is None else {"curve": {"name": name, "level": level, "range": list(ends)}}
    return {
        "metric": "train_accuracy" if is_trained else "test_accuracy",
        "level": level if is_trained else run["test_accuracy"],
        "from_epoch": from_epoch,
        **known,
        "explained_by": explained_by,
        **{f"{split}_accuracy": run[f"{split}_accuracy"] for split in ("train", "val", "test")},
    }


def judged_curve(run: Record) -> str:
    """Returns the curve whose end is judged: where training images are memorised, the validation images'."""
    return "val_accuracy" if (run["train_accuracy"] or 0.0) >= MEMORISED else "train_accuracy"


def _cause(item: Record, kind: str, share: float | None, runs: Mapping[str, str]) -> dict[str, Any]:
    kept = ("cause", "effect", "ci", "probability", "evidence", "fix", "title", "repair", "explanation")
    alone = item.get("alone", item)
    return {
        **{key: item[key] for key in kept},
        "kind": kind,
        "share": share,
        "alone": alone["effect"],
        "alone_ci": list(alone["ci"]),
        "extrapolated": bool(item.get("extrapolated")),
        "alternatives": list(item.get("alternatives", ())),
        "runs": [runs[name] for name in item["runs"] if runs.get(name)],
        **{key: item[key] for key in ("location", "patch") if item.get(key)},
    }


def _difference(item: Record) -> dict[str, Any]:
    return {key: item[key] for key in ("factor", "difference", "effect", "ci")}


def _besides(found: Record) -> dict[str, list[str]]:
    """Returns what the repaired script is given that is no cause; nothing of a recipe: it is shown whole."""
    if found.get("subject") != "script":
        return {}
    named = {item["factor"] for item in _standing(found["findings"], "cause")}
    return {"besides": [name for name in found["recommended"].get("interventions", ()) if name not in named]}


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
        **({"confirmation_seconds": seconds[ALL_IMAGES]} if ALL_IMAGES in seconds else {}),
    }


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
