"""A transcription at work: the functions of `recipe.code`, made of pieces that a peek has taken."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from plateau_cause.capture.child.facts import logits_of
from plateau_cause.capture.child.transcribe import PIECES, as_kind
from plateau_cause.errors import PlateauError


class Transcription:
    """The user's own transform, model, loss and optimizer; `recipe.py` of a transcription names them."""

    def __init__(self, recipe: str) -> None:
        self._pieces = pickle.loads((Path(recipe).parent / PIECES).read_bytes())

    def transform(self, image: Any, train: bool) -> torch.Tensor:
        """Returns a PIL image as the script's loader for training or evaluation gives it: (3, H, W)."""
        function, kind = self._pieces["transforms"][train]
        tensor: torch.Tensor = function(as_kind(np.asarray(image.convert("RGB")), kind))
        return tensor.float()

    def build_model(self, num_classes: int) -> nn.Module:
        """Returns the script's model with the weights that it began with.

        Raises:
            PlateauError: it has fewer outputs than there are classes.
        """
        model: nn.Module = copy.deepcopy(self._pieces["model"])
        last = [module for module in model.modules() if isinstance(module, nn.Linear)]
        if last and last[-1].out_features < num_classes:
            outputs = last[-1].out_features
            raise PlateauError(f"the script's model has {outputs} outputs for {num_classes} classes")
        return model

    def loss(self, output: Any, target: torch.Tensor) -> torch.Tensor:
        """Returns the script's loss, with what it does to the output before."""
        given = self._pieces["loss"]
        logits = logits_of(output)
        if given["before"] is not None:
            name = given["before"]
            activation = getattr(torch, name)
            logits = activation(logits, dim=1) if "softmax" in name else activation(logits)
        function = given["module"] or partial(getattr(nn.functional, given["function"]), **given["options"])
        value: torch.Tensor = function(logits, target)
        return value

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Returns the script's optimizer over the parameters that it holds."""
        given = self._pieces["optimizer"]
        own = list(model.parameters())
        groups = [{**options, "params": [own[i] for i in held]} for options, held in given["groups"]]
        built: torch.optim.Optimizer = given["class"](groups, lr=groups[0]["lr"])
        return built

    def on_train_start(self, model: nn.Module) -> None:
        """Sets the layers to evaluation mode that are in it while the script trains."""
        for name in self._pieces["modes"]:
            model.get_submodule(name).training = False
