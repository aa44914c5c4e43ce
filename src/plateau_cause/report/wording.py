"""Names in plain words: those of causes stand in their own files and come with the summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plateau_cause.causes.words import Words


def words(cause: Mapping[str, Any]) -> Words:
    """Returns the plain words of an entry of the summary's `causes`, also where it brings none."""
    name = spoken(str(cause["cause"]))
    return Words(
        title=cause.get("title") or name.capitalize(),
        repair=cause.get("repair") or f"Fix {name}",
        explanation=cause.get("explanation") or "",
    )


def spoken(name: str) -> str:
    """Returns a factor's or level's name as it is read aloud: "linear_probe" as "linear probe"."""
    return {"knn": "nearest neighbours", "linear_probe_canonical": "linear probe, expected inputs"}.get(
        name, name.replace("_", " ")
    )
