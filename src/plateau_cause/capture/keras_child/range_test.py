"""Rates tried on a few batches: which power of ten lowers the loss most, from the same weights each time."""

from __future__ import annotations

import itertools
import math
from typing import Any

from plateau_cause.capture.keras_child import feeds, library
from plateau_cause.capture.keras_child.feeds import training_feed
from plateau_cause.capture.keras_child.interventions.base import Fit
from plateau_cause.capture.keras_child.loss_scale import hardly_scaled

BATCHES, STEPS = 4, 12
LAST = 4  # steps whose mean loss counts
NEAR = 0.15  # of what the best rate lowers the loss by: a lower rate that comes as near is the safer one
NOTHING = 0.01  # of the loss: less tells the rates nothing apart


def best_rate(fit: Fit, times: tuple[float, ...]) -> float:
    """Returns which of some multiples of the compiled rate lowers the loss most within a few steps.

    Weights, statistics and optimizer are as before afterwards. Under a schedule, or where batches come from a
    generator and would be gone, nothing is tried: the first multiple is returned.
    """
    feed, optimizer = training_feed(fit.given), library.optimizer_of(fit.model)
    if feed.kind == "generator" or library.schedule_of(optimizer) is not None:
        return times[0]
    found, rate = feeds.some(feed, BATCHES, goes_on=True), fit.rate()
    if hasattr(fit.model.optimizer, "build"):
        fit.model.optimizer.build(fit.model.trainable_variables)
    with hardly_scaled(fit.model.optimizer):
        losses = _losses(fit, found, {one: rate * one for one in times})
    optimizer.learning_rate = rate  # not every Keras counts it among the optimizer's variables
    return _chosen(losses, times)


def _losses(fit: Fit, batches: list[tuple[Any, Any]], rates: dict[float, float]) -> dict[float, list[float]]:
    """Returns by multiple what each rate makes of the loss, step by step; all is put back after each."""
    variables = [one.variable for one in library.variables(fit.model)]
    optimizers = {id(one): one for one in (fit.model.optimizer, library.optimizer_of(fit.model))}
    variables += [held for one in optimizers.values() for held in library.held_by(one)]
    kept = [(one, library.values(one).copy()) for one in variables]
    losses = {}
    for times, rate in rates.items():
        library.optimizer_of(fit.model).learning_rate = rate
        losses[times] = _trained(fit.model, batches)
        for variable, value in kept:
            variable.assign(value)
    return losses


def set_rate(fit: Fit, times: float) -> float:
    """Multiplies the compiled rate, or what its schedule says; returns the first rate."""
    schedule = library.schedule_of(library.optimizer_of(fit.model))
    if schedule is None:
        library.optimizer_of(fit.model).learning_rate = fit.rate() * times
    else:
        fit.optimizer["learning_rate"] = _scaled(schedule, times)
        fit.compile()
    return fit.rate()


def _chosen(losses: dict[float, list[float]], times: tuple[float, ...]) -> float:
    """Returns the lowest multiple that comes near to the lowest loss; a middle one where none lowers it."""
    last = {one: sum(row[-LAST:]) / LAST for one, row in losses.items() if all(map(math.isfinite, row))}
    if not last:
        return min(times)
    first, least = losses[next(iter(last))][0], min(last.values())
    if first - least < NOTHING * first:
        return sorted(times)[len(times) // 2]
    return min(one for one, loss in last.items() if loss <= least + NEAR * (first - least))


def _scaled(schedule: Any, times: float) -> Any:
    """Returns a schedule whose rates are a multiple of another's, whatever its class."""
    base: Any = library.of(schedule).optimizers.schedules.LearningRateSchedule

    class Scaled(base):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            return schedule(step) * times

        def get_config(self) -> dict[str, Any]:
            return {"times": times}

    return Scaled()


def _trained(model: Any, batches: list[tuple[Any, Any]]) -> list[float]:
    """Returns the loss of each of some steps."""
    losses = []
    for x, y in itertools.islice(itertools.cycle(batches), STEPS):
        model.reset_metrics()  # which would return the mean of all steps so far
        losses.append(float(library.values(model.train_on_batch(x, y, return_dict=True)["loss"])))
    return losses
