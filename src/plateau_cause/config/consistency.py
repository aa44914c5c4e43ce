"""What one key of params.yaml alone cannot tell: keys that go together, files that must be there."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause.config import backbone_name, schema
from plateau_cause.config import recipe as recipes
from plateau_cause.config.bundled import BUNDLED
from plateau_cause.errors import PlateauError, shown

if TYPE_CHECKING:
    from plateau_cause.config.params import Data, Params
    from plateau_cause.config.recipe import Recipe

OTHER_SOURCES = ("digits", "imagefolder", "table", "webdataset", "torchvision", "huggingface")
TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")
OF_SCRIPT = ("script", "arguments", "folder", "python", "code")
WEIGHT_SUFFIXES = (".safetensors", ".pt", ".pth")
WEIGHT_WORDS = ("bundled", "pretrained", "none")
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst")
SHARDS = {"table": (".parquet", TABLE_SUFFIXES), "webdataset": (".tar", (".tar",))}
# What a path was meant for, where the source is another one: its ending -> the source that reads it.
READS = {".csv": "table", ".tsv": "table", ".parquet": "table", ".tar": "webdataset"}


def mistakes(params: Params, root: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields the keys that a mistake lies in and the mistake, as one clear line.

    Args:
        params: every key in itself valid.
        root: the folder that relative paths are taken from.
    """
    for section, data in (("data", params.data), ("reference_data", params.reference_data)):
        if data is not None:
            yield from _data(section, data, root)
    if params.data.source == "script" and params.recipe.script is None:
        line = "data.source: got 'script', and recipe.script names none"
        yield ("data.source", "recipe.script"), f"{line}; allowed: {', '.join(OTHER_SOURCES)}"
    if params.recipe.script is not None:
        yield from _script(params.recipe, root)
        return  # the script has a network and weights of its own
    yield from _backbone(params, root)
    if params.recipe.code is not None and (wrong := _file(params.recipe.code, root, (".py",), words="null")):
        yield ("recipe.code",), f"recipe.code: {wrong}"


def unused(recipe: Recipe) -> Iterator[str]:
    """Yields a line for each value of the recipe that another one makes meaningless."""
    if recipe.script is not None:
        yield from _beside_script(recipe)
        return
    smoothing, warmup = recipe.loss.label_smoothing, recipe.schedule.warmup
    if smoothing and recipe.loss.name == "nll":
        yield f"recipe.loss.label_smoothing: {smoothing:g} has no effect; the loss nll does not smooth"
    if warmup and recipe.schedule.name == "one_cycle":
        yield f"recipe.schedule.warmup: {warmup:g} has no effect; one_cycle has a rise of its own"
    if not recipe.shuffle and recipe.sampler == "balanced":
        yield "recipe.shuffle: false has no effect; recipe.sampler balanced draws at random"


def _beside_script(recipe: Recipe) -> Iterator[str]:
    """Yields a line on the entries that the script decides in their place."""
    usual = {key.name: key.default for key in schema.leaves(type(recipe))}
    names = [f"recipe.{name}" for name, value in usual.items()
             if name not in OF_SCRIPT and recipes.get(recipe, name) != value]  # fmt: skip
    if names:
        yield f"{', '.join(names)}: no effect beside recipe.script, which decides this itself"


