"""Keras as the script has it: Keras 3 on any backend, or the legacy Keras; models read in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

DROPOUTS = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
            "GaussianNoise", "AlphaDropout")  # fmt: skip
NORM = "BatchNormalization"


@dataclass(frozen=True)
class Held:
    """A variable of a model.

    Attributes:
        way: the names of the layers that lead to it, and its own: `("resnet50", "conv1_conv", "kernel")`.
        variable: the variable itself.
        layer: the layer that holds it.
        is_weight: whether gradients could move it; else it is a statistic.
    """

    way: tuple[str, ...]
    variable: Any
    layer: Any
    is_weight: bool

    @property
    def name(self) -> str:
        """Returns where it is: `resnet50/conv1_conv/kernel`."""
        return "/".join(self.way)


def backend(library: ModuleType) -> str:
    """Returns `tensorflow`, `torch` or `jax`."""
    return "tensorflow" if is_legacy(library) else str(library.backend.backend())


def is_legacy(library: ModuleType) -> bool:
    """Returns whether this is Keras 2, by the name of `tf_keras` or its own."""
    return str(library.__version__).startswith("2.")


def of(thing: Any) -> ModuleType:
    """Returns the Keras that a model, layer or optimizer belongs to."""
    import sys

    legacy = any(cls.__module__.startswith("tf_keras") for cls in type(thing).__mro__)
    return sys.modules["tf_keras" if legacy else "keras"]


def sublayers(layer: Any) -> list[Any]:
    """Returns the layers directly within a layer or model."""
    found = layer._flatten_layers(include_self=False, recursive=False)
    return [one for one in found if type(one).__name__ != "InputLayer"]


def walk(
    layer: Any, at: tuple[str, ...] = (), seen: set[int] | None = None
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yields every layer within a layer, each once, outer ones first, with the way to it."""
    seen = set() if seen is None else seen
    for one in sublayers(layer):
        if id(one) not in seen:
            seen.add(id(one))
            way = (*at, str(one.name))
            yield way, one
            yield from walk(one, way, seen)


def layers(model: Any) -> list[Any]:
    """Returns every layer within a model."""
    return [layer for _, layer in walk(model)]


def variables(model: Any) -> list[Held]:
    """Returns every variable of a model, each once, in the order of its layers."""
    found: dict[int, Held] = {}
    for way, layer in [*walk(model), ((), model)]:
        for is_weight, own in zip((True, False), _own(layer), strict=True):
            for variable in own:
                held = Held((*way, _last(variable)), variable, layer, is_weight)
                found.setdefault(id(variable), held)
    return list(found.values())


def weights(model: Any) -> list[Held]:
    """Returns the variables that gradients could move."""
    return [one for one in variables(model) if one.is_weight]


def trainable(model: Any) -> set[int]:
    """Returns the identities of the variables that training moves now."""
    return {id(one) for one in model.trainable_variables}


def size(variable: Any) -> int:
    """Returns how many numbers a variable holds."""
    count = 1
    for length in variable.shape:
        count *= int(length)
    return count


def values(thing: Any) -> Any:
    """Returns a tensor or variable of any backend as an array."""
    import numpy as np

    if hasattr(thing, "detach"):
        thing = thing.detach().cpu()
    if hasattr(thing, "numpy"):
        return np.asarray(thing.numpy())
    return np.asarray(getattr(thing, "value", thing))


def optimizer_of(model: Any) -> Any:
    """Returns the optimizer that a model is compiled with, as the script gave it.

    Under mixed precision Keras wraps it in one that scales the loss, whose rate and settings are not its own.
    """
    held = model.optimizer
    return getattr(held, "inner_optimizer", held)


def schedule_of(optimizer: Any) -> Any:
    """Returns the schedule that an optimizer was given in place of a rate; None where it has none."""
    given = getattr(optimizer, "_learning_rate", None)
    return given if hasattr(given, "get_config") and callable(given) else None


def config_of(optimizer: Any) -> dict[str, Any]:
    """Returns the configuration of an optimizer, its schedule as the object that it is.

    Scripts write schedules of their own, which Keras cannot read again from a configuration.
    """
    schedule = schedule_of(optimizer)
    if schedule is None:
        return dict(optimizer.get_config())
    optimizer._learning_rate = 0.0
    try:
        config = optimizer.get_config()
    finally:
        optimizer._learning_rate = schedule
    return {**config, "learning_rate": schedule}


def held_by(optimizer: Any) -> list[Any]:
    """Returns the variables of an optimizer: its rate, its count of steps, its moments."""
    found = optimizer.variables
    return list(found() if callable(found) else found)


def is_norm(layer: Any) -> bool:
    """Returns whether a layer is a batch norm, or derived from one."""
    return any(cls.__name__ in (NORM, "SyncBatchNormalization") for cls in type(layer).__mro__)


def is_dropout(layer: Any) -> bool:
    """Returns whether a layer drops something in training."""
    rate = getattr(layer, "rate", getattr(layer, "stddev", 0))
    return type(layer).__name__ in DROPOUTS and bool(rate)


def is_model(layer: Any) -> bool:
    """Returns whether a layer is itself a model."""
    return any(cls.__name__ in ("Model", "Functional", "Sequential") for cls in type(layer).__mro__)


def is_symbolic(tensor: Any) -> bool:
    """Returns whether a tensor has no values yet: a graph is being built, traced or compiled."""
    if type(tensor).__name__ in ("KerasTensor", "SymbolicTensor"):
        return True
    module = type(tensor).__module__
    if module.startswith("tensorflow") or "tensorflow" in module.split("."):
        return not hasattr(tensor, "numpy") or type(tensor).__name__ == "SymbolicTensor"
    return "Tracer" in type(tensor).__name__


def _own(layer: Any) -> tuple[list[Any], list[Any]]:
    """Returns the variables that a layer holds itself: weights, and everything else."""
    for one, other in (("_trainable_variables", "_non_trainable_variables"),
                       ("_trainable_weights", "_non_trainable_weights")):  # fmt: skip
        if hasattr(layer, one) and isinstance(getattr(layer, one), list):
            return list(getattr(layer, one)), list(getattr(layer, other))
    return [], []


def _last(variable: Any) -> str:
    return str(variable.name).rpartition("/")[2].partition(":")[0]
