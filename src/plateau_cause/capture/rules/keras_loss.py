"""Observations about the loss of a Keras script: what it is told of what it is given."""

from __future__ import annotations

from plateau_cause.capture.patches.keras_model import activated, reactivated
from plateau_cause.capture.patches.keras_training import logits_told
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

PROBABILITIES = ("softmax", "sigmoid")
ENTROPIES = ("sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy",
             "categorical_focal_crossentropy", "binary_focal_crossentropy")  # fmt: skip
OF_ONE = ("categorical_crossentropy", "categorical_focal_crossentropy")  # that share one label among classes
MOST_CLASSES = 1000  # different labels; more are numbers
DISTANCES = ("mean_squared_error", "mean_absolute_error", "mse", "mae", "huber")


def from_logits(peeked: Peeked) -> Observation | None:
    """Returns that loss and last activation do not fit each other."""
    loss = peeked.content["loss"]
    if (
        not peeked.keras
        or not loss
        or loss["function"] not in ENTROPIES
        or peeked.keras.get("outputs", 1) > 1
    ):
        return None  # of several outputs it is not known which loss is of which
    activation, place = loss["activation"], loss["built"]
    expects_logits = bool(loss["options"].get("from_logits"))
    is_probability = activation in PROBABILITIES or (activation is None and loss["on"] == "probabilities")
    if expects_logits == (not is_probability):
        return None
    head = peeked.model["head"]
    if activation == "relu":
        return None  # said of the head
    others = _other_losses(peeked)  # then the head suits these
    if expects_logits:
        words = f"{activation or 'a softmax'} before a loss with from_logits=True, which applies it itself"
        patch = logits_told(peeked.folder, place, False, others)
        if patch is None and head and activation and not others:
            patch = reactivated(peeked.folder, head["place"], activation, "linear")
    else:
        words = "the loss expects probabilities and is given plain outputs: from_logits is False"
        patch = logits_told(peeked.folder, place, True, others)
        if patch is None and not others:
            patch = activated(peeked.folder, head and head["place"], loss["function"])
    said = with_places(words, place, head and head["place"])
    return Observation("loss_input", "loss_function", said, place, patch)


def of_its_own(peeked: Peeked) -> Observation | None:
    """Returns that the last activation is not what a loss of the script's own takes, which was tried."""
    loss, head = peeked.content["loss"], peeked.model["head"]
    taken = loss.get("takes") if loss else None
    if not peeked.keras or taken is None or head is None or peeked.keras.get("outputs", 1) > 1:
        return None
    is_probability, place = loss["activation"] in PROBABILITIES, head["place"]
    if (taken == "probabilities") == is_probability or loss["activation"] == "relu":
        return None
    if is_probability:
        words = f"{loss['activation']} before {loss['function']}, which applies it itself"
        patch = reactivated(peeked.folder, place, loss["activation"], "linear")
    else:
        words = f"{loss['function']} takes probabilities and is given plain outputs"
        patch = activated(peeked.folder, place, loss["function"])
    said = with_places(words, place, loss["built"])
    return Observation("loss_input", "loss_function", said, place, patch)


def _other_losses(peeked: Peeked) -> bool:
    """Returns whether another fit has another loss than this one."""
    fits = [one["as_first"]["loss"] for one in peeked.keras.get("fits", []) if one.get("as_first")]
    own = bool(peeked.content["loss"]["options"].get("from_logits"))
    return any(one is not None and bool(one["options"].get("from_logits")) != own for one in fits)


def output(peeked: Peeked) -> Observation | None:
    """Returns that the last activation cannot tell classes apart."""
    loss, head = peeked.content["loss"], peeked.model["head"]
    if not peeked.keras or not loss or not head or peeked.keras.get("outputs", 1) > 1:
        return None
    place = head["place"]
    if loss["activation"] == "relu" and loss["function"] in ENTROPIES:
        words = with_places("outputs pass a ReLU before the loss", place)
        return Observation("output_activation", "head", words, place,
                           reactivated(peeked.folder, place, "relu", "softmax"))  # fmt: skip
    if loss["activation"] == "softmax" and head["outputs"] == 1:
        words = with_places("a softmax over a single output is always 1", place)
        return Observation("output_activation", "head", words, place,
                           reactivated(peeked.folder, place, "softmax", "sigmoid"))  # fmt: skip
    return None


def several_labels(peeked: Peeked) -> Observation | None:
    """Returns that images have several labels each, or none, and the loss shares one among the classes."""
    loss, head = peeked.content["loss"], peeked.model["head"]
    each = loss.get("labels_each") if loss else None
    if not peeked.keras or each is None or peeked.keras.get("outputs", 1) > 1:
        return None
    is_shared, takes_one = loss["activation"] == "softmax", loss["function"] in OF_ONE
    if not is_shared and not takes_one:
        return None
    by = "a softmax shares one" if is_shared else f"{loss['function']} takes one"
    words = (
        f"images have {each:.1f} labels each and {by}: a sigmoid and a binary crossentropy judge each alone"
    )
    place = head["place"] if head and is_shared else loss["built"]
    patch = reactivated(peeked.folder, place, "softmax", "sigmoid") if place and not takes_one else None
    said = with_places(words, place, loss["built"])
    return Observation("labels_share_one", "loss_function", said, place, patch)


def distance(peeked: Peeked) -> Observation | None:
    """Returns that classes are learned by a loss for numbers."""
    loss = peeked.content["loss"]
    if not peeked.keras or not loss or loss["function"] not in DISTANCES:
        return None
    seen = peeked.train_loader["labels"]["seen"] if peeked.train_loader else {}
    if loss["activation"] in PROBABILITIES:
        said = f"{loss['function']} on probabilities of classes: its gradient fades"
    elif loss["activation"] in (None, "linear") and 1 < len(seen) <= MOST_CLASSES:
        said = f"{loss['function']} on plain outputs, against classes: a loss for numbers"
    else:
        return None
    return Observation("loss_for_numbers", "loss_function", with_places(said, loss["built"]), loss["built"])
