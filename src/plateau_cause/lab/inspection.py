"""From params.yaml and the user's file to the recipe's arm: code is read off the objects it builds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from plateau_cause.backbones.comparison import compare_weights, match
from plateau_cause.config.recipe import Recipe, put
from plateau_cause.features.embed import identify_preprocessing
from plateau_cause.features.identification import Identification, identify
from plateau_cause.images.preprocessing import canonical, resolve
from plateau_cause.lab import build, optimizers
from plateau_cause.lab.arm import OTHER_WEIGHTS, Arm, pieces_of
from plateau_cause.lab.inspected_training import SAMPLE, loss_name, optimizer_read, share_held, with_loss
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.look import Look, check_training
from plateau_cause.lab.look import unreached as unreached_in
from plateau_cause.training import losses, model, optimizer
from plateau_cause.training.outputs import forward, logits
from plateau_cause.training.transform_inputs import TransformInputs, fixed_random_numbers
from plateau_cause.training.transforms import coloured

PRETRAINED_SHARE = 0.9  # of the tensors equal to the checkpoint's: loaded
OTHER_MODEL_SHARE = 0.3  # of the checkpoint's tensors with a counterpart: below it, another architecture
COLOURS = 64  # plain images that a random transform is tried on


def recipe_arm(lab: Laboratory, declared: Recipe, seed: int = 0) -> Arm:
    """Returns the arm of the user's recipe: every value concrete, also those that the user's code decides."""
    own = pieces_of(lab.code.defined)
    if lab.code.on_train_start is None and declared.batch_norm == "frozen":
        own -= {"batch_norm"}  # no function of the file replaces it: what is declared holds for its model too
    recipe = replace(declared, preprocessing=resolve(declared.preprocessing, lab.backbone().expects))
    arm = Arm(recipe=recipe, weights=lab.weights, own=own, seed=seed)
    if lab.code.transform is not None:
        arm = _read_transform(lab, arm)
    if (
        lab.code.build_model is not None
        or lab.code.optimizer is not None
        or lab.code.on_train_start is not None
    ):
        arm = _read_model(lab, arm)
    return arm if lab.code.loss is None else replace(arm, recipe=with_loss(arm, loss_name(lab, arm)))


def unreached(lab: Laboratory, arm: Arm) -> tuple[str, ...]:
    """Returns the names of the parameters of the arm's network that no gradient of its outputs reaches.

    Whatever requires gradients and is held by the optimizer: what forward() never calls, runs under no_grad
    or detaches cannot learn. Empty for the declared network.
    """
    network, seen = build.seen_network(lab, arm)
    return () if seen is None else unreached_in(network, seen.fit(build.sample(lab, arm)))


def _read_transform(lab: Laboratory, arm: Arm) -> Arm:
    assert lab.code.transform is not None
    inputs = TransformInputs(lab.dataset.store, lab.code.transform, True, lab.device)
    rows = np.unique(np.linspace(0, len(lab.dataset.manifest) - 1, SAMPLE).astype(np.int64))
    tensors = inputs.evaluation(torch.from_numpy(rows)).cpu()
    transform, apart = lab.code.transform, lab.sides_differ
    # Where the two sides differ, the recipe is what training reads; evaluation is a factor of its own.
    if apart and inputs.augmented:
        found: Identification | None = _of_colours(coloured(transform), lab.dataset.store.image(0).shape)
    else:
        side = partial(_training_side, transform) if apart else transform
        found = identify_preprocessing(lab.dataset, arm.recipe.preprocessing, lab.backbone(), coloured(side))
    expected = canonical(lab.backbone().expects, int(tensors.shape[-1]))
    values: dict[str, Any] = {"augmentation": "random, as in your file" if inputs.augmented else "none"}
    recipe = replace(put(arm.recipe, values), preprocessing=expected)
    if found is None or found.describe(lab.backbone().expects):
        recipe = put(recipe, _identified(found))
    return replace(arm, recipe=recipe, own=arm.own if apart else arm.own - {"evaluation"})


def _training_side(transform: Callable[..., Any], image: Any, train: bool) -> Any:
    return transform(image, True)


def _of_colours(transform: Callable[..., Any], shape: tuple[int, ...]) -> Identification:
    """Returns what training makes of a colour: crops and flips leave the middle of a plain image as it is."""
    colours = np.random.default_rng(0).integers(0, 256, (COLOURS, 3), dtype=np.uint8)
    images = [Image.fromarray(np.full((*shape[:2], 3), colour, np.uint8)) for colour in colours]
    with fixed_random_numbers():
        tensors = [transform(image, True) for image in images]
    middle = np.stack([one[:, one.shape[1] // 2, one.shape[2] // 2].numpy() for one in tensors])
    return identify(middle[:, :, None, None], colours[:, :, None, None] / 255)


def _identified(found: Identification | None) -> dict[str, Any]:
    if found is None or not found.is_affine:
        return {"preprocessing.scale": "as in your file"}
    rounded = {"mean": tuple(round(v, 3) for v in found.mean), "std": tuple(round(v, 3) for v in found.std)}
    values = {"scale": found.scale, **rounded}
    if found.channels != "unidentifiable":  # gray images look the same in any order
        values["channels"] = found.channels
    return {f"preprocessing.{key}": value for key, value in values.items()}


def _read_model(lab: Laboratory, arm: Arm) -> Arm:
    network, seen = build.seen_network(lab, arm)
    values: dict[str, Any] = {}
    head = build.head_of(lab, arm, network, seen)
    if seen is not None:
        arm = replace(arm, weights=_weights(lab, network, arm.weights))
        values["trainable"] = share_held(
            network.parameters(), head, [p for p in network.parameters() if p.requires_grad]
        )
        images = seen.fit(build.sample(lab, arm, SAMPLE))
        check_training(network, images[:2], lab.code.build_model)
        values["head.activation"] = _activation(lab, network, seen, images)
        values["head.dropout"] = model.dropout(network)
    else:
        model.set_trainable(network, arm.recipe.trainable, head)
    if "batch_norm" in arm.own:
        values["batch_norm"] = _batch_norm(lab, arm, network)
    if "optimizer" in arm.own:
        values |= optimizer_read(lab, network, head)
        if optimizer.clears(optimizers.user_optimizer(lab, network)):
            arm = replace(arm, own=arm.own - {"clearing"})
    return replace(arm, recipe=put(arm.recipe, values))


def _weights(lab: Laboratory, network: nn.Module, declared: str) -> str:
    """Returns the declared weights where the model holds them, "none" where it does not, or OTHER_WEIGHTS."""
    reference = lab.backbone()
    entries = len(reference.stages.state_dict())
    if len(match(network.state_dict(), reference)) < OTHER_MODEL_SHARE * entries:
        return OTHER_WEIGHTS
    shares = compare_weights(network, reference).values()
    return declared if sum(shares) / len(shares) >= PRETRAINED_SHARE else "none"


@torch.inference_mode()
def _activation(lab: Laboratory, network: nn.Module, seen: Look, images: torch.Tensor) -> str | None:
    """Returns what the model does to its logits: softmax, relu, or None.

    Seen by putting random logits in the place of what the last linear layer gives; without such a layer, by
    outputs that are probabilities.
    """
    random = torch.randn(len(images), lab.num_classes, generator=torch.Generator().manual_seed(0))
    handle = None if seen.linear is None else seen.linear.register_forward_hook(lambda _m, _i, _o: random)
    outputs = logits(forward(network.eval(), images))
    if handle is not None:
        handle.remove()
    known = {"softmax": random.softmax(1), "relu": random.relu()}
    same = (name for name, value in known.items() if outputs.shape == value.shape and outputs.allclose(value))
    is_probable = outputs.ndim == 2 and losses.are_probabilities(outputs)
    return next(same, "softmax" if is_probable else None)


def _batch_norm(lab: Laboratory, arm: Arm, network: nn.Module) -> str:
    network.train()
    build.mode_setter(lab, arm, network)()
    layers = [m for m in network.modules() if isinstance(m, model.BATCH_NORMS)]
    trained = [m for m in layers if any(p.requires_grad for p in m.parameters())]
    frozen = [m for m in layers if m not in trained]
    if not any(m.training for m in layers):
        return "frozen"
    return model.TRAIN_FROZEN_TOO if any(m.training for m in frozen) else "train"
