"""A retraining in words and numbers: retrain.json for machines, retrain.md for who reviews it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from plateau_cause import numbers
from plateau_cause.report.markdown import escape
from plateau_cause.retraining.decision import Comparison, Decision
from plateau_cause.retraining.drift import Drift

Record = Mapping[str, Any]
SHOWN = ("test_accuracy", "verdict", "primary_cause", "causes", "data_digest", "git.commit")


def record(
    decision: Decision,
    model: str,
    challenger: Record,
    champion: Record | None,
    comparison: Comparison | None,
    drift: Drift | None,
    run_id: str | None,
) -> dict[str, Any]:
    """Returns the content of retrain.json, plain types.

    Args:
        decision: what becomes of the challenger.
        model: name of the registered model.
        challenger: its version and tags.
        champion: likewise, as it was when they were compared; None for the first model.
        comparison: of the two, None where there was nothing to compare.
        drift: today's data against the champion's, None where it is not known.
        run_id: MLflow run of the retraining.
    """
    return {
        "schema_version": 1,
        "outcome": decision.outcome,
        "status": decision.status,
        "promote": decision.promote,
        "reason": decision.reason,
        "model": model,
        "challenger": dict(challenger),
        "champion": None if champion is None else dict(champion),
        "comparison": None if comparison is None else _comparison(comparison),
        "drift": None if drift is None else {**asdict(drift), "moved_classes": drift.moved_classes},
        "run_id": run_id,
    }


def metrics(comparison: Comparison | None, drift: Drift | None) -> dict[str, float]:
    """Returns the numbers of a retraining for MLflow, flat."""
    found: dict[str, Any] = {} if comparison is None else _comparison(comparison)
    low, high = found.pop("ci", None) or (None, None)
    known = {**found, "effect_low": low, "effect_high": high, **(drift.metrics if drift else {})}
    return {name: float(value) for name, value in known.items() if value is not None}


def title(content: Record) -> str:
    """Returns the first line of the report, without markup: what a commit or a pull request is called."""
    version = content["challenger"]["version"]
    words = {
        "first": "is the first",
        "better": "is better",
        "unchanged": "is deployed already",
        "not_better": "is worse" if _direction(content["comparison"]) == "worse" else "is not better",
        "new_cause": "has a new plateau cause",
    }
    return f"Retraining: version {version} {words[content['outcome']]}"


def markdown(content: Record) -> str:
    """Returns retrain.md."""
    parts = [
        f"# {escape(title(content))}",
        f"{escape(content['reason'])}.",
        _versions(content),
        _compared(content["comparison"]),
        _drifted(content["drift"]),
        f"MLflow run of this retraining: {content['run_id']}" if content["run_id"] else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _comparison(comparison: Comparison) -> dict[str, Any]:
    found = comparison.effect
    return {
        "test_images": comparison.test_images,
        "compared_images": comparison.compared,
        "champion_accuracy": comparison.champion_accuracy,
        "challenger_accuracy": comparison.challenger_accuracy,
        "effect": found.mean if found else None,
        "ci": [found.low, found.high] if found else None,
    }


def _direction(comparison: Record | None) -> str | None:
    """Returns what the interval of challenger minus champion says: better, worse, None for neither."""
    low, high = (comparison or {}).get("ci") or (0.0, 0.0)
    if low <= 0 <= high:
        return None
    return "better" if low > 0 else "worse"


def _versions(content: Record) -> str:
    challenger, champion = content["challenger"], content["champion"] or {}
    before = f"champion (version {champion['version']})" if champion else "champion (none)"
    rows = [f"| | challenger (version {challenger['version']}) | {before} |", "|---|---|---|"]
    for name in SHOWN:
        cells = [_cell(name, side) for side in (challenger, champion)]
        rows.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(name: str, side: Record) -> str:
    value = side.get(name)
    if name == "test_accuracy" and value is not None:
        return f"{numbers.percent(float(value))} when it was trained"
    if name == "git.commit" and value and side.get("git.dirty") == "true":
        return f"{escape(value)}, with changes that were not committed"
    return escape(value) if value else numbers.ABSENT


def _compared(comparison: Record | None) -> str:
    if comparison is None:
        return ""
    left_out = comparison["test_images"] - comparison["compared_images"]
    which = f"{comparison['compared_images']} of today's {comparison['test_images']} test images"
    why = f"; {left_out} were left out, because the champion learned from them" if left_out else ""
    if comparison["effect"] is None:
        return f"## On the same test images\n\nNothing to compare: {which}{why}."
    change = numbers.points_with_interval(comparison["effect"], comparison["ci"])
    change += f", {_direction(comparison) or 'which may be chance'}"
    after, before = (numbers.percent(comparison[f"{side}_accuracy"]) for side in ("challenger", "champion"))
    return (
        f"## On the same test images\n\n{change}: {after} instead of {before}, on {which}{why}. "
        "The 95 % interval is paired, image by image."
    )


def _drifted(drift: Record | None) -> str:
    if drift is None:
        return ""
    counts = f"{drift['new_images']} new images, {drift['gone_images']} gone; class shares moved by "
    lines = [f"{counts}{numbers.percent(drift['class_share_distance'])} of the images."]
    if drift["note"]:
        lines.append(f"No test: {escape(drift['note'])}.")
    if drift["test"]:
        lines.append(_tested(drift["test"]))
        moved = ", ".join(escape(name) for name in drift["moved_classes"])
        lines.append(f"Classes whose images differ: {moved}." if moved else "No single class stands out.")
    return "## Drift since the champion was trained\n\n" + "\n".join(f"- {line}" for line in lines)


def _tested(test: Record) -> str:
    low, high = test["auc_interval"]
    return (
        f"New images against the champion's training images: a classifier tells them apart with AUC "
        f"{test['auc']:.2f} [{low:.2f}, {high:.2f}] (0.5: not at all; p = {test['auc_p']:.3f}); MMD p = "
        f"{test['mmd_p']:.3f}; their means lie {test['distance_sd']:.1f} standard deviations apart."
    )
