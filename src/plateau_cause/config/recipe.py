"""A fine-tuning recipe as frozen values: everything a user decides, nothing that is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from plateau_cause.config.options import option, section

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a decoded image becomes the model's input tensor."""

    size: int = option(64, low=8, high=2048, help="input height = width, pixels")
    resize: str = option(
        "squash", choices=("squash", "crop", "pad"), help="how an image that is not square becomes square"
    )
    interpolation: str = option("bicubic", choices=("nearest", "bilinear", "bicubic"), help="of the resize")
    scale: str = option("unit", choices=("unit", "byte"), help="unit: pixel values 0..1, byte: 0..255")
    mean: str | Triple | None = option(
        "canonical",
        choices=("canonical",),
        low=-1000,
        high=1000,
        help="canonical: what the weights expect, null: nothing is subtracted, or one number per channel",
    )
    std: str | Triple | None = option(
        "canonical",
        choices=("canonical",),
        low=0.0001,
        high=1000,
        help="canonical: what the weights expect, null: nothing divides, or one number per channel",
    )
    channels: str = option("rgb", choices=("rgb", "bgr"), help="order of the colour channels")


@dataclass(frozen=True, kw_only=True)
class Head:
    """What stands between the pooled features and the loss."""

    dropout: float = option(0.0, low=0, below=1, help="fraction of the features dropped in training")
    activation: str | None = option(
        None, choices=("softmax", "relu"), help="applied to the outputs before the loss; null: none"
    )
    initialization: str = option(
        "random",
        choices=("random", "linear_probe"),
        help="linear_probe: solved on the frozen features before training",
    )


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The training loss."""

    name: str = option(
        "cross_entropy", choices=("cross_entropy", "nll", "bce", "mse"), help="what training minimises"
    )
    label_smoothing: float = option(0.0, low=0, below=1, help="share of the target spread over all classes")


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """What moves the parameters."""

    name: str = option("adamw", choices=("adamw", "adam", "sgd", "rmsprop"), help="update rule")
    learning_rate: float = option(0.001, above=0, high=1000, help="peak step size")
    weight_decay: float = option(0.01, low=0, high=1000, help="pull towards zero")
    momentum: float = option(0.9, low=0, below=1, help="sgd and rmsprop only")
    parameters: str = option(
        "trainable", choices=("trainable", "head", "backbone"), help="which parameters the optimizer holds"
    )


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long training lasts and how the learning rate moves over it."""

    name: str = option(
        "constant",
        choices=("constant", "cosine", "one_cycle"),
        help="course of the learning rate; one_cycle: PyTorch's OneCycleLR, its momentum included",
    )
    epochs: int = option(6, low=1, high=10_000, help="passes over the training images")
    warmup: float = option(0.0, low=0, high=1, help="fraction of all steps in which the rate rises")
    keep: str = option(
        "last", choices=("last", "best"), help="the epoch that is kept; best: highest validation accuracy"
    )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One complete fine-tuning recipe."""

    script: str | None = option(
        None, help="your unchanged training script, or a module's dotted name; all else is read from its run"
    )
    arguments: tuple[str, ...] = option((), is_line=True, help="the script's command line")
    folder: str | None = option(None, help="where the script runs; null: its own folder")
    python: str | None = option(
        None, help="the interpreter of the script's environment; null: the one plateau runs in"
    )
    code: str | None = option(None, help="your own Python file; what it defines replaces the entries below")
    preprocessing: Preprocessing = section(Preprocessing)
    augmentation: str = option(
        "none", choices=("none", "flip", "crop_flip", "strong"), help="random changes to training images"
    )
    trainable: str = option(
        "head", choices=("none", "head", "last_block", "all"), help="which part of the network learns"
    )
    batch_norm: str = option(
        "train",
        choices=("train", "frozen"),
        help="whether batch-norm layers that train use and update batch statistics",
    )
    head: Head = section(Head)
    loss: Loss = section(Loss)
    optimizer: Optimizer = section(Optimizer)
    schedule: Schedule = section(Schedule)
    batch_size: int = option(64, low=1, high=65_536, help="images per step")
    shuffle: bool = option(True, help="whether the order of the training images is new in each epoch")
    sampler: str = option(
        "uniform", choices=("uniform", "balanced"), help="balanced: every class is drawn equally often"
    )


def get(recipe: Recipe, key: str) -> Any:
    """Returns the value of a dotted key, such as `optimizer.learning_rate`."""
    value: Any = recipe
    for name in key.split("."):
        value = getattr(value, name)
    return value


def put(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """Returns the recipe with these dotted keys replaced."""
    for key, value in values.items():
        section_name, _, inner = key.partition(".")
        if inner:
            value = replace(getattr(recipe, section_name), **{inner: value})
        recipe = replace(recipe, **{section_name: value})
    return recipe


def shared(recipe: Recipe) -> dict[str, Any]:
    """Returns what a reference takes over from a recipe, to be comparable with it: values by dotted key."""
    return {key: get(recipe, key) for key in ("preprocessing.size", "optimizer.name")}


def comparable(recipe: Recipe) -> Recipe:
    """Returns a recipe that has of the given one what a reference shares with it, and nothing else."""
    return put(Recipe(trainable="all"), shared(recipe))
