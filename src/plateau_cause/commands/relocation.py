"""Parameters that mean the same in another folder: what names files is written as seen from there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from plateau_cause.config import backbone_name, params
from plateau_cause.config.consistency import WEIGHT_WORDS
from plateau_cause.config.params import Params

PATH_SOURCES = ("imagefolder", "table", "webdataset")  # whose data.path is a file, a folder or a pattern


def relocated(given: Params, base: Path, folder: Path) -> dict[str, Any]:
    """Returns all of params.yaml as plain types, for a project in `folder`.

    Args:
        given: valid parameters.
        base: the folder that their relative paths are taken from.
        folder: the one they are to be taken from.
    """
    place = _Place(base.resolve(), folder.resolve())
    values = params.dump(given)
    for section in ("data", "reference_data"):
        if values[section] is not None:
            _move_data(values[section], place)
    backbone, recipe = values["backbone"], values["recipe"]
    backbone["name"] = _move_name(backbone["name"], place)
    if backbone["weights"] not in WEIGHT_WORDS:
        backbone["weights"] = place.seen(backbone["weights"])
    for key in ("code", "folder", "python", "script"):
        if recipe[key] is not None and not (key == "script" and not recipe[key].endswith(".py")):
            recipe[key] = place.seen(recipe[key])
    return values


class _Place:
    """Two folders, and how a path of the one reads in the other."""

    def __init__(self, base: Path, folder: Path) -> None:
        self.base, self.folder = base, folder

    def seen(self, value: str) -> str:
        return value if Path(value).is_absolute() else os.path.relpath(self.base / value, self.folder)


def _move_data(section: dict[str, Any], place: _Place) -> None:
    path = section["path"]
    is_local = section["source"] == "huggingface" and (place.base / str(path)).exists()
    if path is not None and (is_local or section["source"] in PATH_SOURCES):
        section["path"] = place.seen(path)
    section["root"] = place.seen(section["root"])


def _move_name(name: str, place: _Place) -> str:
    found = backbone_name.parse(name, place.base)
    if found.kind not in ("folder", "clone"):
        return name
    return place.seen(found.source) + (f":{found.entry}" if found.kind == "clone" else "")
