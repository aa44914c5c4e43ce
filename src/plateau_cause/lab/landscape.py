"""The loss between and around the two arms' trained weights, on a few images: a picture, no evidence.

The line leads from the recipe's weights to the reference's (Goodfellow et al. 2015, arXiv 1412.6544). Each
plane is spanned by two random directions whose filters are as long as the weights' own; biases and batch
norms stay as they are (Li et al. 2018, arXiv 1712.09913).

Batch norms. On the line the running statistics move with the weights and are not recalibrated: both ends are
exactly the networks that the report judges, and their statistics may be the very fault (cause batch_norm).
In the planes the moved layers' statistics follow those of the images at hand, point by point, from the arm's
own in the middle (`batch_statistics`): there lies the network that the report judges, or there is no plane. A
channel that hardly varies (running variance near 0: EfficientNet-Lite0 has some 180 of them) multiplies any
perturbation, and frozen statistics draw a needle around whatever weights: 2 % of noise took a cross-entropy
from 0.00 to 0.98, with the statistics of the batch to 0.00 (measured on the digits).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from plateau_cause.lab import build
from plateau_cause.lab.batch_statistics import follow
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.store import Result
from plateau_cause.runtime import progress
from plateau_cause.training import model
from plateau_cause.training.evaluation import EVALUATION_BATCH, accuracy, channels_last, predict
from plateau_cause.training.inputs import CachedInputs

POINTS = 11  # on the line, both ends included
STEPS = 7  # of a plane, each way; odd: the middle is the arm itself
RADIUS = 0.3  # of a plane, as a share of each filter's norm
CENTRED = 0.01  # nats, or share of the loss, by which a map's middle may miss the arm's own loss
# Images per split on the line, and of a plane: few, but many on cached features, where only the head moves.
LINE_IMAGES, PLANE_IMAGES, HEAD_IMAGES = 48, 24, 128

State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Sample:
    """A few images as a network reads them (n, ...), from its stage `entry` on, and their labels (n,)."""

    inputs: torch.Tensor
    targets: torch.Tensor

    def measure(self, network: nn.Module) -> tuple[float, float]:
        """Returns the mean cross-entropy and the accuracy."""
        outputs = predict(network, CachedInputs(self.inputs), np.arange(len(self.targets)))
        return float(functional.cross_entropy(outputs, self.targets)), accuracy(outputs, self.targets)


def survey(lab: Laboratory, recipe: Result, reference: Result) -> dict[str, np.ndarray]:
    """Returns the arrays of the picture; what cannot be drawn is left out.

    line_at (P,): 0 at the recipe, 1 at the reference. line_loss, line_accuracy (2, P): on training and on
    validation images. line_mixes_inputs: whether the arms preprocess differently; what they read is then
    interpolated too, as if normalising were the network's first layer. The line exists where both arms are
    the same kind of network.

    plane_steps (S,): shares of each filter's norm. plane_<arm> (S, S): training loss over the blocks that
    the arm's training moved; blocks_<arm> (2,): how many blocks those are, and how many there are.
    """
    results = {"recipe": recipe, "reference": reference}
    if any(lab.weights_file(result.key) is None for result in results.values()):
        return {}
    planes = {arm: _plane(lab, arm, result) for arm, result in results.items()}
    known = {key: values for plane in planes.values() for key, values in plane.items()}
    return {**_line(lab, recipe, reference), **known}


def _line(lab: Laboratory, recipe: Result, reference: Result) -> dict[str, np.ndarray]:
    network, other = (_network(lab, result) for result in (recipe, reference))
    ends = [_copy(network), _copy(other)]
    if not (_are_alike(network, other) and all(map(_is_finite, ends))):
        return {}
    rows = [choose(lab, split, LINE_IMAGES) for split in ("train", "val")]
    read = [[_read(lab, result, some) for some in rows] for result in (recipe, reference)]
    if read[0][0].shape != read[1][0].shape:
        return {}
    is_same = all(torch.equal(*pair) for pair in zip(*read, strict=True))
    if is_same and isinstance(network, model.Classifier):
        network.entry = _common_stages(network, other)
        read = [[_through(network, some) for some in read[0]]] * 2
    at = np.linspace(0.0, 1.0, POINTS)
    table = np.zeros((2, 2, POINTS))  # loss and accuracy, splits, points
    for point, share in enumerate(progress(at.tolist(), len(at), "loss landscape, line")):
        _load(network, ends, share)
        for split, (first, second) in enumerate(zip(*read, strict=True)):
            inputs = first if is_same else mix(first, second, share)
            table[:, split, point] = _sample(lab, inputs, rows[split]).measure(network)
    mixes = np.array(not is_same)
    return {"line_at": at, "line_loss": table[0], "line_accuracy": table[1], "line_mixes_inputs": mixes}


def _plane(lab: Laboratory, arm: str, result: Result) -> dict[str, np.ndarray]:
    network = _network(lab, result)
    blocks = model.blocks(network)
    moved = {str(signal["block"]) for signal in result.outcome.signals if signal["update_ratio"] > 0}
    moving = [p for name, group in blocks if name in moved for p in group if p.ndim > 1]
    if not moving or not _is_finite(_copy(network)):
        return {}
    sample = _plane_sample(lab, result, network, moved)
    judged = sample.measure(network)[0]
    follow(network, [p for name, group in blocks if name in moved for p in group])
    sample.measure(network)  # what the statistics belong to
    start = [parameter.detach().clone() for parameter in moving]
    generator = torch.Generator().manual_seed(0)
    first, second = ([filter_normalised(weight, generator) for weight in start] for _ in range(2))
    steps = np.linspace(-RADIUS, RADIUS, STEPS)
    losses = []
    for x, y in progress(product(steps.tolist(), repeat=2), STEPS**2, f"loss landscape, {arm}"):
        with torch.no_grad():
            for parameter, weight, along, across in zip(moving, start, first, second, strict=True):
                parameter.copy_(weight + x * along + y * across)
        losses.append(sample.measure(network)[0])
    plane = np.array(losses).reshape(STEPS, STEPS)
    if not is_centred(plane, judged):
        return {}
    counts = np.array([sum(name in moved for name, _ in blocks), len(blocks)])
    return {"plane_steps": steps, f"plane_{arm}": plane, f"blocks_{arm}": counts}


def is_centred(plane: np.ndarray, judged: float) -> bool:
    """Returns whether a map's middle is the loss of the network that the report judges, of these images."""
    middle = float(plane[len(plane) // 2, len(plane) // 2])
    return bool(abs(middle - judged) <= max(CENTRED, CENTRED * abs(judged)))


def _plane_sample(lab: Laboratory, result: Result, network: nn.Module, moved: set[str]) -> Sample:
    """Returns the images of a plane as the first stage that moved reads them."""
    depth = 0
    if isinstance(network, model.Classifier):
        names = [name for name, _ in network.stages.named_children()]
        depth = next((place for place, name in enumerate(names) if name in moved), len(names))
        network.entry = depth
    only_head = isinstance(network, model.Classifier) and depth == len(network.stages)
    rows = choose(lab, "train", HEAD_IMAGES if only_head else PLANE_IMAGES)
    inputs = _read(lab, result, rows)
    inputs = _through(network, inputs) if isinstance(network, model.Classifier) else inputs
    return _sample(lab, inputs, rows)


def filter_normalised(weight: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Returns a random direction whose filters (along the first axis) are as long as those of the weight."""
    direction = torch.randn(weight.shape, generator=generator).to(weight.device)
    norms = [tensor.flatten(1).norm(dim=1).clamp(min=1e-12) for tensor in (weight, direction)]
    scale: torch.Tensor = (norms[0] / norms[1]).view(-1, *[1] * (weight.ndim - 1))
    return direction * scale


def mix(first: torch.Tensor, second: torch.Tensor, share: float) -> torch.Tensor:
    """Returns the point between two tensors: exactly the first at 0, exactly the second at 1."""
    return first * (1.0 - share) + second * share


def choose(lab: Laboratory, split: str, most: int) -> np.ndarray:
    """Returns at most so many rows of a split, the classes in their proportions, always the same ones."""
    rows = lab.dataset.indices(split)
    by_class = rows[np.argsort(lab.dataset.targets[rows], kind="stable")]
    places = np.linspace(0, len(rows) - 1, min(most, len(rows)))
    return np.sort(by_class[places.round().astype(np.int64)])


def _network(lab: Laboratory, result: Result) -> nn.Module:
    network = lab.trained(result)
    network.to(device=lab.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _sample(lab: Laboratory, inputs: torch.Tensor, rows: np.ndarray) -> Sample:
    return Sample(inputs, torch.from_numpy(lab.dataset.targets[rows]))


def _read(lab: Laboratory, result: Result, rows: np.ndarray) -> torch.Tensor:
    inputs = build.inputs(lab, result.arm)
    return torch.cat([inputs.evaluation(batch) for batch in torch.from_numpy(rows).split(EVALUATION_BATCH)])


@torch.inference_mode()
def _through(network: model.Classifier, inputs: torch.Tensor) -> torch.Tensor:
    """Returns what the network's stage `entry` reads."""
    before = network.stages[: network.entry].eval()
    return torch.cat([before(channels_last(batch)) for batch in inputs.split(EVALUATION_BATCH)])


def _copy(network: nn.Module) -> State:
    return {name: entry.clone() for name, entry in network.state_dict().items()}


@torch.no_grad()
def _load(network: nn.Module, ends: list[State], share: float) -> None:
    """Sets the network to a point of the line; counters, which are no numbers to interpolate, stay."""
    for name, entry in network.state_dict().items():
        if entry.is_floating_point():
            entry.copy_(mix(ends[0][name], ends[1][name], share))


def _are_alike(one: nn.Module, other: nn.Module) -> bool:
    """Returns whether both have the same layers: types and shapes, the head's activation included."""
    layers = [[(name, type(module)) for name, module in network.named_modules()] for network in (one, other)]
    shapes = [
        [(name, entry.shape) for name, entry in network.state_dict().items()] for network in (one, other)
    ]
    return layers[0] == layers[1] and shapes[0] == shapes[1]


def _is_finite(state: State) -> bool:
    return all(bool(entry.isfinite().all()) for entry in state.values())


def _common_stages(one: nn.Module, other: nn.Module) -> int:
    """Returns how many of the first stages are the same in both, to the bit."""
    assert isinstance(one, model.Classifier) and isinstance(other, model.Classifier)
    pairs = list(zip(one.stages, other.stages, strict=True))
    states = [tuple(stage.state_dict().values() for stage in pair) for pair in pairs]
    alike = [all(map(torch.equal, *state)) for state in states]
    return alike.index(False) if False in alike else len(alike)
