"""Observations about the loss: what it is given, what it smooths."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.patches.loss import binary_loss, logged, without_activation
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

PROBABILITIES = ("softmax", "sigmoid")
MOSTLY_SMOOTHED = 0.5  # recipes in use go up to 0.2


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
        ("cross_entropy", "never negative"): (
            "outputs pass a ReLU before the loss"
            if function == "relu"
            else f"{function} before cross-entropy, which applies a softmax itself"
        ),
        ("nll_loss", "never negative"): "log-probabilities pass a ReLU before the loss, which leaves zeros",
    }.get((loss["computes"], loss["on"]))
    is_head = loss["on"] == "never negative" and function not in PROBABILITIES
    if (
        wrong is None
        or (is_head and function != "relu")
        or (before is None and loss["on"] == "never negative")
    ):
        return None
    is_logged = loss["computes"] in ("nll_loss", "kl_div") and not is_head
    change = logged if is_logged else without_activation
    patch = change(peeked.folder, before) if before else None
    code, cause = ("output_activation", "head") if is_head else ("loss_input", "loss_function")
    return Observation(code, cause, with_places(wrong, place, loss["place"]), place, patch)


def no_number(peeked: Peeked) -> Observation | None:
    """Returns that the loss is NaN or infinite from the first step on: every weight will be."""
    loss = peeked.content["loss"] or {}
    if loss.get("is_number", True):
        return None
    place = loss["place"] or loss["built"]
    words = with_places("the loss is no number (NaN or infinite) at the first step", place, loss["built"])
    return Observation("loss_no_number", "loss_function", words, place)


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
    patch = binary_loss(peeked.folder, place)
    return Observation("loss_of_one_output", "loss_function", words, place, patch)


def is_over_one_output(loss: dict[str, Any] | None) -> bool:
    """Returns whether cross-entropy is given one column."""
    given = loss or {}
    return given.get("computes") == "cross_entropy" and given.get("outputs", [])[1:] == [1]


RULES = (no_number, loss_input, single_output, smoothed)
