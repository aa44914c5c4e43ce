"""What both templates, HTML and Markdown, say: the content in the words and order of the report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from plateau_cause.report import numbers, waterfall
from plateau_cause.report.content import ReportContent
from plateau_cause.report.wording import spoken, words

MOST_LISTED = 20
FOLLOWED = re.compile(r"https?://[^\s<>|]+")  # javascript: would run in the reader's browser
HARMLESS = (
    "Different, but harmless here",
    "These differ from the reference too. What they change of the test accuracy is surely less than is worth "
    "reporting.",
)
UNDECIDED = (
    "Neither shown to matter nor to be harmless",
    "The runs do not decide what these are worth.",
)
VERDICTS = {
    "plateau": ("Plateau", "The recipe stays below what was measured as reachable."),
    "healthy": ("Healthy", "The recipe reaches what was measured as reachable. There is nothing to repair."),
    "inconclusive": ("Undecided", "Within the budget, the intervals do not decide."),
}


def view(content: ReportContent) -> dict[str, Any]:
    """Returns what a template needs beside the summary itself."""
    summary = content.summary
    urls = {run["run_id"]: safe_url(run.get("url")) for run in content.runs}
    names = {run["run_id"]: run["name"] for run in content.runs}
    return {
        "summary": {"notes": [], "would_settle": [], "undecided": []} | summary,
        "title": content.title,
        "badge": badge(summary),
        "subject": subject(summary),
        "really": summary.get("script"),
        "steps": waterfall.steps(summary),
        "causes": [_cause(cause, names, urls) for cause in summary["causes"]],
        "plateau_sentence": plateau_sentence(summary),
        "levels": _levels(summary),
        "missing": _missing(summary),
        "recipe_yaml": to_yaml({"recipe": summary["recommended_recipe"]})
        if summary["recommended_recipe"]
        else None,
        "cost": _cost(summary["cost"], subject(summary)),
        "harmless": HARMLESS,
        "undecided": UNDECIDED,
        "differences": content.differences,
        "dataset": [(spoken(str(name)).capitalize(), fact(value)) for name, value in content.dataset.items()],
        "runs": [{**run, "url": urls[run["run_id"]]} for run in content.runs],
        "trustworthiness": content.trustworthiness,
    }


def _cause(
    cause: Mapping[str, Any], names: Mapping[str, str], urls: Mapping[str, str | None]
) -> dict[str, Any]:
    plain = words(cause)
    runs = [{"name": names.get(run, run), "url": urls.get(run)} for run in cause["runs"] if run]
    return {
        **cause,
        "title": plain.title,
        "alternatives": list(cause.get("alternatives", ())),
        "explanation": plain.explanation,
        "fix": fix_yaml(cause["fix"]),
        "patch": cause.get("patch", "").rstrip("\n"),
        "location": cause.get("location"),
        "runs": runs,
    }


def subject(summary: Mapping[str, Any]) -> str:
    """Returns what was diagnosed: recipe or script."""
    return str(summary.get("subject", "recipe"))


def judged_on(summary: Mapping[str, Any]) -> str:
    """Returns what counts: test images, or whatever a script holds out."""
    return "test images" if subject(summary) == "recipe" else "held-out images"


def badge(summary: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the verdict in one word and in one sentence."""
    title, sentence = VERDICTS[summary["verdict"]]
    if subject(summary) == "script" and "gap" not in summary:
        return title, "Nothing that the script does stands out, so nothing was changed."
    return title, sentence.replace("recipe", subject(summary))


def plateau_sentence(summary: Mapping[str, Any]) -> str:
    """Returns where the recipe stands, as a sentence: level, since when, and what it equals."""
    state = summary["plateau"]
    if state["level"] is None:
        return ""
    curve = "Training accuracy" if state["metric"] == "train_accuracy" else "Test accuracy"
    start = f"{curve} ends at {numbers.percent(state['level'])}"
    if state["from_epoch"] is not None:
        start = f"{curve} stays at {numbers.percent(state['level'])} from epoch {state['from_epoch']} on"
    if state["explained_by"] is None:
        return f"{start}."
    name = state["explained_by"]
    level = summary["levels"].get(name)
    known = "" if level is None else f" ({numbers.percent(level)})"
    if state["metric"] == "train_accuracy":  # levels are held-out accuracies: they equal no training accuracy
        reached = numbers.percent(state["test_accuracy"])
        start += f"; on {judged_on(summary)} the {subject(summary)} reaches {reached}"
    return f"{start}, the level of {_article(name)}{spoken(name)}{known}."


def _article(name: str) -> str:
    return "a " if name.startswith("linear_probe") else "the " if name in ("majority", "reference") else ""


def _levels(summary: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Returns what was measured, and the recipe between it, from low to high."""
    known = [(spoken(name), level) for name, level in summary["levels"].items() if level is not None]
    own = (f"your {subject(summary)}", summary["plateau"]["test_accuracy"])
    return sorted([*known, own], key=lambda entry: entry[1])


def _missing(summary: Mapping[str, Any]) -> str:
    """Returns what a reader must know when nothing was there to compare with."""
    if summary["levels"]["reference"] is not None or subject(summary) == "script":
        return ""
    return "No reference recipe could be measured, so this report cannot say what is reachable."


def fix_yaml(fix: Mapping[str, Any]) -> str:
    """Returns {"recipe.trainable": "all"} as the nested YAML of params.yaml."""
    nested: dict[str, Any] = {}
    for key, value in fix.items():
        *parents, leaf = key.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    return to_yaml(nested) if nested else ""


class _Dumper(yaml.SafeDumper):
    """Sections as blocks, lists of numbers on one line: the look of params.yaml."""


_Dumper.add_representer(
    list, lambda dumper, items: dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)
)


def to_yaml(value: Mapping[str, Any]) -> str:
    """Returns the mapping as YAML in the order given."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1000
    )
    return text.rstrip("\n")


def safe_url(url: str | None) -> str | None:
    """Returns the address if a browser may follow it, else None."""
    return url if url and FOLLOWED.fullmatch(url) else None


def _cost(cost: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    repaired = "Reference recipe" if name == "recipe" else "Repaired script"
    rows = [
        (f"Your {name}, one run", numbers.seconds(cost["recipe_seconds"])),
        (f"{repaired}, one run", numbers.seconds(cost["reference_seconds"])),
        ("Diagnosis, all in all", numbers.seconds(cost["diagnosis_seconds"])),
    ]
    if cost["reference_seconds"] and cost["diagnosis_seconds"] is not None:
        ratio = cost["diagnosis_seconds"] / cost["reference_seconds"]
        rows[-1] = (f"{rows[-1][0]}: {ratio:.1f} × the reference run", rows[-1][1])
    return rows


def fact(value: Any) -> str:
    """Returns a fact about the data as text: thousands separated, long lists cut with the number left out."""
    if isinstance(value, Mapping):
        return " · ".join(f"{name} {fact(entry)}" for name, entry in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        more = f" and {len(value) - MOST_LISTED:,} more" if len(value) > MOST_LISTED else ""
        return ", ".join(fact(entry) for entry in value[:MOST_LISTED]) + more
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: numbers.ABSENT}[value]
    if isinstance(value, (int, float)):
        return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
    return str(value)
