"""params.yaml as frozen, validated types. Nothing else in the project reads that file.

python -m plateau_cause.config.params     # prints the table of every key: default, what is allowed, meaning
"""

from __future__ import annotations

import dataclasses
import glob
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plateau_cause.config import backbone_name, schema
from plateau_cause.config.options import option, section
from plateau_cause.config.recipe import Recipe
from plateau_cause.errors import PlateauError

SOURCES = ("digits", "imagefolder", "table", "webdataset", "torchvision", "huggingface")
TABLE_SUFFIXES = (".csv", ".parquet")
WEIGHT_SUFFIXES = (".safetensors", ".pt", ".pth")
WEIGHT_WORDS = ("bundled", "pretrained", "none")
CAUSE_NAMES = (
    "preprocessing",
    "resolution",
    "augmentation",
    "frozen_layers",
    "weights_not_loaded",
    "batch_norm",
    "head",
    "loss_function",
    "optimizer_parameters",
    "learning_rate_low",
    "learning_rate_high",
    "training_length",
    "regularization",
    "data_order",
    "class_imbalance",
    "label_noise",
    "limited_data",
    "class_overlap",
    "feature_misalignment",
)
ARMS = ("recipe", "reference")
LARGEST_SEED = 2**32 - 1  # numpy takes no larger one


class ParamsError(PlateauError):
    """params.yaml says something that cannot be used; the message names the key and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a table of images; split and group may be absent from it."""

    image: str = option("image", help="column of paths (absolute or relative to the table) or of image bytes")
    label: str = option("label", help="column of class names")
    split: str = option("split", help="column of train, val, test; may be absent")
    group: str = option("group", help="column of groups that never cross splits; may be absent")


