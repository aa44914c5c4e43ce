"""What the stages of a script share: how it is run, what was seen of it, where it is replayed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plateau_cause import artifacts
from plateau_cause.capture import launch
from plateau_cause.capture.identity import identity
from plateau_cause.capture.launch import Script
from plateau_cause.capture.possible import settings
from plateau_cause.capture.possible.change import Possible, listed
from plateau_cause.capture.replay import Replays
from plateau_cause.capture.rules.observation import Peeked
from plateau_cause.config.recipe import Recipe
from plateau_cause.pipeline import paths


def script_of(recipe: Recipe) -> Script:
    """Returns the script of a recipe.

    Raises:
        PlateauError: a file, folder or interpreter is not there.
    """
    target, folder = str(recipe.script), None if recipe.folder is None else Path(recipe.folder)
    return launch.script(target, recipe.arguments, folder, recipe.python, not target.endswith(".py"))


def key_of(recipe: Recipe) -> str:
    """Returns what decides what a run of the script gives, as one digest."""
    return identity(script_of(recipe))


def seen() -> dict[str, Any]:
    """Returns what the stage capture saw, its `interventions` among it."""
    content: dict[str, Any] = artifacts.read_json(paths.PEEK)
    return content


def possible_in(content: dict[str, Any]) -> list[Possible]:
    """Returns what could be changed in a script, as its peek lists it."""
    return listed(content["interventions"])


def replays(recipe: Recipe, content: dict[str, Any]) -> Replays:
    """Returns where the script is run again."""
    told = settings.loader(Peeked(content, Path()))
    trained = told["loader"] if told else None
    return Replays(script_of(recipe), possible_in(content), paths.REPLAYS, key_of(recipe), trained)
