"""Observations about the schedule: when it is stepped, and what it leaves of the rate."""

from __future__ import annotations

import re
from typing import Any

from plateau_cause.capture.patches.calls import keyword_at
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

FALLEN = 0.3  # part of a rate that is left after one epoch where marks that count epochs count batches
FADED = 0.02  # rate after one of several epochs, as a part of the first: too early
EARLY = 0.4  # of a training
RISING = {"acc", "accuracy", "correct", "f", "auc", "score", "top", "precision", "recall", "kappa", "dice"}
WARM_UPS = ("warmup_steps", "warmup_ratio", "num_warmup_steps", "warmup_epochs", "warmup_iters", "warmup_t")
FALLING = {"loss", "losses", "error", "err", "nll"}  # words of what a schedule is told
WARMED = 0.1  # of the rate that a warm-up leads to: less than that half way through training
RISES_ON = 1.5  # times the rate at the end of training that a warm-up goes on to
GONE = 0.5  # of the first rate that is left at the second step
UNREACHED = 3  # times that a schedule is longer than the training


RESTARTS = "CosineAnnealingWarmRestarts"
# Options that say how long they last
LENGTHS = {"OneCycleLR": "total_steps", "LambdaLR": "reaches_zero", "CosineLRScheduler": "t_initial",
           RESTARTS: "T_0"}  # fmt: skip
COSINES = ("CosineAnnealingLR", "CosineLRScheduler", RESTARTS)  # the second is timm's
TENTHS = 10  # in which the rates ahead are listed


def warms_long(peeked: Peeked) -> Observation | None:
    """Returns that half a training is over before the rate is a tenth of the one that it warms up to."""
    ahead = peeked.rate_ahead
    known = None if ahead is None else _half_way(peeked)
    if ahead is None:
        return _still_rises(peeked)
    if known is None:
        return None
    first, half, place = known
    if not first <= half <= WARMED * ahead[1]:  # what falls is no warm-up
        return None
    place = keyword_at(peeked.folder, place, WARM_UPS)
    said = f"half way through training the rate is {half:.2g}, of the {ahead[1]:g} to which it warms up"
    return Observation("schedule_warms_long", "schedule", with_places(said, place), place)


def _still_rises(peeked: Peeked) -> Observation | None:
    """Returns that a schedule warms up to the very end of the training, and goes on behind it."""
    for one in peeked.content["schedules"]:
        rates, peak, place = one.get("rates_ahead"), one.get("peak") or 0.0, one["place"]
        if not rates or rates != sorted(rates) or rates[0] > WARMED * rates[-1]:
            continue
        if peak > RISES_ON * rates[-1]:
            words = f"the rate still warms up as training ends, at {rates[-1]:.2g} of {peak:.2g}"
            return Observation("schedule_warms_long", "schedule", with_places(words, place), place)
    return None