@dataclass(frozen=True, kw_only=True)
class Split:
    """How images that carry no split of their own are divided."""

    val: float = option(0.2, above=0, below=1, help="fraction of the images for validation")
    test: float = option(0.2, above=0, below=1, help="fraction of the images for the test")
    seed: int = option(0, low=0, high=LARGEST_SEED, help="of the division")


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where the images come from and how they are stored."""

    source: str = option("digits", choices=SOURCES, help="kind of source")
    path: str | None = option(
        None, help="folder, table, shards (a folder or a pattern) or data-set name; null for digits"
    )
    root: str = option("data/raw", help="torchvision only: folder of its data sets; downloads go there")
    columns: Columns = section(Columns)
    split: Split = section(Split)
    max_images: int | None = option(None, low=1, help="stratified subsample; null: all images")
    stored_size: int = option(96, low=8, high=4096, help="longer side of a stored image at most, pixels")
    max_unreadable: float = option(0.01, low=0, high=1, help="fraction of unreadable files that is tolerated")


@dataclass(frozen=True, kw_only=True)
class BackboneParams:
    """The pretrained network."""

    name: str = option("tf_efficientnet_lite0", help=backbone_name.FORMS)
    weights: str = option("bundled", help="bundled, pretrained, none, or a .safetensors, .pt or .pth file")


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What is tested, on which budget, and what counts as an effect."""

    factors: str | tuple[str, ...] = option(
        "all", choices=("all", *CAUSE_NAMES), help="all, or a list of causes to test"
    )
    max_cost: float = option(
        3.0, above=0, high=1000, help="training seconds of the diagnosis, as a multiple of one reference run"
    )
    seeds: tuple[int, ...] = option((0,), low=0, high=LARGEST_SEED, help="every arm runs once per seed")
    min_effect: float = option(0.03, above=0, below=1, help="smallest accuracy change worth reporting, 0..1")
    target_accuracy: float | None = option(None, above=0, high=1, help="what you need, if known, 0..1")
    landscape: bool = option(
        True,
        help="whether the loss between and around the two arms is drawn: a few seconds; false: not drawn",
    )


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Where runs are recorded."""

    experiment: str = option("plateau", help="MLflow experiment")


@dataclass(frozen=True, kw_only=True)
class Params:
    """All of params.yaml."""

    data: Data = section(Data)
    reference_data: Data | None = option(None, help="a sample of the domain of pretraining; null: none")
    backbone: BackboneParams = section(BackboneParams)
    recipe: Recipe = section(Recipe)
    diagnosis: Diagnosis = section(Diagnosis)
    tracking: Tracking = section(Tracking)


def load(path: Path = Path("params.yaml")) -> Params:
    """Returns the parameters, defaults filled in, paths as written.

    Args:
        path: the YAML file; relative paths in it are taken from its folder (the repository root).

    Raises:
        ParamsError: anything is unknown, of the wrong type, out of range or missing; one clear line.
    """
    try:
        params = schema.build(Params, schema.read_yaml(path))
        _check(params, path.parent)
    except schema.SchemaError as error:
        raise ParamsError(str(error)) from None
    return params


def dump(part: Any) -> dict[str, Any]:
    """Returns a section (such as a Recipe) as plain YAML types, complete: ready to paste into params.yaml."""
    return {key.name: _plain(getattr(part, key.name)) for key in dataclasses.fields(part)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return dump(value)
    return list(value) if isinstance(value, tuple) else value


def _check(params: Params, root: Path) -> None:
    """Checks what one key alone cannot tell: keys that go together, files that must be there."""
    _check_data("data", params.data, root)
    if params.reference_data is not None:
        _check_data("reference_data", params.reference_data, root)
    try:
        backbone_name.parse(params.backbone.name, root)
    except PlateauError as error:
        raise schema.SchemaError(str(error)) from None
    if params.backbone.weights not in WEIGHT_WORDS:
        words = ", ".join(WEIGHT_WORDS)
        _check_file("backbone.weights", params.backbone.weights, root, WEIGHT_SUFFIXES, words=words)
    if params.recipe.code is not None:
        _check_file("recipe.code", params.recipe.code, root, (".py",), words="null")


def _check_data(key: str, data: Data, root: Path) -> None:
    if data.split.val + data.split.test >= 1:
        raise schema.SchemaError(
            f"{key}.split: got val {data.split.val:g} + test {data.split.test:g}, which leaves no training "
            "images; allowed: a sum below 1"
        )
    if data.source == "digits":
        if data.path is not None:
            raise schema.SchemaError(
                f"{key}.path: got {data.path!r}; allowed: null, because {key}.source digits reads no path "
                f"(sources that do: {', '.join(SOURCES[1:])})"
            )
    elif data.path is None:
        raise schema.SchemaError(f"{key}.path: got null; {key}.source {data.source} needs one")
    elif data.source == "imagefolder" and not (root / data.path).is_dir():
        hint = schema.nearest_path(root / data.path, folders=True)
        allowed = "allowed: a folder of class folders"
        raise schema.SchemaError(f"{key}.path: got {data.path!r}; no such folder{hint}; {allowed}")
    elif data.source == "table" and not _has_shards(root / data.path, ".parquet"):
        _check_file(f"{key}.path", data.path, root, TABLE_SUFFIXES, others="a folder or pattern of .parquet")
    elif data.source == "webdataset" and not _has_shards(root / data.path, ".tar"):
        _check_file(f"{key}.path", data.path, root, (".tar",), others="a folder or pattern of .tar")


def _has_shards(path: Path, suffix: str) -> bool:
    """Returns whether the path is a folder with such files at any depth, or a pattern that finds some."""
    if path.is_dir():
        return next(path.rglob(f"*{suffix}"), None) is not None
    is_pattern = path.suffix == suffix and not path.exists()
    return is_pattern and next(glob.iglob(str(path), recursive=True), None) is not None


def _check_file(
    key: str, value: str, root: Path, suffixes: tuple[str, ...], words: str = "", others: str = ""
) -> None:
    """Raises unless `value` is an existing file with one of the suffixes."""
    allowed = f"allowed: {words + ', or ' if words else ''}an existing {' or '.join(suffixes)} file"
    allowed += f", or {others} files" if others else ""
    path = root / value
    if path.suffix.lower() not in suffixes:
        hint = schema.suggestion(value, words.split(", ")) if words else ""
        raise schema.SchemaError(f"{key}: got {value!r}{hint}; {allowed}")
    if not path.is_file():
        raise schema.SchemaError(f"{key}: got {value!r}; no such file{schema.nearest_path(path)}; {allowed}")


if __name__ == "__main__":
    print(schema.markdown(Params))
