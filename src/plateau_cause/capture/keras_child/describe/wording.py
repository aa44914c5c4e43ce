"""Variables of a model in few words: by the outermost layer, whole or in part."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.library import Held

MOST = 6  # names in one sentence


def said(chosen: list[Held], everything: list[Held]) -> dict[str, Any]:
    """Returns variables in words: the layers, how many variables, matrices among them, numbers."""
    whole = bool(chosen) and len(chosen) == len(everything)
    return {"layers": "everything" if whole else _words(chosen, everything), "parameters": len(chosen),
            "matrices": sum(len(one.variable.shape) > 1 for one in chosen),
            "numbers": sum(library.size(one.variable) for one in chosen)}  # fmt: skip


def _words(chosen: list[Held], everything: list[Held]) -> str:
    picked, tops = {id(one.variable) for one in chosen}, _by_top(everything)
    words: list[str] = []
    run: list[str] = []
    for top, held in [*tops.items(), ("", [])]:
        inside = [one for one in held if id(one.variable) in picked]
        if held and len(inside) == len(held):
            run.append(top)
            continue
        words += run if len(run) <= MOST // 2 else [f"{run[0]} to {run[-1]} ({len(run)} layers)"]
        run = []
        if inside:
            words.append(f"{_layers(inside)} of {_layers(held)} layers of {top}")
    return ", ".join(words[:MOST]) + (f" and {len(words) - MOST} more" if len(words) > MOST else "")


def _by_top(everything: list[Held]) -> dict[str, list[Held]]:
    found: dict[str, list[Held]] = {}
    for one in everything:
        found.setdefault(one.way[0], []).append(one)
    return found


def _layers(held: list[Held]) -> int:
    return len({id(one.layer) for one in held})
