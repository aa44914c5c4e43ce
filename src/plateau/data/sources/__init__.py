"""Where images come from. To add a source: one file beside this one, one line in the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from plateau.data.item import Item
from plateau.errors import PlateauError
from plateau.params import Data

# name in params.yaml -> module with `read(data) -> Iterable[Item]`; imported only when chosen
SOURCES = {
    "digits": "plateau.data.sources.digits",
    "imagefolder": "plateau.data.sources.imagefolder",
    "table": "plateau.data.sources.table",
}


def read(data: Data) -> Iterable[Item]:
    """Returns the items of the declared source, in the order of the source.

    Raises:
        PlateauError: the source is not there, or holds nothing that can be read.
    """
    if data.source not in SOURCES:
        available = ", ".join(SOURCES)
        raise PlateauError(f"data.source: {data.source!r} is not available yet; available: {available}")
    reader: Callable[[Data], Iterable[Item]] = import_module(SOURCES[data.source]).read
    return reader(data)
