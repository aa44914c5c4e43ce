"""Layers of a Keras model as torch's own kinds, which share their variables with Keras (keras_model.py)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional


class KerasLayer(nn.Module):
    """The variables of one layer: what Keras could train as parameters, all others as buffers."""

    def __init__(self, layer: Any, variables: list[Any]) -> None:
        nn.Module.__init__(self)  # not the next in line: torch's own kinds make variables of their own
        learnt = {id(variable) for variable in layer._trainable_variables}
        for index, variable in enumerate(variables):
            name = re.sub(r"\W", "_", variable.name)
            name = f"{name}_{index}" if hasattr(self, name) else name
            if id(variable) in learnt:
                self.register_parameter(name, variable.value)
            else:
                self.register_buffer(name, variable.value)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        """Moves buffers in place, as torch moves parameters: Keras holds the same tensors."""
        shared = dict(self._buffers)
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, tensor in shared.items():
            moved = self._buffers[name]
            if tensor is not None and moved is not None:
                tensor.data = moved.data
                self._buffers[name] = tensor
        return self


class KerasLinear(KerasLayer, nn.Linear):
    """A dense layer without its activation; Keras keeps the kernel as (inputs, outputs)."""

    def __init__(self, layer: Any, variables: list[Any]) -> None:
        KerasLayer.__init__(self, layer, variables)
        self.in_features, self.out_features = layer.kernel.shape
        if layer.bias is None:
            self.register_parameter("bias", None)
        layer.call = self._call_of(layer)

    @property
    def weight(self) -> torch.Tensor:  # type: ignore[override]
        """Returns the kernel as torch has it, (outputs, inputs); what is written into it is the kernel's."""
        kernel: torch.Tensor = self._parameters["kernel"]  # type: ignore[assignment]
        return kernel.t()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns what goes into the activation (..., outputs)."""
        return functional.linear(inputs, self.weight, self.bias)

    def _call_of(self, layer: Any) -> Callable[..., torch.Tensor]:
        def call(inputs: torch.Tensor, training: bool | None = None) -> torch.Tensor:
            outputs: torch.Tensor = self(inputs)
            return outputs if layer.activation is None else layer.activation(outputs)

        return call


class KerasBatchNorm(KerasLayer, nn.modules.batchnorm._BatchNorm):
    """Batch norm that is in training mode as Keras means it: never while the layer is frozen."""

    def __init__(self, layer: Any, variables: list[Any]) -> None:
        KerasLayer.__init__(self, layer, variables)
        self.num_features, self.eps = layer.moving_mean.shape[0], layer.epsilon
        self.momentum, self.affine = 1.0 - layer.momentum, layer.scale  # torch counts what is new
        self.track_running_stats = True
        self._layer = (layer,)
        layer.call = self._call_of(layer)

    def extra_repr(self) -> str:
        """Returns what torch shows of the layer."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum:g}"

    def train(self, mode: bool = True) -> Any:
        """Sets the mode; a layer none of whose parameters trains stays in inference mode."""
        own = list(self.parameters())
        moves = any(p.requires_grad for p in own) if own else self._layer[0].trainable
        return super().train(mode and moves)

    def _call_of(self, layer: Any) -> Callable[..., torch.Tensor]:
        def call(inputs: torch.Tensor, training: bool | None = None, mask: Any = None) -> torch.Tensor:
            if self.training and not layer.trainable:  # unfrozen through requires_grad: Keras has to know
                layer.trainable = True
            outputs: torch.Tensor = type(layer).call(layer, inputs, training=self.training, mask=mask)
            return outputs

        return call


class KerasDropout(nn.Dropout):
    """Dropout whose probability can be set."""

    def __init__(self, layer: Any) -> None:
        super().__init__(layer.rate)
        layer.call = self._call

    def _call(self, inputs: torch.Tensor, training: bool | None = None) -> torch.Tensor:
        return functional.dropout(inputs, self.p, self.training)