def _half_way(peeked: Peeked) -> tuple[float, float, dict[str, Any] | None] | None:
    """Returns the rate at first, the one half way through training, and the line; None where it is not known.

    Of rates written by hand at every step, as if they went on as they began.
    """
    at_work = next((one for one in peeked.content["schedules"] if one.get("rates_ahead")), None)
    optimizer = peeked.content["optimizers"][0]
    by_hand, steps = optimizer["rates_by_hand"], peeked.steps
    if (at_work is None) == (not by_hand) or not steps:  # nobody writes the rate, or two do
        return None
    if at_work is not None:
        rates = at_work["rates_ahead"]
        return rates[0], rates[len(rates) // 2], at_work["place"]
    rates = optimizer["groups"][0]["rates"]
    if rates[-1] == rates[0]:  # it rises with the epochs, perhaps
        return None
    slope = (rates[-1] - rates[0]) / max(len(rates) - 1, 1)
    return rates[0], rates[-1] + slope * steps / 2, by_hand[-1]["place"]


def falls(peeked: Peeked) -> Observation | None:
    """Returns that most of the rate is gone by the second step, whoever wrote it."""
    for optimizer in peeked.content["optimizers"][:1]:
        rates, by_hand = optimizer["groups"][0].get("rates") or [0.0], optimizer["rates_by_hand"]
        is_gone = len(rates) > 1 and 0 < rates[1] < GONE * rates[0] and schedule(peeked) is None
        if is_gone and max([*rates[2:], *(one["rate"] for one in by_hand[-1:])], default=0.0) <= rates[1]:
            places = [one["place"] for one in (*by_hand[-1:], *peeked.content["schedules"])]
            place = next(iter(places), optimizer["place"])
            words = f"the rate falls from {rates[0]:.3g} to {rates[1]:.2g} at the second step"
            return Observation("schedule_falls", "schedule", with_places(words, place), place)
    return None


def waits_for_less(peeked: Peeked) -> Observation | None:
    """Returns that a ReduceLROnPlateau waits for an accuracy to fall, or for a loss to rise."""
    for one in peeked.content["schedules"]:
        mode, told = one["options"].get("mode"), (one.get("told") or "").lower()
        words = set(re.findall("[a-z]+", told))
        rises, falls_too = bool(words & RISING), bool(words & FALLING)
        if not one["class"].endswith("ReduceLROnPlateau") or rises == falls_too or "-" in told:
            continue
        if mode == ("min" if rises else "max"):
            what = one["told"].partition(" = ")[0]
            said = f"ReduceLROnPlateau in mode {mode} lowers the rate while {what} gets better"
            said = with_places(said, one["step"], one["place"])
            return Observation("schedule_fades", "schedule", said, one["place"])
    return None


def schedule(peeked: Peeked) -> Observation | None:
    """Returns that a schedule is stepped too often or too seldom for what it was given."""
    epochs, schedules = peeked.content["epochs"], peeked.content["schedules"]
    batches: Any = (peeked.train_loader or {}).get("batches")
    if not (epochs and batches) and not peeked.content.get("steps"):
        return None
    for one in schedules if epochs and batches else ():
        outer = next((other for other in schedules if other["class"] == one.get("part_of")), one)
        beat = {"stepped_every": outer["stepped_every"]}
        words = _mistimed({**one, **beat}, epochs["count"], batches)
        if words is not None:
            said = with_places(words, outer["step"], one["place"])
            return Observation("schedule_mistimed", "schedule", said, outer["step"])
    return next((found for one in schedules if (found := _faded(one, peeked)) is not None), None)


def _mistimed(one: dict[str, Any], epochs: int, batches: int) -> str | None:
    name, options = one["class"].rpartition(".")[2], one["options"]
    steps = epochs * (batches if one["stepped_every"] == "batch" else 1)
    length = options.get(LENGTHS.get(name, "T_max"))
    counts_steps = one["stepped_every"] == "batch" and epochs > 1 and not one.get("is_led")
    if counts_steps and name in COSINES and length and _counts_epochs(name, length, epochs, batches):
        key = LENGTHS.get(name, "T_max")
        return f"{name} is stepped at every batch, and its {key} of {length} counts epochs"
    if counts_steps and (said := _marks_of_epochs(name, options, epochs, batches)):
        return f"{name} is stepped at every batch, and its {said} epochs"
    if one["stepped_every"] == "epoch" and length and length >= UNREACHED * steps:
        return f"{name} lasts {length} steps and is stepped once an epoch: {steps} times"
    return None


def _marks_of_epochs(name: str, options: dict[str, Any], epochs: int, batches: int) -> str | None:
    """Returns marks of a schedule that lie in the first epoch, counted in batches, and take most of it."""
    marks: list[int] = options.get("milestones") or [] if name == "MultiStepLR" else []
    if name == "StepLR" and options.get("step_size"):
        marks = list(range(options["step_size"], batches + 1, options["step_size"]))
    lasts = max(marks, default=0) if name == "MultiStepLR" else options.get("step_size", 0)
    if not marks or not 1 < lasts < min(epochs, batches) or options.get("gamma", 0.1) ** len(marks) > FALLEN:
        return None
    return f"milestones {marks} count" if name == "MultiStepLR" else f"step_size of {marks[0]} counts"


def _faded(one: dict[str, Any], peeked: Peeked) -> Observation | None:
    """Returns that a schedule leaves nothing of its rate early in a training, where its rates are known."""
    rates = one.get("rates_ahead")
    if not rates or not max(rates) > 0:
        return None
    gone = next((part for part in range(len(rates)) if max(rates[part:]) <= FADED * max(rates)), None)
    if gone is None or gone > EARLY * TENTHS:
        return None
    name, often = one["class"].rpartition(".")[2], one["stepped_every"] == "batch"
    beat = {"batch": " is stepped at every batch and", "epoch": ""}.get(one["stepped_every"], "")
    words = f"{name}{beat} leaves less than {FADED:.0%} of the rate after {gone / TENTHS:.0%} of the training"
    place = one["step"] if often else one["place"]
    said = with_places(words, place, one["place"])
    return Observation("schedule_mistimed" if often else "schedule_fades", "schedule", said, place)


def _counts_epochs(name: str, length: int, epochs: int, batches: int) -> bool:
    """Returns whether a schedule that is stepped at every batch is as long as if it were once an epoch."""
    if name == RESTARTS:
        return length < batches or length <= epochs
    is_named_so = 0.8 * epochs <= length <= 1.25 * epochs and 2 * length <= epochs * batches
    return 2 * length <= batches or is_named_so


RULES = (schedule, waits_for_less, warms_long, falls)
