"""Keras models on its torch backend, as modules that the rest of the code reads and edits like any other.

Such a model is a torch.nn.Module already, but a flat one: every variable of every layer lies in one table of
parameters, moving statistics among them, no layer is a submodule, and whether it trains is an argument of the
call. Here each layer with variables is a submodule; moving statistics are buffers; dense, dropout and
batch-norm layers are torch's own kinds, called by Keras where its own would be. All share Keras's variables.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.training.keras_layers import KerasBatchNorm, KerasDropout, KerasLayer, KerasLinear

MOST_BLOCKS = 32
CHANNELS = 3


def prepare() -> None:
    """Chooses Keras's torch backend for this process; Keras reads the choice once, when it is imported."""
    os.environ.setdefault("KERAS_BACKEND", "torch")


def forget_names() -> None:
    """Lets Keras number layers as in a new process: a model that is built again has the same names again."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session(free_memory=False)


def adapted(built: Any) -> Any:
    """Returns a Keras model as a KerasModule, and anything else as it is.

    Raises:
        PlateauError: a Keras model on another backend, or without its variables yet.
    """
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(built, keras.Model):
        return built
    if keras.backend.backend() != "torch":
        raise PlateauError(
            f"recipe.code: build_model() gives a Keras model on the {keras.backend.backend()} backend; "
            "set KERAS_BACKEND=torch"
        )
    if not built.built or not built.variables:
        raise PlateauError(
            "recipe.code: build_model() gives a Keras model that has no variables yet; "
            "begin it with keras.Input(shape=(height, width, 3)) or call its build()"
        )
    return KerasModule(built)


class KerasModule(nn.Module):
    """Images (B, 3, S, S) -> what the Keras model gives; its modes, freezing and state are torch's.

    Attributes:
        layers: the layers with variables, and dropout, from input to output. Their place names them in the
            state: Keras numbers its own names anew with every model.
        names: Keras's names of these layers.
        channels_first: whether the model reads (B, 3, S, S) itself.
    """

    def __init__(self, keras_model: Any) -> None:
        super().__init__()
        self._keras = (keras_model,)  # in a tuple: as a submodule it would bring its own table of parameters
        self.__name__ = type(keras_model).__name__  # for messages
        self.channels_first = _reads_channels_first(keras_model)
        held = list(_holders(keras_model))
        self.layers = nn.ModuleList(holder for _, holder in held)
        self.names = tuple(name for name, _ in held)
        trained = {id(variable) for variable in keras_model.trainable_variables}
        for variable in keras_model.variables:
            variable.value.requires_grad_(id(variable) in trained)
        self.to("cpu")  # where every network is built; Keras builds on the GPU where there is one

    @property
    def keras(self) -> Any:
        """Returns the user's own model."""
        return self._keras[0]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the model's outputs (B, C)."""
        import keras

        inputs = images if self.channels_first else images.permute(0, 2, 3, 1)  # (B, S, S, 3)
        with keras.device(str(images.device)):
            outputs: torch.Tensor = self.keras(inputs, training=self.training)
        return outputs

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        """Returns the parameters as blocks from input to output.

        Keras's models have no submodules but speaking names (conv5_block3_2_bn): neighbours whose names begin
        with the same words are a block, with as many words as give no more than MOST_BLOCKS. Batch norm
        goes with what stands before it.
        """
        held = [
            (name, layer)
            for name, layer in zip(self.names, self.layers, strict=True)
            if next(layer.parameters(), None) is not None
        ]
        longest = max(len(name.split("_")) for name, _ in held)
        grouped = [_grouped(held, words) for words in range(1, longest + 1)]
        return next((found for found in reversed(grouped) if len(found) <= MOST_BLOCKS), grouped[0])

    def __reduce__(self) -> Any:
        """Goes through Keras's own format: its models share their variables with nothing that pickle sees."""
        flags = [parameter.requires_grad for parameter in self.parameters()]
        return _restored, (pickle.dumps(self.keras), flags, self.training)


def _restored(model: bytes, flags: list[bool], training: bool) -> KerasModule:
    prepare()
    module = KerasModule(pickle.loads(model))
    for parameter, flag in zip(module.parameters(), flags, strict=True):
        parameter.requires_grad_(flag)
    return module.train(training)


def _grouped(held: list[tuple[str, nn.Module]], words: int) -> list[tuple[str, list[nn.Parameter]]]:
    """Joins neighbours whose names begin with the same words."""
    found: list[tuple[str, list[nn.Parameter]]] = []
    before = ""
    for name, layer in held:
        begin = "_".join(name.split("_")[:words])
        if found and (begin == before or isinstance(layer, KerasBatchNorm)):
            found[-1][1].extend(layer.parameters())
        else:
            is_taken = begin in (other for other, _ in found)
            found.append((name if is_taken else begin, list(layer.parameters())))
            before = begin
    return found


def _holders(keras_model: Any) -> Iterator[tuple[str, nn.Module]]:
    """Yields name and module of each layer that owns variables or drops out, from input to output."""
    from keras import layers

    ordered = list(_walk(keras_model))
    owners = {id(variable): layer for layer in ordered for variable in layer.variables}  # the innermost
    for layer in ordered:
        variables = [variable for variable in layer.variables if owners[id(variable)] is layer]
        if type(layer) is layers.Dropout and layer.noise_shape is None:
            yield layer.name, KerasDropout(layer)
        elif _is_plain_dense(layer):
            yield layer.name, KerasLinear(layer, variables)
        elif isinstance(layer, layers.BatchNormalization):
            yield layer.name, KerasBatchNorm(layer, variables)
        elif variables:
            yield layer.name, KerasLayer(layer, variables)


def _walk(layer: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """Yields the layer and all inside it, each once, in Keras's order."""
    seen = set() if seen is None else seen
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield layer
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        yield from _walk(inner, seen)


def _is_plain_dense(layer: Any) -> bool:
    from keras import layers

    if type(layer) is not layers.Dense or layer.quantization_mode is not None or layer.lora_enabled:
        return False
    return bool(layer.compute_dtype == layer.variable_dtype)


def _reads_channels_first(keras_model: Any) -> bool:
    """Returns whether the input has its channels before height and width; Keras's setting decides a tie."""
    import keras

    shape = getattr(keras_model, "input_shape", None)
    if isinstance(shape, tuple) and len(shape) == 4 and (shape[1] == CHANNELS) != (shape[3] == CHANNELS):
        return bool(shape[1] == CHANNELS)
    return bool(keras.config.image_data_format() == "channels_first")
