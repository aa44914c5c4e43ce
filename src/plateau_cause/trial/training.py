"""One training step of the recipe on two images, with the user's own functions where there are any."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from plateau_cause.config.params import Params
from plateau_cause.config.recipe import Preprocessing
from plateau_cause.errors import PlateauError, one_line
from plateau_cause.images.preprocessing import normalize, resize_one, resolve
from plateau_cause.runtime import seed_everything
from plateau_cause.training import losses, model, optimizer
from plateau_cause.training.user_code import UserCode, call, load_user_code
from plateau_cause.trial import backbone, functions
from plateau_cause.trial.finding import Findings
from plateau_cause.trial.images import Sample

TRIED = 2  # images
REPLACED = {  # what a function of the user's file stands in for
    "transform": ("preprocessing", "augmentation"),
    "build_model": ("trainable", "head"),
    "loss": ("loss",),
    "optimizer": ("optimizer",),
}
GRAY = (0.5, 0.5, 0.5)  # in place of numbers that only the backbone's weights know


def examine(params: Params, sample: Sample | None, found: Findings) -> None:
    """Tries the backbone, every function of the user's file, and one step of training."""
    is_known = backbone.examine(params, found)
    path = None if found.touches("recipe.code") else params.recipe.code
    code = found.tried(lambda: load_user_code(path))
    if code is None:
        return
    _say_unread(code, params, found)
    if (code.defined or params.recipe.batch_size == 1) and (is_known or code.build_model is not None):
        seed_everything(0)
        _Trial(params, code, sample or Sample(), found).run()


def _say_unread(code: UserCode, params: Params, found: Findings) -> None:
    """Says what of the user's file, and what of params.yaml beside it, nobody reads."""
    file, called = params.recipe.code, ", ".join(f"{name}()" for name in code.defined)
    if keys := [f"recipe.{key}" for name in code.defined for key in REPLACED.get(name, ())]:
        found.notes.append(f"recipe.code: {file} defines {called}, in place of {', '.join(keys)}")
    if code.unused:
        unused = ", ".join(code.unused)
        found.notes.append(f"recipe.code: of {file} plateau calls {called} only, and does not use {unused}")


class _Trial:
    """One try: each part goes on with what the parts before it gave, and is left out where they failed."""

    def __init__(self, params: Params, code: UserCode, sample: Sample, found: Findings) -> None:
        self.recipe, self.params, self.code, self.found = params.recipe, params, code, found
        self.num_classes = max(2, len(sample.classes))
        arrays = [image.pixels for image in sample.images[:TRIED]] or _noise()
        self.arrays = (arrays * TRIED)[:TRIED]
        self.backbone = None if code.build_model else backbone.real(params, found)

    def run(self) -> None:
        """Adds to the findings what goes wrong."""
        before = len(self.found.mistakes)
        batch, network = self.found.tried(self._batch), self.found.tried(self._network)
        output = None
        if batch is not None and network is not None:
            output = self.found.tried(lambda: self._outputs(network, batch))
        if network is not None:
            self.found.tried(lambda: self._optimizer(network))
            few = functions.few_without_transform(network, self._plain(), self.num_classes)
            if batch is None and few:
                self.found.wrong(few)
        scores = torch.randn(TRIED, self.num_classes) if output is None else output
        self.found.tried(lambda: self._loss(scores))
        if batch is not None and network is not None and len(self.found.mistakes) == before:
            self.found.tried(lambda: self._step(network, batch))

    def _batch(self) -> torch.Tensor:
        """Returns the two images as the network reads them (2, C, S, S)."""
        if self.code.transform is not None:
            own_model = self.code.build_model is not None
            return functions.transformed(self.code.transform, functions.pictures(self.arrays), own_model)
        return self._plain()

    def _plain(self) -> torch.Tensor:
        """Returns the two images as the declared preprocessing gives them (2, 3, S, S)."""
        given = self.recipe.preprocessing
        resized = np.stack([resize_one(array, given).transpose(2, 0, 1) for array in self.arrays])
        concrete = resolve(given, self.backbone.expects) if self.backbone else _concrete(given)
        return normalize(torch.from_numpy(resized), concrete)

    def _network(self) -> nn.Module | None:
        if self.code.build_model is not None:
            return functions.built(self.code.build_model, self.num_classes)
        if self.backbone is None:
            return None
        network = model.Classifier(self.backbone, self.num_classes, self.recipe.head)
        head = model.head_parameters(network, self.num_classes)
        model.set_trainable(network, self.recipe.trainable, head)
        return network

    def _outputs(self, network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
        if self.code.build_model is None:
            return self._of_backbone(network, batch)
        output = functions.outputs(network, batch, self.num_classes)
        if output.shape[1] > self.num_classes:
            self.found.notes.append(
                f"recipe.code: build_model() gives {output.shape[1]} outputs for {self.num_classes} classes; "
                "the others can only be wrong"
            )
        return output

    def _of_backbone(self, network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
        """Returns the outputs of the declared network, where it takes the images."""
        try:
            with torch.no_grad():
                return network.eval()(batch)  # type: ignore[no-any-return]
        except Exception as error:  # each library says it in its own way
            key = "recipe.code: transform()" if self.code.transform else "recipe.preprocessing.size"
            shape, name = tuple(batch.shape[1:]), self.params.backbone.name
            reason = one_line(str(error))[:160]
            raise PlateauError(f"{key}: {name} does not take {shape} ({reason})") from None

    def _optimizer(self, network: nn.Module) -> None:
        """Tries the user's optimizer, and says where nothing can come of it."""
        own = {id(one) for one in network.parameters() if one.requires_grad}
        if not own and self.code.build_model is not None:
            self.found.notes.append("recipe.code: build_model() freezes every parameter: nothing learns")
        if self.code.optimizer is None:
            return
        built = functions.optimizer(self.code.optimizer, model.as_given(network))
        if own and not own & {id(one) for one in optimizer.moved(built)}:
            self.found.notes.append(
                "recipe.code: optimizer() moves no parameter of the network that trains: it holds others, or "
                "its rate is 0"
            )

    def _loss(self, output: torch.Tensor) -> torch.Tensor:
        target = torch.arange(len(output)) % self.num_classes
        if self.code.loss is not None:
            return functions.scalar(self.code.loss, output.float(), target)
        return losses.build(self.recipe.loss)(output.float(), target)

    def _step(self, network: nn.Module, batch: torch.Tensor) -> None:
        """Trains one step, with one image where the recipe asks for such batches."""
        network.train()
        own_modes = self.code.on_train_start is not None or self.code.build_model is not None
        model.set_modes(network, self.recipe, own_modes)
        if self.code.on_train_start is not None:
            call(self.code.on_train_start, model.as_given(network))
        scores = functions.trained_on(network, batch[: self.recipe.batch_size])
        loss = None if scores is None else self._loss(scores)
        if loss is not None and loss.requires_grad:
            functions.backward(loss)
        elif any(parameter.requires_grad for parameter in network.parameters()):
            self.found.notes.append("recipe: no gradient reaches the network from the loss: nothing learns")


def _concrete(given: Preprocessing) -> Preprocessing:
    """Returns the preprocessing with numbers to try with where the backbone's own are not at hand."""
    mean, std = (GRAY if value == "canonical" else value for value in (given.mean, given.std))
    return replace(given, mean=mean, std=std)


def _noise() -> list[Any]:
    """Returns two images to try with where the set's own cannot be had."""
    random = np.random.default_rng(0)
    return [random.integers(0, 256, shape, dtype=np.uint8) for shape in ((240, 320, 3), (320, 240, 3))]
