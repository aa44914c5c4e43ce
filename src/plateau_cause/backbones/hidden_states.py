"""Image classifiers of transformers as modules from tensors to tensors, and cut into stages.

Their blocks hand a hidden state on, some beside other things, and what stands before and after the blocks is
plain code. So the stem is the embedding, and the end is the model itself with an embedding that hands its
input on and without blocks.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

Named = tuple[str, nn.Module]

EMBEDDINGS = ("embeddings", "embedder", "conv_stem")
BLOCKS = ("layers", "layer", "encoder.layers", "encoder.layer", "encoder.stages", "encoder.blocks")
ANY_SIZE = "interpolate_pos_encoding"


class Logits(nn.Module):
    """Images (B, 3, S, S) -> logits (B, C); without its classifier the model gives features (B, D) there."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.options = _options(model)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the field `logits` of what the model gives."""
        logits: torch.Tensor = self.model(pixel_values=images, **self.options).logits
        return logits


class HiddenState(nn.Module):
    """One module of the chain: hidden state or images in, hidden state out.

    Attributes:
        with_grid: whether the module also takes the grid of patches (rows, columns); images are square here.
    """

    def __init__(self, module: nn.Module, with_grid: bool = False) -> None:
        super().__init__()
        self.module = module
        self.with_grid = with_grid
        self.options = _options(module)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Returns the hidden state alone, without what some modules give beside it."""
        grid = (_grid(hidden),) if self.with_grid else ()
        given = self.module(hidden, *grid, **self.options)
        state: torch.Tensor = given if isinstance(given, torch.Tensor) else given[0]
        return state


class HandOn(nn.Module):
    """Stands where the embedding was: gives the hidden state that it is given."""

    def __init__(self, embedding: nn.Module, with_grid: bool) -> None:
        super().__init__()
        self.with_grid = with_grid
        self._original = (embedding,)  # in a tuple: its parameters belong to the stem

    def forward(self, hidden: torch.Tensor, *_: Any, **__: Any) -> Any:
        """Returns the hidden state, with its grid where the blocks want one."""
        return (hidden, _grid(hidden)) if self.with_grid else hidden

    def __getattr__(self, name: str) -> Any:
        """Models ask their embedding for its data type, for instance."""
        if name in self.__dict__.get("_modules", {}) or "_original" not in self.__dict__:
            return super().__getattr__(name)
        return getattr(self._original[0], name)


def guesses(model: nn.Module) -> Iterator[list[list[Named]]]:
    """Yields stem, blocks and last block of a transformers model (in Logits); nothing for other models."""
    if not isinstance(model, Logits):
        return
    prefix = str(getattr(model.model, "base_model_prefix", ""))
    body = getattr(model.model, prefix, None)
    embedding = next((name for name in EMBEDDINGS if isinstance(getattr(body, name, None), nn.Module)), None)
    if not isinstance(body, nn.Module) or embedding is None:
        return
    for path in (path for path in BLOCKS if _blocks(body, path)):
        for with_grid in (False, True):
            yield _chain(model, prefix, embedding, path, with_grid)


def _chain(model: Logits, prefix: str, embedding: str, path: str, with_grid: bool) -> list[list[Named]]:
    body = model.model.get_submodule(prefix)
    stem = body.get_submodule(embedding)
    end = replaced(model, f"model.{prefix}.{embedding}", HandOn(stem, with_grid))
    end = replaced(end, f"model.{prefix}.{path}", nn.ModuleList())
    blocks: list[Named] = [
        (f"{path}.{i}", HiddenState(block, with_grid)) for i, block in enumerate(_blocks(body, path))
    ]
    first: list[Named] = [(embedding, HiddenState(stem))]
    return [first, *([block] for block in blocks[:-1]), [blocks[-1], ("end", end)]]


def replaced(module: nn.Module, path: str, new: nn.Module) -> nn.Module:
    """Returns a module that shares everything with this one except the submodule at the path."""
    shell = copy.copy(module)
    for table in ("_parameters", "_buffers", "_modules"):
        setattr(shell, table, dict(getattr(module, table)))
    name, _, rest = path.partition(".")
    shell._modules[name] = replaced(module.get_submodule(name), rest, new) if rest else new
    return shell


def _blocks(body: nn.Module, path: str) -> list[nn.Module]:
    found: Any = body
    for name in path.split("."):
        found = getattr(found, name, None)
    return list(found) if isinstance(found, nn.ModuleList | nn.Sequential) else []


def _grid(hidden: torch.Tensor) -> tuple[int, int]:
    side = math.isqrt(hidden.shape[1])
    return side, side


def _options(module: nn.Module) -> dict[str, bool]:
    return {ANY_SIZE: True} if ANY_SIZE in inspect.signature(module.forward).parameters else {}
