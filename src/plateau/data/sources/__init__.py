"""Where images come from. To add a source: one file beside this one, one line in the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from plateau.data.item import Item
from plateau.errors import PlateauError
from plateau.params import Data

# declared name -> module with `read(data, key) -> Iterable[Item]`; imported only when chosen
SOURCES = {
    "digits": "plateau.data.sources.digits",
    "imagefolder": "plateau.data.sources.imagefolder",
    "table": "plateau.data.sources.table",
}


def read(data: Data, key: str = "data") -> Iterable[Item]:
    """Returns the items of the declared source.

    Args:
        data: what to read; relative paths are taken from the current directory.
        key: section of the parameters that it stands in, for messages.

    Raises:
        PlateauError: the source is not there, or cannot be read as what it is declared to be.
    """
    if data.source not in SOURCES:
        raise PlateauError(f"{key}.source: got {data.source!r}; allowed: {', '.join(SOURCES)}")
    reader: Callable[[Data, str], Iterable[Item]] = import_module(SOURCES[data.source]).read
    return reader(data, key)
