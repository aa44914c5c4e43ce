"""What `backbone.name` can say. Its syntax alone, so that it is checked before anything heavy is imported.

- resnet18: a torchvision or timm model; a prefix torchvision: or timm: decides where both have the name
- google/vit-base-patch16-224: a repository of the Hugging Face hub, with hf_hub: in front where that is
  clearer; a branch, tag or commit stands behind an @
- models/my_vit: a folder with config.json, as transformers and timm save it
- facebookresearch/dino:dino_vits16: a PyTorch Hub repository on GitHub (owner/repo or owner/repo:ref) and its
  entry point
- clones/dino:dino_vits16: a folder with hubconf.py and its entry point
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from plateau_cause.config import schema
from plateau_cause.errors import PlateauError, shown

LIBRARIES = ("torchvision", "timm")
HUB_PREFIXES = ("hf_hub", "hf-hub")
HUB_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
GITHUB_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(:[\w./-]+)?")
FORMS = (
    "a torchvision or timm model, owner/name of the Hugging Face hub, a folder with config.json, or "
    "owner/repo:entry or folder:entry of PyTorch Hub"
)


@dataclass(frozen=True)
class BackboneName:
    """A name taken apart.

    Attributes:
        kind: model | hub (Hugging Face) | folder | github | clone.
        source: the model's name; owner/name or owner/name@revision; a folder; owner/repo or owner/repo:ref.
        library: torchvision | timm, where a prefix says so; "" otherwise.
        entry: the entry point in hubconf.py.
    """

    kind: str
    source: str
    library: str = ""
    entry: str = ""


def parse(name: str, root: Path = Path()) -> BackboneName:
    """Returns what the name refers to; whether a library has the model is not looked up.

    Args:
        name: as in params.yaml.
        root: the folder that relative paths are taken from.

    Raises:
        PlateauError: no such form, folder, or file in the folder; one line that gives the nearest.
    """
    prefix, colon, rest = name.partition(":")
    if colon and prefix in HUB_PREFIXES:
        return _hub(name, rest)
    if colon and prefix in LIBRARIES:
        return _of_library(name, prefix, rest)
    if colon:
        return _with_entry(name, root)
    if "/" not in name:
        return BackboneName("model", name)
    if os.path.isdir(root / name) or _is_path(name):
        return BackboneName("folder", _folder(name, name, root, "config.json"))
    return _hub(name, name)


def _of_library(name: str, library: str, model: str) -> BackboneName:
    if library == "timm" and model.partition(":")[0] in HUB_PREFIXES:
        return _hub(name, model.partition(":")[2])
    if not model or set(":/") & set(model):
        raise PlateauError(f"backbone.name: got {shown(name)}; behind {library}: stands a model of {library}")
    return BackboneName("model", model, library=library)


def _hub(name: str, repository: str) -> BackboneName:
    if not HUB_REPOSITORY.fullmatch(repository):
        raise PlateauError(
            f"backbone.name: got {shown(name)}; a repository of the Hugging Face hub is owner/name, "
            "or owner/name@revision"
        )
    return BackboneName("hub", repository)


def _with_entry(name: str, root: Path) -> BackboneName:
    source, _, entry = name.rpartition(":")
    if not entry.isidentifier():
        raise PlateauError(
            f"backbone.name: got {shown(name)}; behind the last colon stands an entry point of hubconf.py"
        )
    if os.path.isdir(root / source) or _is_path(source):
        return BackboneName("clone", _folder(name, source, root, "hubconf.py"), entry=entry)
    if GITHUB_REPOSITORY.fullmatch(source):
        return BackboneName("github", source, entry=entry)
    raise PlateauError(
        f"backbone.name: got {shown(name)}; before the colon may stand torchvision, timm, hf_hub, "
        "owner/repo on GitHub or an existing folder with "
        f"hubconf.py{schema.nearest_path(root / source, folders=True)}"
    )


def _folder(name: str, folder: str, root: Path, needed: str) -> str:
    path = root / folder
    if not os.path.isdir(path):
        hint = schema.nearest_path(path, folders=True)
        raise PlateauError(f"backbone.name: got {shown(name)}; no such folder{hint}; allowed: {FORMS}")
    if not (path / needed).is_file():
        raise PlateauError(f"backbone.name: got {shown(name)}; there is no {needed} in this folder")
    return folder


def _is_path(text: str) -> bool:
    """Whether it can only be a folder; behind @ and : stand branches, which may hold a slash too."""
    return text.startswith((".", "/", "~")) or re.split("[:@]", text)[0].count("/") > 1
