"""A training of several times the length, as an intervention with its line and patch."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.patches.numbers import EPOCHS, number_changed
from plateau_cause.capture.possible import settings
from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.rules.observation import Peeked, with_places


def longer(peeked: Peeked, times: int, trained: int) -> Possible | None:
    """Returns a training of several times as many steps; None where no loader of training is known.

    Args:
        peeked: the peek of the script.
        times: how many.
        trained: epochs that its run had.
    """
    told, epochs = settings.loader(peeked), peeked.content.get("epochs")
    if told is None and peeked.content.get("framework") != "keras":
        return None
    place, patch = epochs["place"] if epochs else None, None
    if epochs:
        place, patch = _epochs_changed(peeked, epochs, times)
    count = f"{trained} epoch{'s' * (trained != 1)}" if trained else "a training"
    words = with_places(f"the loss was still falling when training ended after {count}", place)
    difference = f"{count} instead of {times} times as long"
    return Possible("training_length", "training_length", words, difference, place, patch,
                    {**(told or {}), "times": times}, 0.5, is_sure=False, cost=times,
                    title="Training ends too early", repair=f"Train {times} times as long",
                    explanation=f"The loss was still falling when training ended after {count}.")  # fmt: skip


def to_the_end(peeked: Peeked, trained: int, room: float) -> Possible | None:
    """Returns a training without its `EarlyStopping`, of Keras or Lightning; None where it ended nothing.

    Args:
        peeked: the peek of the script.
        trained: epochs that a run had.
        room: how many times as long a run may take.
    """
    planned = (peeked.content.get("epochs") or {}).get("count", 0)
    stopping = next((one for one in peeked.callbacks if one["class"] == "EarlyStopping"), None)
    most = min(planned, int(trained * room))
    if stopping is None or most <= trained:
        return None
    difference = f"{trained} of {planned} epochs"
    words = with_places(f"EarlyStopping ended the training after {difference}", stopping["place"])
    return Possible("no_early_stop", "training_length", words, f"{difference} by EarlyStopping",
                    stopping["place"], None, {"epochs": most}, 0.5, is_sure=False, cost=most / trained,
                    title="EarlyStopping ends training too early",
                    repair="Give EarlyStopping more patience and a smaller min_delta, or leave it out",
                    explanation=f"It ended after {difference}: its loss was still falling.")  # fmt: skip


def _epochs_changed(peeked: Peeked, epochs: dict[str, Any], times: int) -> tuple[Any, str | None]:
    """Returns the line where the number of epochs is written, and it changed.

    Where it stands in the loop itself, a schedule beside it counts its own: then there is no patch.
    """
    given = peeked.content["script"]["arguments"]
    place, patch = number_changed(
        peeked.folder, epochs["place"], EPOCHS, lambda count: count * times, given, epochs["count"]
    )
    is_alone = not peeked.content.get("schedules") or place != epochs["place"]
    return place, patch if is_alone else None
