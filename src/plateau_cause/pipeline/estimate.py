"""How long a diagnosis will take here, by two steps of training that are timed before anything long."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from plateau_cause import artifacts, numbers, runtime
from plateau_cause.backbones import load_backbone
from plateau_cause.config.params import Params, dump
from plateau_cause.errors import PlateauError
from plateau_cause.images import sample
from plateau_cause.images.store import Dataset
from plateau_cause.lab.effort import MOST_RUNS, epochs_of_all
from plateau_cause.lab.scale import JUDGED, images_of_part
from plateau_cause.pipeline import paths
from plateau_cause.training import keras_model, model
from plateau_cause.training.evaluation import EVALUATION_BATCH, channels_last
from plateau_cause.training.loop import MOST_TRAIN_EVALUATED
from plateau_cause.training.outputs import scores
from plateau_cause.training.transforms import as_tensor
from plateau_cause.training.user_code import UserCode, call, load_user_code

VIEWS = 3  # of every image that are embedded: recipe's, canonical, random weights
BESIDE_S = 55.0  # processes, statistics, UMAP, pictures; set by hand
SPENT = 0.6  # of what the budget allows is spent on average: a diagnosis ends when all is decided
HEAD = 0.1  # of a pass: one more epoch of a head on cached features
TIMED = 2  # steps
WELL_USED = 1.3  # threads times wall over CPU time of such steps on idle CPUs: some work is not shared
MOST_WAITS = 4.0


@dataclass(frozen=True)
class Pace:
    """What one image takes on this machine at present.

    Attributes:
        step_s: in training, every layer moving.
        pass_s: in evaluation.
        waits: wall time over the time that this process really had its CPUs; 1 on an idle machine.
        networks: that the reference is tried with: the user's own and the declared one, or that alone.
    """

    step_s: float
    pass_s: float
    waits: float = 1.0
    networks: int = 1


@dataclass(frozen=True)
class Estimate:
    """What is ahead.

    Attributes:
        seconds: of everything.
        runs: the most trainings that the budget allows.
        part: training images of the swaps and in all, where there are many; then all of them are trained on
            twice, by the recipe and by what is recommended.
    """

    seconds: float
    runs: int
    part: tuple[int, int] | None = None

    def sentence(self) -> str:
        """Returns it in words."""
        said = f"this diagnosis: about {numbers.seconds(self.seconds)} here, at most {self.runs} trainings"
        if self.part is None:
            return said
        images, of = self.part
        return f"{said} on {images:,} of {of:,} training images, and two on all"


def announce(given: Params, dataset: Dataset) -> None:
    """Says on standard error how long this will take, once for each content of params.yaml and images."""
    values = json.dumps([dump(given), dataset.digest], sort_keys=True, default=str)
    content = hashlib.sha256(values.encode()).hexdigest()
    if paths.ANNOUNCED.exists() and paths.ANNOUNCED.read_text(encoding="utf-8") == content:
        return
    found = estimated(given, dataset)
    if found is not None:
        print(f"estimate: {found.sentence()}", file=sys.stderr, flush=True)
        artifacts.write_text(paths.ANNOUNCED, content)


def estimated(given: Params, dataset: Dataset) -> Estimate | None:
    """Returns what a diagnosis of these images will take; None where the network cannot be timed alone."""
    try:
        pace = measured(given, dataset)
    except (PlateauError, RuntimeError, ValueError):  # said by the stage that trains it
        return None
    sizes = {split: len(dataset.indices(split)) for split in ("train", "val", "test")}
    return plan(given, sizes, pace, images_of_part(sizes["train"], len(dataset.classes)))


def plan(given: Params, sizes: dict[str, int], pace: Pace, part: int | None = None) -> Estimate:
    """Returns what is ahead, given how many images each split has.

    Args:
        given: all parameters.
        sizes: images by split.
        pace: of this machine.
        part: training images of the swaps, where these do not have all.
    """
    beside = BESIDE_S * (1.0 + pace.waits) / 2  # half of it waits for no CPU
    beside += VIEWS * min(sum(sizes.values()), sample.SIZE) * pace.pass_s
    own, careful = _arms(given, sizes, pace)
    if part is None:
        swaps, runs = _swaps(given, own, careful)
        return Estimate(beside + len(given.diagnosis.seeds) * (own + careful + swaps), 2 + runs)
    few = {split: min(JUDGED.get(split, part), n) for split, n in sizes.items()}
    own_few, careful_few = _arms(given, few, pace)
    swaps, runs = _swaps(given, own_few, careful_few)
    trained = own + max(own, careful) + own_few + careful_few + swaps
    return Estimate(beside + len(given.diagnosis.seeds) * trained, 2 + runs, (part, sizes["train"]))


def _arms(given: Params, sizes: dict[str, int], pace: Pace) -> tuple[float, float]:
    """Returns the seconds of the recipe's training and of a careful one."""
    train, n = sizes["train"], sum(sizes.values())
    looked_at = min(train, MOST_TRAIN_EVALUATED) + sizes["val"]
    careful = epochs_of_all(train) * (train * pace.step_s + looked_at * pace.pass_s)
    return recipe_s(given, train, looked_at, n, pace), pace.networks * careful


