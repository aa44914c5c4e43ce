"""The schema of reports/plateau_cause.json: the file that CI jobs and other programs read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


def schema() -> dict[str, Any]:
    """Returns the JSON Schema (2020-12) of the summary."""
    text = files("plateau_cause.report").joinpath("plateau_cause.schema.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def cause_names() -> tuple[str, ...]:
    """Returns the fixed cause names, in the contract's order."""
    return tuple(schema()["$defs"]["cause"]["enum"])


def validate(summary: dict[str, Any]) -> None:
    """Checks a summary against the schema, and that each interval runs from low to high.

    Raises:
        ValueError: the first fault, as one line that names the key.
    """
    faults = sorted(_validator().iter_errors(summary), key=lambda fault: fault.json_path)
    if faults:
        raise ValueError(f"plateau_cause.json: {faults[0].json_path}: {faults[0].message}")
    for place, (low, high) in _intervals(summary):
        if not low <= high:  # also catches NaN, which JSON Schema calls a number
            raise ValueError(f"plateau_cause.json: {place}: [{low}, {high}] is not an interval")


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


def _intervals(summary: Mapping[str, Any]) -> Iterator[tuple[str, list[float]]]:
    owners = [
        (f"$.{key}[{i}]", entry)
        for key in ("causes", "harmless", "better_as_is", "undecided")
        for i, entry in enumerate(summary.get(key, ()))
    ]
    owners += [(f"$.{key}", summary.get(key) or {}) for key in ("verified", "gap")]
    for place, owner in owners:
        if owner.get("ci") is not None:
            yield f"{place}.ci", owner["ci"]
