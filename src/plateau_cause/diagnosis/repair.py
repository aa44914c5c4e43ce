"""What to change: entries of params.yaml, or words about the user's own file where that decides."""

from __future__ import annotations

from typing import Any

from plateau_cause.causes import optimizer_parameters
from plateau_cause.causes.factor import RecipeFactor, plain
from plateau_cause.causes.words import Words
from plateau_cause.config.recipe import get
from plateau_cause.diagnosis.diagnose import Diagnosed
from plateau_cause.lab.arm import OWN_PIECES

SHOWN = 3  # parameters in a sentence


def fix(factor: RecipeFactor, diagnosed: Diagnosed) -> dict[str, Any]:
    """Returns the entries of params.yaml, or what to change in the user's file where that decides."""
    swaps = diagnosed.swaps
    fixed = factor.swapped(swaps.recipe, swaps.reference, swaps.rates)
    entries = factor.fix(swaps.recipe, fixed)
    if swaps.recipe.own & factor.pieces and "recipe.code" not in entries:
        return {"recipe.code": f"in your file: {factor.difference(fixed, swaps.recipe)}"}
    return entries


def own(factor: RecipeFactor, diagnosed: Diagnosed) -> dict[str, Any]:
    """Returns which functions of the user's file decide a factor, and what would be declared instead."""
    swaps = diagnosed.swaps
    functions = [name for name, pieces in OWN_PIECES.items() if swaps.recipe.own & factor.pieces & {*pieces}]
    if not functions:
        return {}
    fixed = factor.swapped(swaps.recipe, swaps.reference, swaps.rates)
    entries = {f"recipe.{key}": plain(get(fixed.recipe, key)) for key in factor.keys}
    return {"own": {"functions": functions, "entries": entries}}


def moves_nothing(diagnosed: Diagnosed) -> bool:
    """Returns whether all that the user's optimizer holds is what forward() never calls: nothing moved."""
    signals = diagnosed.runs["recipe"].outcome.signals
    return bool(diagnosed.evidence.unreached) and not any(signal["update_ratio"] > 0 for signal in signals)


def unused(made: dict[str, Any], diagnosed: Diagnosed) -> dict[str, Any]:
    """Returns what is said instead where not a choice of layers stops learning, but layers nobody calls."""
    names = ", ".join(diagnosed.evidence.unreached[:SHOWN])
    said = (
        f"No gradient reaches {names}: forward() calls none of what the optimizer holds, and nothing moves."
    )
    repaired = f"let the optimizer hold layers that forward() calls, or forward() call those of {names}"
    return {
        "cause": optimizer_parameters.FACTOR.name,
        "evidence": [said, *made["evidence"][1:]],
        "fix": {"recipe.code": f"in your file: {repaired}"},
        "own": {"functions": ["optimizer"], "entries": {}, "in_plain_sight": False},
        **words(optimizer_parameters.FACTOR.words),
    }


def words(said: Words) -> dict[str, str]:
    """Returns a cause's words as entries of a record."""
    return {"title": said.title, "repair": said.repair, "explanation": said.explanation}
