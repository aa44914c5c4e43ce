"""Everything that params.yaml leads to, tried on two images before anything runs.

The stage `check`, `plateau check`, `plateau diagnose` and `plateau doctor` say the same: all ask here.
All mistakes are found at once; torch is imported only where something has to be tried with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause import runtime
from plateau_cause.config import backbone_name, consistency
from plateau_cause.config.bundled import bundled_package
from plateau_cause.config.params import Params, examine
from plateau_cause.errors import MistakesError, PlateauError
from plateau_cause.lab.launch.crew import require as require_launcher
from plateau_cause.trial import script
from plateau_cause.trial.finding import Findings
from plateau_cause.trial.own_process import apart

if TYPE_CHECKING:
    from plateau_cause.trial.images import Sample

ALWAYS_THERE = ("auto", "cpu")  # devices


@dataclass(frozen=True)
class Tried:
    """What came of it.

    Attributes:
        params: as given; a key that is wrong has its default.
        mistakes: what stops a diagnosis, one line each.
        notes: what does not stop it and should be known, one line each.
    """

    params: Params
    mistakes: tuple[str, ...]
    notes: tuple[str, ...]


def check(path: Path) -> Tried:
    """Returns what is wrong with a params file and all that it leads to, and what should be known.

    Relative paths are taken from the file's folder. Nothing is written or downloaded.
    """
    params, wrong = examine(path)
    found = Findings(wrong)
    if params.recipe.script is not None:  # what it does is seen when it runs: the stage capture
        found.notes += consistency.unused(params.recipe)
        script.examine(params.recipe, path.parent, found)
        return _tried(params, found)
    if params.recipe.code is None or found.touches("recipe.code"):
        return _examined(path, params, found)
    try:
        return apart(lambda: _examined(path, params, found), params.recipe.code)
    except PlateauError as error:
        return _tried(params, Findings([*wrong, *error.lines]))


def _examined(path: Path, params: Params, found: Findings) -> Tried:
    """Returns what was found once everything has been tried."""
    found.notes += consistency.unused(params.recipe)
    if params.backbone.weights == "bundled" and not found.touches("backbone"):
        found.tried(lambda: bundled_package(backbone_name.parse(params.backbone.name).source))
    if params.device not in ALWAYS_THERE:
        found.tried(lambda: runtime.device(params.device))
    found.tried(lambda: require_launcher(params.launcher))
    with _inside(path.parent):
        sample = _sample(params, found)
        if _needs_torch(params, found):
            from plateau_cause.trial import training

            training.examine(params, sample, found)
    return _tried(params, found)


def _tried(params: Params, found: Findings) -> Tried:
    return Tried(params, tuple(dict.fromkeys(found.mistakes)), tuple(dict.fromkeys(found.notes)))


def require(path: Path) -> tuple[str, ...]:
    """Returns what should be known about a params file and all that it leads to, one line each.

    Raises:
        MistakesError: something is wrong; a line for each mistake.
    """
    tried = check(path)
    if tried.mistakes:
        raise MistakesError(tried.mistakes)
    return tried.notes


def _sample(params: Params, found: Findings) -> Sample | None:
    """Returns a look at the images; None for the embedded default, which needs none unless code reads it."""
    sources = [data.source for data in (params.data, params.reference_data) if data is not None]
    if set(sources) == {"digits"} and params.recipe.code is None:
        return None
    from plateau_cause.trial import images

    return images.look(params, found)


def _needs_torch(params: Params, found: Findings) -> bool:
    """Returns whether there is anything that the text of params.yaml does not tell."""
    recipe = params.recipe
    if (recipe.code is not None and not found.touches("recipe.code")) or recipe.batch_size == 1:
        return True
    return params.backbone.weights != "bundled" and not found.touches("backbone")


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Runs the block with the folder as the current one; what the user's file prints is no answer of ours."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.chdir(before)
