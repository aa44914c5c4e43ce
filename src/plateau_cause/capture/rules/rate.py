"""Observations about the rate: steps that are too long or too short, layers with next to none."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.rules.loop import clipped
from plateau_cause.capture.rules.observation import NOTABLE, Observation, Peeked, with_places
from plateau_cause.capture.rules.schedule import schedule, warms_long

HIGH, LOW = 0.5, 1e-6  # change of the weights in one step, as a part of their norm: beyond what trains
OTHER_REASONS = (clipped, schedule, warms_long)  # why weights hardly move
RISEN = 3  # times the rate that was seen: what lies ahead decides
TOTAL = 1e-3  # the same of a whole training, if every step went the same way: less moves no head
MOST_NAMED = 3  # groups of layers in one line
STILL = 1e-4  # part of its optimizer's highest rate at which a group as good as never moves
HIGH_ALONE = 3.0  # the same of a layer that trains alone: it begins small, and steps far at first
# The same where loaded weights train: what they hold is gone soon. Of the healthy scripts that others have
# written, none is above 0.06; a rate a hundred times too high is at 0.2 to 0.7.
HIGH_LOADED = 0.15
WHOLE = 0.3  # of a model's numbers: more than a new head has


def rates_apart(peeked: Peeked) -> Observation | None:
    """Returns which layers have next to no rate beside others of their optimizer."""
    for one in peeked.content["optimizers"]:
        peaks = [peak(group) for group in one["groups"]]
        slow = [group for group, peak in zip(one["groups"], peaks, strict=True) if peak <= STILL * max(peaks)]
        numbers = sum(group.get("numbers", 0) for group in one["groups"])
        most = max((peak for peak in peaks if peak <= STILL * max(peaks)), default=0.0)
        if not slow or not max(peaks) or sum(group["numbers"] for group in slow) < NOTABLE * numbers:
            continue
        if not most and peeked.content["schedules"]:
            continue  # it may raise a rate of zero later
        layers = list(dict.fromkeys(group["holds"] for group in slow if group["holds"]))
        named = ", ".join(layers if len(layers) <= MOST_NAMED else [layers[0], "…", layers[-1]])
        words = f"{named} as good as never move: a rate of {most:.2g} at most, beside {max(peaks):g}"
        words = with_places(words, one["place"])
        return Observation("rates_apart", "frozen_layers", words, one["place"])
    return None


def peak(group: dict[str, Any]) -> float:
    """Returns the highest rate of a group, so far as it is known."""
    ahead = [group.get(name) or 0.0 for name in ("initial_lr", "max_lr", "lr")]
    return float(max(*ahead, *group.get("rates", [])))


def rate(peeked: Peeked) -> Observation | None:
    """Returns that one step changes the weights far more, or less, than training can bear."""
    change = peeked.change_per_step
    if rates_apart(peeked) is not None and (peeked.change_per_step or 0.0) < LOW:
        return None  # most stand still by their own groups' rates
    if (peeked.moved_in_all or 1.0) < TOTAL and not any(rule(peeked) for rule in OTHER_REASONS):
        return _hardly_moves(peeked)
    warms_up = any(one["stepped_every"] == "batch" for one in peeked.content["schedules"])
    by_hand = any(one["rates_by_hand"] for one in peeked.content["optimizers"])
    ahead = [max(one["rates_ahead"]) for one in peeked.content["schedules"] if one.get("rates_ahead")]
    warms_up = warms_up or max(ahead, default=0.0) > RISEN * peeked.rate_seen
    high = too_high(peeked, peeked.model["trains"])
    if not change or LOW <= change <= high:
        return None
    if change < LOW and (warms_up or by_hand or clipped(peeked) is not None):
        return None
    optimizer = peeked.content["optimizers"][0]
    rates = ", ".join(dict.fromkeys(f"{group['lr']:g}" for group in optimizer["groups"]))
    if peeked.rate_ahead is not None:
        rates = f"{peeked.rate_ahead[1]:g}, to which it warms up,"
    part = f"{change:.1%}" if change > high else f"{change:.1g}"
    words = with_places(f"a step at rate {rates} changes the weights by {part} of their norm",
                        optimizer["place"])  # fmt: skip
    cause = "learning_rate_high" if change > high else "learning_rate_low"
    return Observation(cause.replace("learning_rate", "step_too"), cause, words, optimizer["place"])


def too_high(peeked: Peeked, trains: dict[str, Any]) -> float:
    """Returns the change of the weights in one step, as a part of their norm, above which it is too long.

    Args:
        peeked: the peek.
        trains: the part about what trains, of the first fit or of a later one.
    """
    if trains.get("matrices") == 1:
        return HIGH_ALONE
    is_whole = trains.get("numbers", 0) >= WHOLE * peeked.model.get("numbers", 0)
    return HIGH_LOADED if is_whole and peeked.is_pretrained else HIGH


def _hardly_moves(peeked: Peeked) -> Observation:
    optimizer = peeked.content["optimizers"][0]
    rates = ", ".join(dict.fromkeys(f"{group['lr']:g}" for group in optimizer["groups"]))
    if peeked.rate_ahead is not None:
        rates = f"at most {peeked.rate_ahead[1]:g}"
    said = (
        f"all {peeked.steps} steps of the training, at rates of {rates}, change no layer by more than "
        f"{peeked.moved_in_all:.1g} of its norm"
    )
    words = with_places(said, optimizer["place"])
    return Observation("step_too_low", "learning_rate_low", words, optimizer["place"])
