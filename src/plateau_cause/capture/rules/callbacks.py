"""Observations about what frameworks call back: Keras and Lightning."""

from __future__ import annotations

import re
from typing import Any

from plateau_cause.capture.patches.calls import call_at
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places
from plateau_cause.capture.rules.schedule import FALLING, RISING


def waits_for_less(peeked: Peeked) -> Observation | None:
    """Returns that a callback takes an accuracy for better as it falls, or a loss as it rises."""
    one = next((one for one in peeked.callbacks if waits_wrongly(one)), None)
    if one is None:
        return None
    place = one["place"] if peeked.keras else call_at(peeked.folder, one["place"], one["class"])
    said = with_places(
        f"{one['class']} in mode {one['mode']} takes a worse {one['monitor']} for better", place
    )
    lowers = one["class"] == "ReduceLROnPlateau"
    code, cause = ("schedule_fades", "schedule") if lowers else ("callback_waits", "training_length")
    return Observation(code, cause, said, place)


def waits_wrongly(callback: dict[str, Any]) -> bool:
    """Returns whether a callback's mode and the words of its metric disagree."""
    words = set(re.findall("[a-z]+", callback.get("monitor", "").lower()))
    rises, falls = bool(words & RISING), bool(words & FALLING)
    return rises != falls and callback.get("mode") == ("min" if rises else "max")


RULES = (waits_for_less,)
