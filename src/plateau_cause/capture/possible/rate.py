"""The rate as what could be changed: in which direction, how far, and where it is written."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
from dataclasses import replace
from typing import Any

from plateau_cause.capture.patches.numbers import rate_changed, rate_written
from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.rules.observation import Peeked, at, with_places
from plateau_cause.capture.rules.rate import peak

HEALTHY_CHANGE = 3e-3  # of the weights' norm, per step: what most trainings bear
MOST_DECADES = 4
MOST_RATE = 1.0  # that recipes in use have, SGD's included: what asks for more is short of something else
OPTION = re.compile(r"--?(\w+[-_.])*(lr|learning[-_]?rate)")  # no --drop-rate
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
    own = _at_work(peeked, one, is_by_hand=by_hand is not None)
    if times > 1 and times * own > MOST_RATE:
        return _of_something_else(made, times * own)
    verb = "Lower" if times < 1 else "Raise"
    option = _option(peeked.content["script"]["arguments"], own)
    new = f"{times * own:.2g}"
    return replace(made, repair=f"{verb} the learning rate to {new}{f': {option} {new}' if option else ''}")


def _at_work(peeked: Peeked, one: Possible, is_by_hand: bool) -> float:
    """Returns the highest rate of the training, or of the fit that is meant."""
    if "fit" in one.settings:
        return float(peeked.content["keras"]["fits"][one.settings["fit"]]["rate"])
    if is_by_hand:
        return float(peeked.content["optimizers"][0]["rates_by_hand"][-1]["rate"])
    groups = [group for optimizer in peeked.content["optimizers"] for group in optimizer.get("groups", ())]
    return max((peak(group) for group in groups), default=0.0)


def _option(arguments: list[str], rate: float) -> str | None:
    """Returns the option of a command line that gives a rate; None where it is not seen."""
    pairs = [*itertools.pairwise(arguments), *(one.split("=", 1) for one in arguments if "=" in one)]
    for name, value in pairs:
        with contextlib.suppress(ValueError):
            if OPTION.fullmatch(name) and math.isclose(float(value), rate):
                return name
    return None


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