def _swaps(given: Params, own: float, careful: float) -> tuple[float, int]:
    """Returns the seconds that swaps will take, and how many there are at most."""
    budget = max(0.0, given.diagnosis.max_cost * max(own, careful) - careful)
    return SPENT * budget, min(MOST_RUNS, round(budget / max(own, budget / MOST_RUNS, 1e-9)))


def recipe_s(given: Params, train: int, looked_at: int, n: int, pace: Pace) -> float:
    """Returns what the recipe's own training takes: next to nothing per epoch on cached features."""
    recipe, epochs = given.recipe, given.recipe.schedule.epochs
    is_cached = recipe.code is None and recipe.augmentation == "none" and recipe.trainable in ("none", "head")
    if is_cached:
        return n * pace.pass_s + epochs * HEAD * train * pace.pass_s
    per_image = pace.pass_s if recipe.trainable in ("none", "head") and recipe.code is None else pace.step_s
    return epochs * (train * per_image + looked_at * pace.pass_s)


def measured(given: Params, dataset: Dataset) -> Pace:
    """Returns the pace of the recipe's network on such images, by TIMED steps after one to warm up."""
    device, code, classes = runtime.device(), load_user_code(given.recipe.code), len(dataset.classes)
    network, shape = _network(given, code, classes).to(device=device), _shape(given, code, dataset)
    batch = channels_last(torch.randn(given.recipe.batch_size, *shape, device=device))
    many = channels_last(torch.randn(EVALUATION_BATCH, *shape, device=device))
    targets = torch.arange(len(batch), device=device) % classes
    moving = torch.optim.SGD(network.parameters(), lr=0.0)

    def step() -> None:
        network.train()
        found = scores(network(batch))
        assert found is not None
        moving.zero_grad()
        functional.cross_entropy(found, targets).backward()
        moving.step()

    def look() -> None:
        network.eval()
        with torch.inference_mode():
            network(many)

    started, had = time.perf_counter(), time.process_time()
    step_s, pass_s = _timed(step) / len(batch), _timed(look) / len(many)
    threads = max(1, torch.get_num_threads())
    waits = threads * (time.perf_counter() - started) / max(time.process_time() - had, 1e-9)
    networks = 1 if code.build_model is None else 2
    return Pace(step_s, pass_s, min(max(1.0, waits / WELL_USED), MOST_WAITS), networks)


def _shape(given: Params, code: UserCode, dataset: Dataset) -> tuple[int, ...]:
    """Returns what the network reads of one image: (C, H, W)."""
    if code.transform is None:
        return 3, given.recipe.preprocessing.size, given.recipe.preprocessing.size
    image = Image.fromarray(np.array(dataset.store.image(0)))
    return tuple(as_tensor(call(code.transform, image, True)).shape)


def _network(given: Params, code: UserCode, num_classes: int) -> nn.Module:
    if code.build_model is not None:
        keras_model.forget_names()
        network: nn.Module = keras_model.adapted(call(code.build_model, num_classes))
    else:
        backbone = load_backbone(given.backbone.name, given.backbone.weights)
        network = model.Classifier(backbone, num_classes, given.recipe.head)
    for parameter in network.parameters():
        parameter.requires_grad = True
    return network


def _timed(work: Callable[[], None]) -> float:
    """Returns the seconds of one round, the mean of TIMED after one to warm up."""
    work()
    _finish()
    started = time.perf_counter()
    for _ in range(TIMED):
        work()
    _finish()
    return (time.perf_counter() - started) / TIMED


def _finish() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
