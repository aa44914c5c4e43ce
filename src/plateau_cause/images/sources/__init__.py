"""Where images come from. To add a source: one file beside this one, one line in the registry."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause.config.params import Data
from plateau_cause.errors import PlateauError

if TYPE_CHECKING:
    from plateau_cause.images.item import Item

# declared name -> module, imported only when chosen, with two functions:
#     read(data, key) -> Iterable[Item]
#     local_files(data, key) -> Path | None    what DVC watches for changes
SOURCES = {
    "digits": "plateau_cause.images.sources.digits",
    "imagefolder": "plateau_cause.images.sources.imagefolder",
    "table": "plateau_cause.images.sources.table",
    "webdataset": "plateau_cause.images.sources.webdataset",
    "torchvision": "plateau_cause.images.sources.torchvision",
    "huggingface": "plateau_cause.images.sources.huggingface",
}


def read(data: Data, key: str = "data") -> Iterable[Item]:
    """Returns the items of the declared source.

    Args:
        data: what to read; relative paths are taken from the current directory.
        key: section of the parameters that it stands in, for messages.

    Raises:
        PlateauError: the source is not there, or cannot be read as what it is declared to be.
    """
    found: Iterable[Item] = _module(data, key).read(data, key)
    return found


def local_files(data: Data, key: str = "data") -> Path | None:
    """Returns the file or folder that the images come from, downloaded first where that is how one has it.

    None: they are in no place of their own, such as a data set of a hub in the cache of its library.

    Raises:
        PlateauError: the source does not know the data set, or cannot have it; or the project itself lies in
            that folder.
    """
    found: Path | None = _module(data, key).local_files(data, key)
    if found is not None and found.is_dir() and Path("data").resolve().is_relative_to(found.resolve()):
        raise PlateauError(
            f"{key}.path: {data.path!r} leads to the folder {str(found)!r}, which holds this project's own "
            "files; allowed: a folder with nothing but the images"
        )
    return found


def _module(data: Data, key: str) -> Any:
    if data.source not in SOURCES:
        raise PlateauError(f"{key}.source: got {data.source!r}; allowed: {', '.join(SOURCES)}")
    return import_module(SOURCES[data.source])