def _script(recipe: Recipe, root: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields what is wrong with a script and how it is to run."""
    script, python = str(recipe.script), recipe.python
    if recipe.code is not None:
        yield ("recipe.code",), f"recipe.code: got {shown(recipe.code)} beside recipe.script; allowed: null"
    if script.endswith(".py") and (wrong := _file(script, root, (".py",), words="null")):
        yield ("recipe.script",), f"recipe.script: {wrong}"
    if not script.endswith(".py") and not all(part.isidentifier() for part in script.split(".")):
        allowed = "allowed: null, an existing .py file, or a module's dotted name"
        yield ("recipe.script",), f"recipe.script: got {shown(script)}; {allowed}"
    if recipe.folder is not None and not os.path.isdir(root / recipe.folder):
        near = schema.nearest_path(root / recipe.folder, folders=True)
        yield ("recipe.folder",), f"recipe.folder: got {shown(recipe.folder)}; no such folder{near}"
    if python is not None and not os.access(root / python, os.X_OK):
        allowed = "allowed: null, or the path of an interpreter"
        yield ("recipe.python",), f"recipe.python: got {shown(python)}; no such program; {allowed}"


def _data(section: str, data: Data, root: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    if data.split.val + data.split.test >= 1:
        yield (
            (f"{section}.split",),
            f"{section}.split: got val {data.split.val:g} + test {data.split.test:g}, which leaves no "
            "training images; allowed: a sum below 1",
        )
    wrong = _path(section, data, root)
    if wrong:
        yield (f"{section}.path", f"{section}.source"), f"{section}.path: {wrong}"


def _path(section: str, data: Data, root: Path) -> str:
    """Returns what is wrong with the path of this source, "" where nothing is."""
    given = shown(data.path)
    if data.source == "script":
        return "" if data.path is None else f"got {given}; allowed: null, as the script loads its own data"
    if data.source == "digits":
        sources = "imagefolder, table, webdataset, torchvision, huggingface"
        reason = f"because {section}.source digits reads no path (sources that do: {sources})"
        return "" if data.path is None else f"got {given}; allowed: null, {reason}"
    if data.path is None:
        return f"got null; {section}.source {data.source} needs one"
    if data.source == "imagefolder":
        return "" if os.path.isdir(root / data.path) else _no_folder(data.path, root, section)
    if data.source not in SHARDS:
        is_folder = data.source == "huggingface" and data.path.startswith((".", "/", "~"))
        if not is_folder or os.path.exists(root / data.path):
            return ""
        return f"got {given}; no such folder{_nowhere(data.path)}; allowed: owner/name, or a folder"
    suffix, files = SHARDS[data.source]
    if _has_shards(root / data.path, suffix):
        return ""
    if os.path.isdir(root / data.path):
        hint = "; a folder of class folders is read by source imagefolder"
        return f"got {given}; this folder holds no {suffix} files{hint}"
    return _file(data.path, root, files, others=f"a folder or pattern of {suffix}")


def _no_folder(path: str, root: Path, section: str) -> str:
    """Returns what stands there instead of a folder, and what to do about it."""
    allowed = "allowed: a folder of class folders"
    suffix = Path(path).suffix.lower()
    if not os.path.isfile(root / path):
        where = _nowhere(path) or schema.nearest_path(root / path, folders=True)
        return f"got {shown(path)}; no such folder{where}; {allowed}"
    if suffix in READS:
        return f"got {shown(path)}, a {suffix} file; set {section}.source: {READS[suffix]}; {allowed}"
    if suffix in ARCHIVES:
        return f"got {shown(path)}, an archive; unpack it and name the folder; {allowed}"
    return f"got {shown(path)}, a file; {allowed}"


def _nowhere(path: str) -> str:
    """Returns why a path cannot be found, where its form says so."""
    if "://" in path:
        return ": nothing is downloaded from an address"
    if path.startswith("~") or "$" in path:
        return ": ~ and $ are not expanded here; write the whole path"
    return "; on this system folders are separated by /" if "\\" in path and os.sep == "/" else ""


def _backbone(params: Params, root: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    name, weights = params.backbone.name, params.backbone.weights
    try:
        found = backbone_name.parse(name, root)
    except PlateauError as error:
        yield ("backbone.name",), str(error)
        found = None
    if weights == "bundled":
        is_bundled = found is None or (found.kind == "model" and found.source in BUNDLED)
        if not is_bundled or (found and found.library == "torchvision"):
            yield ("backbone.name", "backbone.weights"), bundled_refusal(name)
    elif weights not in WEIGHT_WORDS:
        words = ", ".join(WEIGHT_WORDS)
        if wrong := _file(weights, root, WEIGHT_SUFFIXES, words=words):
            yield ("backbone.weights",), f"backbone.weights: {wrong}"


def bundled_refusal(name: str) -> str:
    """Returns the line for a model whose weights no package ships."""
    return (
        f"backbone.weights: got 'bundled'; no package ships weights of {shown(name)[1:-1]}, only of "
        f"{', '.join(BUNDLED)}; allowed here: pretrained, none, or an existing "
        f"{' or '.join(WEIGHT_SUFFIXES)} file"
    )


def _has_shards(path: Path, suffix: str) -> bool:
    """Returns whether the path is a folder with such files at any depth, or a pattern that finds some."""
    if os.path.isdir(path):
        return next(path.rglob(f"*{suffix}"), None) is not None
    is_pattern = path.suffix == suffix and not os.path.exists(path)
    return is_pattern and next(glob.iglob(str(path), recursive=True), None) is not None


def _file(value: str, root: Path, suffixes: tuple[str, ...], words: str = "", others: str = "") -> str:
    """Returns what is wrong unless `value` is an existing file with one of the suffixes, "" otherwise."""
    allowed = f"allowed: {words + ', or ' if words else ''}an existing {' or '.join(suffixes)} file"
    allowed += f", or {others} files" if others else ""
    path = root / value
    if path.suffix.lower() not in suffixes:
        hint = schema.suggestion(value, words.split(", ")) if words else ""
        archive = ", an archive; unpack it" if path.suffix.lower() in ARCHIVES else ""
        return f"got {shown(value)}{archive}{hint}; {allowed}"
    if os.path.isdir(path):
        return f"got {shown(value)}, a folder; {allowed}"
    if not os.path.isfile(path):
        is_there = os.path.lexists(path)
        what = ", which is no regular file" if is_there else f"; no such file{_nowhere(value)}"
        return f"got {shown(value)}{what}{'' if is_there else schema.nearest_path(path)}; {allowed}"
    return "" if os.access(path, os.R_OK) else f"got {shown(value)}; no permission to read it; {allowed}"
