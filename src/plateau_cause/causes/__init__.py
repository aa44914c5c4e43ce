"""One file per cause: what it swaps or tries, how likely it is, its words.

Nothing lists them: a file in this folder that defines `FACTOR` or `DATA_CAUSE` is a cause; one that defines
`WORDS` alone is a cause that only scripts have (docs/capture.md).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from plateau_cause.causes.factor import RecipeFactor
from plateau_cause.causes.trial import DataCause
from plateau_cause.causes.words import Words


def recipe_factors() -> tuple[RecipeFactor, ...]:
    """Returns the factors of a recipe, in the order in which they are swapped."""
    found = [module.FACTOR for module in _modules() if hasattr(module, "FACTOR")]
    return tuple(sorted(found, key=lambda factor: (factor.order, factor.name)))


def data_causes() -> tuple[DataCause, ...]:
    """Returns the causes on the data's side, by name."""
    found = [module.DATA_CAUSE for module in _modules() if hasattr(module, "DATA_CAUSE")]
    return tuple(sorted(found, key=lambda cause: cause.name))


def words_of(cause: str) -> Words:
    """Returns a cause in plain words, by the name that it is reported as."""
    for factor in recipe_factors():
        if cause == factor.name or cause in factor.cause_words:
            return factor.said(cause)
    words: Words = importlib.import_module(f"{__name__}.{cause}").WORDS
    return words


def _modules() -> Iterator[ModuleType]:
    for entry in pkgutil.iter_modules(__path__):
        yield importlib.import_module(f"{__name__}.{entry.name}")
