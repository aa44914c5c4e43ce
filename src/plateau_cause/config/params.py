"""params.yaml as frozen, validated types. Nothing else in the project reads that file.

python -m plateau_cause.config.params     # prints the table of every key: default, what is allowed, meaning
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plateau_cause.config import backbone_name, consistency, schema
from plateau_cause.config.options import option, section
from plateau_cause.config.recipe import Recipe
from plateau_cause.config.yaml_file import read_yaml
from plateau_cause.errors import MistakesError

SOURCES = ("digits", "imagefolder", "table", "webdataset", "torchvision", "huggingface", "script")
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
    "evaluation",
    "label_mapping",
    "split_shift",
    "training_loop",
    "schedule",
    "weights_update",
)
DEVICES = ("auto", "cpu", "cuda", "mps")
LAUNCHERS = ("local", "ray", "slurm", "dask")
ARMS = ("recipe", "reference")
# Where swaps have a part of many images: what is added to the names of runs on all, and the recipe's on both.
ALL_IMAGES = "all images"
ALL = f", {ALL_IMAGES}"
OF_ALL, OF_PART = f"recipe{ALL}", "recipe, part of the images"
LARGEST_SEED = 2**32 - 1  # numpy takes no larger one


class ParamsError(MistakesError):
    """params.yaml says what cannot be used; each line names the key, what was given and what is allowed."""


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
    stored_size: int | None = option(
        None,
        low=8,
        high=4096,
        help="longer side of a stored image at most, pixels; null: half more than recipe and weights ask for",
    )
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
        3.0,
        above=0,
        high=1000,
        help="training seconds of the diagnosis, as a multiple of what finding the reference takes",
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
    device: str = option(
        "auto",
        choices=DEVICES,
        numbered=("cuda",),
        help="what computes; auto: a CUDA card that works, else cpu",
    )
    launcher: str = option(
        "local", choices=LAUNCHERS, help="where arms that do not wait for each other are trained"
    )


def load(path: Path = Path("params.yaml")) -> Params:
    """Returns the parameters, defaults filled in, paths as written.

    Args:
        path: the YAML file; relative paths in it are taken from its folder (the repository root).

    Raises:
        ParamsError: keys are unknown, of the wrong type or out of range, files missing; one line for each.
    """
    params, mistakes = examine(path)
    if mistakes:
        raise ParamsError(mistakes)
    return params


def examine(path: Path) -> tuple[Params, tuple[str, ...]]:
    """Returns the parameters, and a line for each mistake in them; a key that is wrong has its default."""
    try:
        values = read_yaml(path)
    except schema.SchemaError as error:
        return Params(), error.lines
    params, wrong = schema.read(Params, values)
    lines = list(wrong.values())
    for keys, line in consistency.mistakes(params, path.parent):
        if not any(_touches(key, bad) for key in keys for bad in wrong):
            lines.append(line)
    return params, tuple(lines)


def _touches(key: str, other: str) -> bool:
    """Returns whether one of two dotted keys is the other, or stands in its section."""
    return f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")


def dump(part: Any) -> dict[str, Any]:
    """Returns a section (such as a Recipe) as plain YAML types, complete: ready to paste into params.yaml."""
    return {key.name: _plain(getattr(part, key.name)) for key in dataclasses.fields(part)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return dump(value)
    return list(value) if isinstance(value, tuple) else value


if __name__ == "__main__":
    print(schema.markdown(Params))
