"""Arms with a frozen prefix, whose outputs are computed once, beside the same arms without that."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import torch

from benchmarks.generated import Generated, stripes
from benchmarks.speed.measure import Measured, in_turn, seconds
from benchmarks.speed.throughput import Workload
from plateau_cause.config.recipe import Recipe, Schedule
from plateau_cause.images.preprocessing import canonical
from plateau_cause.lab import prefix
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.training.user_code import UserCode

EPOCHS = 12
BARS = {"head": 5.0, "last_block": 2.0}


def measures(work: Workload, rounds: int) -> Iterator[Measured]:
    """Yields a line per kind of arm; the features are there in both cases, as after the stage `embed`."""
    data = stripes(work.images, work.size_px, 8)
    for trainable, bar in BARS.items():
        sides = (lambda: _training_s(work, data, trainable, True), lambda: _training_s(work, data, trainable))  # noqa: B023
        ratios = tuple(without / kept for kept, without in in_turn(sides, rounds))
        yield Measured(
            f"arm that trains {trainable}, {EPOCHS} epochs", "the same without the cache", ratios, bar
        )


def _training_s(work: Workload, data: Generated, trainable: str, is_kept: bool = False) -> float:
    lab = Laboratory(data, work.name, work.weights, UserCode(), torch.device("cpu"))  # type: ignore[arg-type]
    seen = canonical(lab.backbone().expects, work.size_px)
    lab.features(seen)
    recipe = Recipe(
        trainable=trainable, preprocessing=seen, schedule=Schedule(epochs=EPOCHS), batch_size=work.batch
    )
    arm = recipe_arm(lab, recipe)
    if is_kept:
        return seconds(lambda: lab.run(arm))
    with mock.patch.object(prefix, "cached", lambda lab, arm, network, inputs, optimizer: inputs):
        return seconds(lambda: lab.run(arm))
