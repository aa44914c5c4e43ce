"""Observations about the loop: clearing, clipping, modes, the loss, the schedule."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture import patches
from plateau_cause.capture.observation import Observation, Peeked, with_places

LEFT, UNCHANGED = 0.2, 0.999  # of the first weights of an average, at the end of training
MOSTLY_SMOOTHED = 0.5  # recipes in use go up to 0.2
CLIPPED_AWAY = 100  # times that a gradient is longer than what clipping leaves of it
SAME_RATE = ("SGD",)  # optimizers whose steps grow with the gradient
VANISHING = (
    1e-6  # gradient of one number below which an adaptive optimizer's own epsilon, 1e-8, begins to tell
)
FALLEN = 0.3  # part of a rate that is left after one epoch where marks that count epochs count batches
FADED = 0.02  # rate after one of several epochs, as a part of the first: too early
EARLY = 0.4  # of a training
UNREACHED = 3  # times that a schedule is longer than the training
# Options that say how long they last
RESTARTS = "CosineAnnealingWarmRestarts"
LENGTHS = {"OneCycleLR": "total_steps", "LambdaLR": "reaches_zero", "CosineLRScheduler": "t_initial",
           RESTARTS: "T_0"}  # fmt: skip
COSINES = ("CosineAnnealingLR", "CosineLRScheduler", RESTARTS)  # the second is timm's
TENTHS = 10  # in which the rates ahead are listed


def not_cleared(peeked: Peeked) -> Observation | None:
    """Returns that gradients of earlier steps are added to those of later ones."""
    gradients = peeked.content["gradients"]
    if gradients["are_cleared"] is not False:
        return None
    step = peeked.content["optimizers"][0]["step"]
    words = with_places("gradients are never cleared: each step adds to those before", step)
    patch = patches.cleared(peeked.folder, step)
    return Observation("gradients_not_cleared", "training_loop", words, step, patch)


def clipped(peeked: Peeked) -> Observation | None:
    """Returns that clipping leaves next to nothing of the gradient."""
    clipping = peeked.content["gradients"]["clipping"]
    if not clipping or not clipping["norm"] or clipping["norm"] < CLIPPED_AWAY * clipping["limit"]:
        return None
    numbers = max(peeked.model["trains"]["numbers"], 1)
    adapts = all(not one["class"].endswith(SAME_RATE) for one in peeked.content["optimizers"])
    # Such optimizers divide by the gradient's size
    if adapts and clipping["limit"] > VANISHING * numbers**0.5:
        return None
    part = f"1/{clipping['norm'] / clipping['limit']:.0f}"
    said = with_places(f"clipping to {clipping['limit']:g} leaves {part} of the gradient", clipping["place"])
    return Observation("gradients_clipped_away", "training_loop", said, clipping["place"])


def trained_in_evaluation_mode(peeked: Peeked) -> Observation | None:
    """Returns that the model is in evaluation mode while it trains, at once or after its first evaluation."""
    first, later = peeked.content["training"], peeked.content["training_again"]
    trains = [one for one in (first, later) if one and one.get("has_gradients", True)]
    training = next((one for one in trains if not one["modes"]["training"]), None)
    modes = training["modes"] if training else {}
    if training is None or not (modes["batch_norm"]["count"] or modes["dropout"]["count"]):
        return None
    place = training["set_at"] or training["loop"]
    when = "" if training is first else " after its first evaluation"
    words = with_places(f"the model trains in evaluation mode{when}: {_inactive(modes)}", place)
    evaluation = peeked.content["evaluation"] or {}
    is_one_line = training["set_at"] is not None and evaluation.get("set_at") == training["set_at"]
    if is_one_line and evaluation["modes"]["training"]:  # both the wrong way round
        patch = patches.mode_inverted(peeked.folder, training["set_at"])
    elif is_one_line and training is first:  # nothing else sets a mode: turned, evaluation would train
        patch = None
    else:
        patch = patches.mode_turned(peeked.folder, training["set_at"], "train") if training is first else None
        patch = patch or patches.mode_set(
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
        patch = None if is_keras else patches.mode_turned(peeked.folder, set_at, "eval")
    else:
        patch = patches.mode_set(peeked.folder, place, evaluation["place"], evaluation["model"], "eval")
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


def loss_input(peeked: Peeked) -> Observation | None:
    """Returns that the loss, or one that is added to it, is given something else than it expects."""
    loss = peeked.content["loss"]
    found = (_wrong_input(peeked, one) for one in [loss, *(loss or {}).get("with", [])] if one)
    return next((one for one in found if one is not None), None)


def _wrong_input(peeked: Peeked, loss: dict[str, Any]) -> Observation | None:
    if not loss.get("on"):
        return None
    before = loss["after"]
    place, function = (before or loss)["place"], before["function"] if before else "softmax"
    wrong = {
        (
            "cross_entropy",
            "probabilities",
        ): f"{function} before cross-entropy, which applies a softmax itself",
        ("binary_cross_entropy_with_logits", "probabilities"): "sigmoid before a loss that applies it itself",
        ("nll_loss", "probabilities"): "nll_loss expects log-probabilities and is given probabilities",
        ("nll_loss", "logits"): "nll_loss expects log-probabilities and is given plain outputs",
        ("kl_div", "probabilities"): "kl_div expects log-probabilities and is given probabilities",
        ("kl_div", "logits"): "kl_div expects log-probabilities and is given plain outputs",
        ("cross_entropy", "never negative"): "outputs pass a ReLU before the loss",
        ("nll_loss", "never negative"): "log-probabilities pass a ReLU before the loss, which leaves zeros",
    }.get((loss["computes"], loss["on"]))
    is_head = loss["on"] == "never negative"
    if wrong is None or (is_head and function != "relu"):
        return None
    is_logged = loss["computes"] in ("nll_loss", "kl_div") and not is_head
    change = patches.logged if is_logged else patches.without_activation
    patch = change(peeked.folder, before) if before else None
    code, cause = ("output_activation", "head") if is_head else ("loss_input", "loss_function")
    return Observation(code, cause, with_places(wrong, place, loss["place"]), place, patch)


def smoothed(peeked: Peeked) -> Observation | None:
    """Returns that labels are smoothed until the right class hardly stands out."""
    loss = peeked.content["loss"] or {}
    smoothing = (loss.get("options") or {}).get("label_smoothing") or 0.0
    if smoothing < MOSTLY_SMOOTHED:
        return None
    place = loss["built"] or loss["place"]
    words = with_places(
        f"label_smoothing of {smoothing:g} spreads most of each label over all classes", place
    )
    return Observation("labels_smoothed_away", "regularization", words, place)


def single_output(peeked: Peeked) -> Observation | None:
    """Returns that a softmax is taken over a single output: its loss is 0 whatever the image."""
    loss = peeked.content["loss"]
    if not is_over_one_output(loss):
        return None
    place = loss["built"] or loss["place"]
    words = with_places("cross-entropy over a single output is 0 for every image: nothing is learned",
                        place, loss["place"])  # fmt: skip
    patch = patches.binary_loss(peeked.folder, place)
    return Observation("loss_of_one_output", "loss_function", words, place, patch)


def is_over_one_output(loss: dict[str, Any] | None) -> bool:
    """Returns whether cross-entropy is given one column."""
    given = loss or {}
    return given.get("computes") == "cross_entropy" and given.get("outputs", [])[1:] == [1]


def schedule(peeked: Peeked) -> Observation | None:
    """Returns that a schedule is stepped too often or too seldom for what it was given."""
    epochs, loader = peeked.content["epochs"], peeked.train_loader
    if not epochs or not loader or not loader["batches"]:
        return None
    schedules = peeked.content["schedules"]
    for one in schedules:
        outer = next((other for other in schedules if other["class"] == one.get("part_of")), one)
        beat = {"stepped_every": outer["stepped_every"]}
        words = _mistimed({**one, **beat}, epochs["count"], loader["batches"])
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


def _inactive(modes: dict[str, Any]) -> str:
    named = (("batch norms", "batch_norm"), ("dropouts", "dropout"))
    said = [f"{modes[key]['count']} {words}" for words, key in named if modes[key]["count"]]
    return " and ".join(said) + " do not act as in training"


RULES = (
    not_cleared, clipped, trained_in_evaluation_mode, evaluated_in_training_mode, average_lags, loss_input,
    single_output, smoothed,
    schedule,
)  # fmt: skip
