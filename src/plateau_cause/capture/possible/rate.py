"""The rate as what could be changed: in which direction, how far, and where it is written."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from plateau_cause.capture.patches.numbers import rate_changed, rate_written
from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.rules.observation import Peeked, at, with_places

HEALTHY_CHANGE = 3e-3  # of the weights' norm, per step: what most trainings bear
MOST_DECADES = 4
MOST_RATE = 1.0  # that recipes in use have, SGD's included: what asks for more is short of something else
OVERWRITTEN = (
    3.0  # times that a rate written by hand differs from that of the optimizer to be the one at work
)


def rate(peeked: Peeked, cause: str, is_sure: bool) -> Possible:
    """Returns the intervention on the rate, in the direction that a cause names."""
    is_down = cause == "learning_rate_high"
    if peeked.content.get("framework") == "keras":
        return _rate_of_fit(peeked, cause, is_sure, is_down)
    optimizer = peeked.content["optimizers"][0]
    rates = ", ".join(dict.fromkeys(f"{group['lr']:g}" for group in optimizer["groups"]))
    told = times(peeked, is_down)
    words = with_places(f"the rate of {rates}", optimizer["place"])
    one = Possible("rate", cause, words, "", optimizer["place"], None, told, 0.5, is_sure)
    return with_rate_place(one, peeked)


def _rate_of_fit(peeked: Peeked, cause: str, is_sure: bool, is_down: bool) -> Possible:
    """Returns the same of Keras, whose child finds the rate by a range test, of the fit furthest off."""
    fits = peeked.content["keras"]["fits"]
    furthest = (max if is_down else min)(range(len(fits)), key=lambda number: float(fits[number]["rate"]))
    told: dict[str, Any] = {"direction": "lower" if is_down else "higher"}
    if len(fits) > 1:
        told["fit"] = furthest
    place = peeked.content["optimizers"][0]["place"] if furthest == 0 else fits[furthest]["compiled_at"]
    words = with_places(f"the rate of {fits[furthest]['rate']:g}", place)
    return Possible("rate", cause, words, "", place, None, told, 0.5, is_sure)


def with_rate_place(one: Possible, peeked: Peeked) -> Possible:
    """Returns the intervention with the line where the rate is written, and that line changed."""
    times = one.settings["times"]
    difference = f"rate times {times:g}"
    place, patch = rate_changed(peeked.folder, one.location, times, peeked.content["script"]["arguments"])
    by_hand = _by_hand(peeked, one.location, is_high=times < 1)
    place, patch = (by_hand, None) if by_hand else (place, patch)
    said = f"{one.words}, written at {at(place)}" if place and place != one.location else one.words
    made = replace(one, words=said, difference=difference, location=place or one.location, patch=patch)
    groups = [group for optimizer in peeked.content["optimizers"] for group in optimizer.get("groups", ())]
    wanted = times * max((group["lr"] for group in groups), default=0.0)
    return _of_something_else(made, wanted) if times > 1 and wanted > MOST_RATE else made


def _of_something_else(one: Possible, rate: float) -> Possible:
    """Returns a rate that is far too high for a recipe as the sign that it is: steps are short otherwise."""
    return replace(
        one, patch=None, title="Steps are far too short for their rate",
        repair="Find what shrinks gradients or steps: clipping by hand, a loss divided by much, a hook",
        explanation=f"A rate of {rate:g} makes up for it, which no recipe should need: something else takes "
        "nearly all of every step away.",
    )  # fmt: skip


def _by_hand(peeked: Peeked, built: dict[str, Any] | None, is_high: bool) -> dict[str, Any] | None:
    """Returns the line that writes a rate still higher, or lower, than that of the optimizer over it."""
    by_hand = peeked.content["optimizers"][0]["rates_by_hand"][-1:]
    own = rate_written(peeked.folder, built, peeked.content["script"]["arguments"])
    if not by_hand:
        return None
    written = by_hand[0]["rate"]
    is_further = own is None or (written > OVERWRITTEN * own if is_high else written < own / OVERWRITTEN)
    place: dict[str, Any] | None = by_hand[0]["place"] if is_further else None
    return place


def times(peeked: Peeked, down: bool) -> dict[str, float]:
    """Returns the power of ten that brings a step near to what trainings bear."""
    change = peeked.change_per_step or HEALTHY_CHANGE
    decades = round(math.log10(HEALTHY_CHANGE / change)) if math.isfinite(change) else -MOST_DECADES
    low, high = (-MOST_DECADES, -1) if down else (1, MOST_DECADES)
    return {"times": 10.0 ** min(max(decades, low), high)}
