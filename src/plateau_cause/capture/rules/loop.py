"""Observations about the loop: clearing, clipping, modes, averages of the weights."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.patches.loop import cleared, mode_inverted, mode_set, mode_turned, unbroken
from plateau_cause.capture.patches.numbers import LIMITS, number_changed
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

LEFT, UNCHANGED = 0.2, 0.999  # of the first weights of an average, at the end of training
MOST_READ = 0.9  # of the batches of a pass that is left early
USUAL_LIMIT = 1.0  # of a gradient's norm
CLIPPED_AWAY = 100  # times that a gradient is longer than what clipping leaves of it
SAME_RATE = ("SGD",)  # optimizers whose steps grow with the gradient
VANISHING = (
    1e-6  # gradient of one number below which an adaptive optimizer's own epsilon, 1e-8, begins to tell
)


def not_cleared(peeked: Peeked) -> Observation | None:
    """Returns that gradients of earlier steps are added to those of later ones."""
    gradients = peeked.content["gradients"]
    if gradients["are_cleared"] is not False:
        return None
    step = peeked.content["optimizers"][0]["step"]
    words = with_places("gradients are never cleared: each step adds to those before", step)
    patch = cleared(peeked.folder, step)
    return Observation("gradients_not_cleared", "training_loop", words, step, patch)


def wasted(peeked: Peeked) -> Observation | None:
    """Returns that gradients are cleared before the step that they are added up for."""
    gradients = peeked.content["gradients"]
    unused, used = gradients.get("wasted_per_step") or 0, gradients["backward_calls_per_step"]
    is_scaled = (gradients["scaler"] or {}).get("enabled")  # such steps are left out by design at times
    if not unused or not used or is_scaled:
        return None
    words = (f"before each step the gradients of {unused} of {unused + used} backward calls are cleared, and "
             "no step uses them")  # fmt: skip
    place = gradients["cleared_at"]
    return Observation("gradients_wasted", "training_loop", with_places(words, place), place)


def left_early(peeked: Peeked) -> Observation | None:
    """Returns that the loop over the training images is left before they have all been read."""
    train = peeked.train_loader
    left = train.get("left_after") if train else None
    if train is None or not left or not train["batches"] or left["batches"] > MOST_READ * train["batches"]:
        return None
    place, count = left["place"], f"{left['batches']} of {train['batches']} batches"
    words = with_places(f"every pass over the training images is left after {count}", place)
    patch = unbroken(peeked.folder, place) if left["last"] else None
    return Observation("passes_left_early", "training_length", words, place, patch)


def clipped(peeked: Peeked) -> Observation | None:
    """Returns that clipping leaves next to nothing of the gradient."""
    clipping = peeked.content["gradients"]["clipping"]
    if not clipping or not clipping["norm"] or clipping["norm"] < CLIPPED_AWAY * clipping["limit"]:
        return None
    numbers = max(peeked.model["trains"]["numbers"], 1)
    adapts = all(not one["class"].endswith(SAME_RATE) for one in peeked.content["optimizers"])
    limit = clipping["limit"] if "value" in clipping["function"] else clipping["limit"] / numbers**0.5
    if adapts and limit > VANISHING:  # such optimizers divide by the gradient's size
        return None
    part = f"1/{clipping['norm'] / clipping['limit']:.0f}"
    said = with_places(f"clipping to {clipping['limit']:g} leaves {part} of the gradient", clipping["place"])
    arguments = peeked.content["script"]["arguments"]
    _, patch = number_changed(
        peeked.folder, clipping["place"], LIMITS, lambda _: USUAL_LIMIT, arguments, clipping["limit"]
    )
    return Observation("gradients_clipped_away", "training_loop", said, clipping["place"], patch)


def trained_in_evaluation_mode(peeked: Peeked) -> Observation | None:
    """Returns that the model is in evaluation mode while it trains, at once or after its first evaluation.

    Norms that are frozen, as those of a network that a head is trained on, should act as in evaluation.
    """
    first, later = peeked.content["training"], peeked.content["training_again"]
    trains = [one for one in (first, later) if one and one.get("has_gradients", True)]
    training = next((one for one in trains if not one["modes"]["training"]), None)
    modes = training["modes"] if training else {}
    if training is None or modes.get("norms_frozen"):
        return None
    if not (modes["batch_norm"]["count"] or modes["dropout"]["count"]):
        return None
    place = training["set_at"] or training["loop"]
    when = "" if training is first else " after its first evaluation"
    words = with_places(f"the model trains in evaluation mode{when}: {_inactive(modes)}", place)
    evaluation = peeked.content["evaluation"] or {}
    is_one_line = training["set_at"] is not None and evaluation.get("set_at") == training["set_at"]
    if is_one_line and evaluation["modes"]["training"]:  # both the wrong way round
        patch = mode_inverted(peeked.folder, training["set_at"])
    elif is_one_line and training is first:  # nothing else sets a mode: turned, evaluation would train
        patch = None
    else:
        patch = mode_turned(peeked.folder, training["set_at"], "train") if training is first else None
        patch = patch or mode_set(
            peeked.folder, training["loop"], training["place"], training["model"], "train"
        )
    cause = "batch_norm" if modes["batch_norm"]["count"] else "regularization"
    return Observation("trains_in_evaluation_mode", cause, words, place, patch)


def evaluated_in_training_mode(peeked: Peeked) -> Observation | None:
    """Returns that batch norms or dropout act as in training while the model is evaluated."""
    evaluation = peeked.content["evaluation"]
    modes = evaluation["modes"] if evaluation else None
    acting = 0 if modes is None else modes["batch_norm"]["training"] + modes["dropout"]["training"]
    if evaluation is None or not acting:
        return _average_in_training_mode(peeked)
    is_keras = peeked.content.get("framework") == "keras"
    set_at = evaluation["set_at"]  # of Keras the call with training=True
    training = peeked.content["training"] or {}
    is_own = is_keras or set_at != training.get("set_at")
    is_shared = not is_own and evaluation["loop"] and evaluation["loop"] == training.get("loop")
    place = (set_at if is_own or is_shared else None) or evaluation["loop"] or evaluation["place"]
    words = with_places(f"evaluation runs in training mode: {acting} layers act as in training", place)
    if is_shared:
        patch = None  # one function for both: who calls it knows which it is
    elif is_keras or (is_own and set_at):
        patch = None if is_keras else mode_turned(peeked.folder, set_at, "eval")
    else:
        patch = mode_set(peeked.folder, place, evaluation["place"], evaluation["model"], "eval")
    return Observation("evaluates_in_training_mode", "evaluation", words, place, patch)


def _average_in_training_mode(peeked: Peeked) -> Observation | None:
    """Returns that an average of the weights, which is evaluated too, is left in training mode."""
    average = peeked.content["average"] or {}
    modes = average.get("modes")
    acting = modes["batch_norm"]["training"] + modes["dropout"]["training"] if modes else 0
    if not acting:
        return None
    place = average["set_at"] or average["loop"] or average["called_at"]
    words = f"{average['class']} is evaluated in training mode: {acting} layers act as in training"
    return Observation("evaluates_in_training_mode", "evaluation", with_places(words, place), place)


def average_lags(peeked: Peeked) -> Observation | None:
    """Returns that an average of the weights, which is evaluated, hardly follows what is trained."""
    average = peeked.content["average"] or {}
    left, place = average.get("left"), average.get("called_at")
    if left is None or left < LEFT or average.get("is_beside"):
        return _never_updated(peeked)
    still = "has not changed while the model trained" if left > UNCHANGED else (
        f"will still be {left:.0%} of what it was before training at its end")  # fmt: skip
    words = with_places(f"{average['class']} is evaluated, a copy of the model that {still}", place)
    return Observation("average_lags", "evaluation", words, place)


def _never_updated(peeked: Peeked) -> Observation | None:
    """Returns that an average is built which no line of the user's updates."""
    place = next(iter(peeked.content.get("averages") or []), None)
    if place is None:
        return None
    words = with_places(
        "AveragedModel is never given the weights: no line calls its update_parameters", place
    )
    return Observation("average_lags", "evaluation", words, place)


def _inactive(modes: dict[str, Any]) -> str:
    named = (("batch norms", "batch_norm"), ("dropouts", "dropout"))
    said = [f"{modes[key]['count']} {words}" for words, key in named if modes[key]["count"]]
    return " and ".join(said) + " do not act as in training"


RULES = (
    not_cleared,
    left_early,
    wasted,
    clipped,
    trained_in_evaluation_mode,
    evaluated_in_training_mode,
    average_lags,
)
