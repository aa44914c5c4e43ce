"""What both templates, HTML and Markdown, say: the content in the words and order of the report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from plateau_cause import numbers
from plateau_cause.report import waterfall
from plateau_cause.report.content import ReportContent
from plateau_cause.report.sentences import ACCURACY, subject
from plateau_cause.report.wording import spoken, words

MOST_LISTED = 20
FOLLOWED = re.compile(r"https?://[^\s<>|]+")  # javascript: would run in the reader's browser
HARMLESS = (
    "Different, but harmless here",
    "These differ from the reference. Taking its value surely gains less than is worth reporting.",
)
BETTER = (
    "Better as it is",
    "Here your value is surely better than the reference's: leave it.",
)
UNDECIDED = (
    "Neither shown to matter nor to be harmless",
    "The runs do not decide what these are worth.",
)
VERDICTS = {
    "plateau": ("Plateau", "The recipe stays below what was measured as reachable."),
    "healthy": (
        "Healthy",
        "No run is surely better than the recipe by what is worth reporting. There is nothing to repair.",
    ),
    "inconclusive": ("Undecided", "Within the budget, the intervals do not decide."),
}
PATHS = ("code", "folder", "python", "script")  # entries of a recipe


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
        "recipe_yaml": _recipe_yaml(summary) if summary["recommended_recipe"] else None,
        "cost": _cost(summary["cost"], subject(summary)),
        "tested": by_standing(summary),
        "shares_of": _shares_of(summary),
        "differences": content.differences,
        "dataset": [(spoken(str(name)).capitalize(), fact(value)) for name, value in content.dataset.items()],
        "runs": [{**run, "url": urls[run["run_id"]]} for run in content.runs],
        "trustworthiness": content.trustworthiness,
    }


def _recipe_yaml(summary: Mapping[str, Any]) -> str:
    """Returns the recommended recipe, below what has to be changed in the user's own file besides."""
    recipe = summary["recommended_recipe"]
    said = list(summary.get("recommended_in_file", ()))
    outside = [key for key in PATHS if str(recipe.get(key)).startswith("..")]  # `plateau diagnose X.yaml`
    if outside:
        said.append(f"{' and '.join(outside)}: as seen from the project that these reports are of.")
    return "".join(f"# {sentence}\n" for sentence in said) + to_yaml({"recipe": recipe})


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
        "fix": fix_yaml(pasteable(cause["fix"])),
        "advice": advice(cause["fix"]),
        "patch": cause.get("patch", "").rstrip("\n"),
        "location": cause.get("location"),
        "runs": runs,
    }


def badge(summary: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the verdict in one word and in one sentence."""
    title, sentence = VERDICTS[summary["verdict"]]
    if subject(summary) == "script" and "gap" not in summary:
        has_room = 1.0 - summary["verified"]["before"] >= summary["min_effect"]
        why = "Nothing that the script does stands out" if has_room else "Hardly anything is left to gain"
        return title, f"{why}, so nothing was changed."
    return title, sentence.replace("recipe", subject(summary))


def pasteable(fix: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what of a fix is entries of params.yaml."""
    return {key: value for key, value in fix.items() if not _is_words(key, value)}


def advice(fix: Mapping[str, Any]) -> list[str]:
    """Returns what of a fix is said in words: what to change in the data or in the user's own file."""
    names = {"data": "The data", "recipe.code": "Your file"}
    return [f"{names.get(key, key)}: {value}" for key, value in fix.items() if _is_words(key, value)]


def _is_words(key: str, value: Any) -> bool:
    return key in ("data", "recipe.code") or (isinstance(value, str) and " " in value)


def by_standing(summary: Mapping[str, Any]) -> list[tuple[tuple[str, str], list[dict[str, Any]]]]:
    """Returns the differences that are no causes by how they stand: heading and explanation, entries."""
    kinds = (("harmless", HARMLESS), ("better_as_is", BETTER), ("undecided", UNDECIDED))
    return [(heading, list(summary.get(key) or ())) for key, heading in kinds]


def _shares_of(summary: Mapping[str, Any]) -> str:
    """Returns what the shares of the recipe's causes add up within: the gap, or more where they overlap."""
    together = sum(cause["effect"] for cause in summary["causes"] if cause["share"] is not None)
    gap = summary.get("gap")
    is_within = gap is None or together <= gap["effect"] + 1e-9
    return "of the gap" if is_within else "of all effects together"


def plateau_sentence(summary: Mapping[str, Any]) -> str:
    """Returns where the recipe stands, as a sentence: the curve's end, test accuracy, and what it equals."""
    state = summary["plateau"]
    curve = state.get("curve")
    parts = [_end_of(curve, state["from_epoch"])] if curve else []
    reached = numbers.percent(state["test_accuracy"])
    parts.append(f"{ACCURACY[subject(summary)]} is {reached}{_equal_to(summary)}")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _end_of(curve: Mapping[str, Any], from_epoch: int | None) -> str:
    """Returns where a curve stays, and since when; between its lowest and highest value where they differ."""
    name = "training accuracy" if curve["name"] == "train_accuracy" else "validation accuracy"
    low, high = (numbers.percent(end) for end in curve["range"])
    if from_epoch is None:
        return f"{name} ends at {numbers.percent(curve['level'])}"
    stays = f"stays at {low}" if low == high else f"stays between {low} and {high}"
    return f"{name} {stays} from epoch {from_epoch} on"


def _equal_to(summary: Mapping[str, Any]) -> str:
    """Returns which measured level the test accuracy equals; nothing where it equals none."""
    name = summary["plateau"]["explained_by"]
    level = summary["levels"].get(name)
    return (
        "" if level is None else f", the level of {_article(name)}{spoken(name)} ({numbers.percent(level)})"
    )


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
    is_recipe = name == "recipe"
    repaired = "Reference recipe, with the search for it" if is_recipe else "Repaired script, one run"
    rows = [(f"Your {name}, one run", numbers.seconds(cost["recipe_seconds"]))]
    if not is_recipe and not cost["reference_seconds"]:  # nothing was repaired
        return rows
    rows += [
        (repaired, numbers.seconds(cost["reference_seconds"])),
        ("Diagnosis, all its runs", numbers.seconds(cost["diagnosis_seconds"])),
    ]
    if cost["reference_seconds"] and cost["diagnosis_seconds"] is not None:
        ratio = cost["diagnosis_seconds"] / cost["reference_seconds"]
        rows[-1] = (f"{rows[-1][0]}: {ratio:.1f} × the line above", rows[-1][1])
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
