"""What your script really does, as a plain table."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from plateau_cause.capture.rules.observation import Observation, Peeked, at
from plateau_cause.capture.table import data, keras, training

Row = tuple[str, str, str]  # what, value, where
STANDING = {
    "frozen": "frozen",
    "unfrozen_later": "unfrozen later",
    "not_held": "not in the optimizer",
    "without_gradient": "without gradient",
}


def rows(content: dict[str, Any]) -> list[Row]:
    """Returns the table of a peek: what, its value, file:line."""
    makers = (_model, keras.rows, training.rows, data.rows, _rest)
    return [row for maker in makers for row in maker(content)]


def render(content: dict[str, Any], observations: list[Observation], width: int = 100) -> str:
    """Returns the table and the observations as text."""
    found = rows(content)
    first, last = max(len(row[0]) for row in found), max(len(row[2]) for row in found)
    middle = max(width - first - last - 4, 24)
    lines = [line for row in found for line in _lines(row, first, middle)]
    said = [f"  {number}. {one.words}" for number, one in enumerate(observations, 1)]
    note = [f"seen so far: {_missing(content)}"] if content["seen"]["is_so_far"] else []
    head = f"What {content['script']['given']} really does"
    tail = ["What stands out (facts; `plateau diagnose` measures what they cost)", *said] if said else [
        "Nothing stands out."]  # fmt: skip
    patches = [
        f"A change for {number}:\n\n{one.patch}" for number, one in enumerate(observations, 1) if one.patch
    ]
    return "\n".join([head, "", *lines, *note, "", *tail, *(["", *patches] if patches else [])])


def _lines(row: Row, first: int, middle: int) -> list[str]:
    """Returns a row as lines; a long value goes on below itself."""
    what, value, where = row
    parts = textwrap.wrap(value, middle) or [""]
    heads = [what, *[""] * (len(parts) - 1)]
    tails = [where, *[""] * (len(parts) - 1)]
    cells = zip(heads, parts, tails, strict=True)
    return [f"{head:<{first}}  {part:<{middle}}  {tail}".rstrip() for head, part, tail in cells]


def _missing(content: dict[str, Any]) -> str:
    """Returns what has been seen, and what the script raised then: perhaps for having been cut short."""
    steps, error = content["seen"]["steps"], content["script"].get("error_when_cut")
    found = f"{steps} steps" if content["evaluation"] else f"{steps} steps, no evaluation yet"
    if error is None:
        return found
    where = f" at {at(error['place'])}" if error["place"] else ""
    return f"{found}; then the script raised {error['class']}{where}: {error['message']}"


def _model(content: dict[str, Any]) -> list[Row]:
    model = content["model"]
    found = [("model", " in ".join([part["class"], *part["within"]]), at(part["place"]))
             for part in model["parts"]]  # fmt: skip
    before = content["seen"].get("trained_before")
    if before:
        said = f"another training, of {before['class']}, that is not described here"
        found.insert(0, ("trained before", said, at(before["place"])))
    backbone = model.get("backbone")
    if backbone:
        found.append(("backbone", f"{backbone['name']} of {backbone['library']}", ""))
    if model["head"]:
        outputs = f"{model['head']['outputs']} output{'s' * (model['head']['outputs'] != 1)}"
        found.append(("head", f"{model['head']['name']}: {outputs}", at(model["head"]["place"])))
    for loaded in model["weights"]:
        found.append(
            ("weights", f"{loaded['matched']} of {loaded['tensors']} tensors loaded", at(loaded["place"]))
        )
    if (model.get("base") or {}).get("is_hub"):
        found.append(("weights", "those that its handle holds", at(model["base"]["place"])))
    elif not model["weights"]:
        network = Peeked(content, Path()).random_network
        random = f"; {network['name']} starts from random numbers" if network else ""
        found.append(("weights", f"none loaded that were seen{random}", ""))
    found.append(("trains", _part(model, "trains"), ""))
    for key, words in STANDING.items():
        if model[key]["parameters"]:
            later = model[key].get("changes_at")
            until = f", until {at(later)} perhaps" if later else ""
            found.append((words, _part(model, key) + until, at(model[key].get("place"))))
    if content.get("computed_at"):
        found.append(("features computed", "once, before training", at(content["computed_at"])))
    if content["average"]:
        average = content["average"]
        also = "evaluates also" if average.get("is_beside") else "evaluates instead"
        copied = ", a copy of what is trained: an average of its weights perhaps"
        said = average["class"] + (copied if average.get("is_copy") else "")
        found.append((also, said, at(average["place"] or average.get("called_at"))))
    return found


def _part(model: dict[str, Any], key: str) -> str:
    part = model[key]
    return f"{part['layers'] or 'nothing'}: {part['numbers'] / max(model['numbers'], 1):.1%} of the numbers"


def _rest(content: dict[str, Any]) -> list[Row]:
    seeds = content["seeds"].items()
    found = [(f"seed of {name}", str(seed["value"]), at(seed["place"])) for name, seed in seeds]
    return [*found, *(("not seen", problem, "") for problem in content["problems"])]
