"""What could be changed in a Keras script and would differ from what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from plateau_cause.capture.possible.keras_said import SAID
from plateau_cause.capture.possible.settings import by_folder, turned
from plateau_cause.capture.rules.classes import without_case
from plateau_cause.capture.rules.keras import batches_of_an_epoch
from plateau_cause.capture.rules.later_fits import at_fit
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

FEW = 30  # steps of a whole training: fewer are too few for anything to be learned
TIMES = 3  # as many epochs are tried instead
RARE = 3.0  # times that one class is more frequent than another

Peek = dict[str, Any]
Told = dict[str, Any]


def interventions(content: Peek, found: list[Observation]) -> list[Told]:
    """Returns the interventions that a peek asks for, as `interventions` of peek.json lists them.

    Args:
        content: the peek of a Keras script.
        found: what stands out in it.

    Returns:
        name, cause, words, difference, location, patch, settings (what the peek measured for it), prior
        (probability that it matters) and is_sure (whether it repairs a fault) of each.
    """
    asked = [told for one in found if (told := _for(one, content)) is not None]
    names = {one["name"] for one in asked}
    if any(one.code == "split_of_sorted" for one in found):
        names.add("class_weight")  # what is missing in training weighs nothing
    if "whole_passes" in names:
        names.add("training_length")  # more of the same few batches
    if "rate_full" in names:
        names.add("schedule")  # its first rate alone is next to none
    return asked + [one for one in _always(content) if one["name"] not in names]


def _for(seen: Observation, content: Peek) -> Told | None:
    """Returns the intervention that undoes what stands out; None where there is none."""
    if seen.code not in TABLE:
        return None
    name, prior, is_sure, difference, measured = TABLE[seen.code]
    settings = measured(at_fit(content, seen.fit))
    if settings is None:
        return None
    if seen.fit:
        settings = {**settings, "fit": seen.fit}
    return {"name": name, "cause": seen.cause, "words": seen.words, "difference": difference,
            "location": seen.location, "patch": seen.patch, "settings": settings, "prior": prior,
            "is_sure": is_sure, **SAID.get(name, {})}  # fmt: skip


def _always(content: Peek) -> Iterator[Told]:
    """Yields what is no fault and may be better otherwise: the schedule, the length, weights of classes."""
    place = content["training"]["place"]
    if content["schedules"]:
        one = content["schedules"][0]
        words = with_places(f"the rate follows {one['class']}", one["place"])
        yield _told("schedule", "schedule", words, "a schedule instead of one rate", one["place"], 0.2)
    fits, loaders = content["keras"].get("fits") or [], content["loaders"]
    epochs = sum(one["epochs"] for one in fits[1:]) + content["epochs"]["count"]
    steps = epochs * loaders[0]["batches"] if loaders and loaders[0]["batches"] else FEW
    if steps < FEW:
        words = with_places(f"the fit ends after {steps} steps in {epochs} epochs", place)
        yield _told("training_length", "training_length", words,
                    f"{epochs} epochs instead of {TIMES * epochs}", place, 0.3, {"times": TIMES})  # fmt: skip
    counts = list(content["loaders"][0]["labels"]["seen"].values()) if content["loaders"] else []
    if len(counts) > 1 and max(counts) >= RARE * min(counts) and not content["keras"]["class_weight"]:
        words = with_places(f"classes occur from {min(counts)} to {max(counts)} times, weighed alike", place)
        yield _told("class_weight", "class_imbalance", words, "classes weighed alike", place, 0.3)


def _told(
    name: str, cause: str, words: str, difference: str, place: Any, prior: float, settings: Told | None = None
) -> Told:
    return {"name": name, "cause": cause, "words": words, "difference": difference, "location": place,
            "patch": None, "settings": settings or {}, "prior": prior, "is_sure": False}  # fmt: skip


def _none(content: Peek) -> Told | None:
    return {}


def _unfreeze(content: Peek) -> Told | None:
    """Returns nothing where a later fit of the script unfreezes layers: the script has decided which."""
    return None if content["model"]["unfrozen_later"]["parameters"] else {"part": "all"}


def _ways(content: Peek) -> Told | None:
    given, wanted = content["keras"]["enters_as"]["training"], content["model"]["base"]["expects"]
    if given or not wanted:
        return {"given": given, "wanted": wanted} if given and wanted else None
    facts = content["keras"]["entering_base"]["training"]
    is_known = facts and facts["most"] > facts["least"]
    return {"least": facts["least"], "most": facts["most"], "wanted": wanted} if is_known else None


def _evaluation_ways(content: Peek) -> Told | None:
    ways = content["keras"]["enters_as"]
    if not ways["validation"] or not ways["training"] or ways["validation"] == ways["training"]:
        return None
    return {"given": ways["validation"], "wanted": ways["training"], "only_evaluation": True}


def _by_folder(content: Peek) -> Told | None:
    return by_folder(Peeked(content, Path()))


def _steps(content: Peek) -> Told | None:
    return {"steps": batches_of_an_epoch(content)}


def _mapping(content: Peek) -> Told | None:
    orders = [one["labels"]["class_to_idx"] for one in content["loaders"][:2]]
    if len(orders) < 2 or not all(orders):
        return None
    first, second = map(without_case, orders)
    return {"mapping": {str(second[name]): first[name] for name in second if name in first}}


def _loss(content: Peek) -> Told | None:
    """Returns which loss fits: `from_logits`, and whether the last activation goes."""
    loss, outputs = content["loss"], content["model"]["head"]["outputs"]
    if loss.get("takes"):
        return {"activation": "softmax" if loss["takes"] == "probabilities" else "linear"}
    shape = loss["labels"] or []
    is_wide = len(shape) == 2 and (shape[1] or 1) > 1
    name = "BinaryCrossentropy" if outputs == 1 else "CategoricalCrossentropy" if is_wide else (
        "SparseCategoricalCrossentropy")  # fmt: skip
    drops = loss["activation"] == "relu" or (loss["activation"] == "softmax" and outputs == 1)
    is_probability = loss["activation"] in ("softmax", "sigmoid") and not drops
    return {"from_logits": not is_probability, "is_linear": drops, "loss": name}


def _full(content: Peek) -> Told | None:
    """Returns the highest rate of the schedule."""
    rates = [
        rate for one in content["schedules"] for rate in (*(one.get("rates_ahead") or ()), one.get("peak"))
    ]
    known = [one for one in rates if one is not None]
    return {"rate": max(known)} if known else None


def _mode(content: Peek) -> Told | None:
    """Returns the direction that the callback should wait for: other than that of its mode."""
    return turned(Peeked(content, Path()))


def _lower(content: Peek) -> Told | None:
    return {"direction": "lower", **_one_fit(content, max)}


def _higher(content: Peek) -> Told | None:
    return {"direction": "higher", **_one_fit(content, min)}


def _one_fit(content: Peek, furthest: Callable[..., int]) -> Told:
    """Returns which of several fits is meant: the one whose rate is the highest, or the lowest."""
    fits = content["keras"]["fits"]
    return {"fit": furthest(range(len(fits)), key=lambda one: fits[one]["rate"])} if len(fits) > 1 else {}


# What stands out -> intervention, prior, whether it repairs a fault, what it does otherwise, its settings.
TABLE: dict[str, tuple[str, float, bool, str, Callable[[Peek], Told | None]]] = {
    "frozen_layers": ("unfreeze", 0.5, False, "layers frozen instead of trained", _unfreeze),
    "computed_beforehand": ("unfreeze", 0.5, False, "features computed once, before training", _unfreeze),
    "saved_model_fixed": ("unfreeze", 0.1, False, "a SavedModel that is not trained", _unfreeze),
    "trainable_after_compile": ("compile_again", 0.8, True, "trainable changed after compile", _none),
    "preprocessing_unexpected": ("preprocessing", 0.7, True, "not what these weights expect", _ways),
    "frozen_batch_norms_train": (
        "batch_norm", 0.6, True, "batch norms of a frozen base that train", lambda _: {"mode": "inference"},
    ),
    "training_overridden": (
        "batch_norm", 0.3, False, "batch norms that train", lambda _: {"mode": "inference"},
    ),
    "loss_input": ("logits_to_loss", 0.8, True, "a loss that does not fit the last activation", _loss),
    "output_activation": ("logits_to_loss", 0.8, True, "a last activation without a gradient", _loss),
    "loss_for_numbers": ("logits_to_loss", 0.5, False, "a loss for numbers on classes", _loss),
    "classes_weighed_apart": (
        "class_weight", 0.7, True, "weights of classes far apart", lambda _: {"instead": True},
    ),
    "step_too_high": ("rate", 0.9, True, "a rate that is too high", _lower),
    "step_too_low": ("rate", 0.9, True, "a rate that is too low", _higher),
    "evaluation_normalised_otherwise": (
        "evaluation_normalised", 0.8, True, "validation in another range than training", _evaluation_ways,
    ),
    "evaluates_in_training_mode": ("evaluation_mode", 0.7, True, "evaluated in training mode", _none),
    "augmented_once": ("augmented_anew", 0.3, True, "augmentation that is cached", _none),
    "evaluation_augmented": ("evaluation_clean", 0.6, True, "validation changed at random", _none),
    "labels_in_another_order": ("labels_mapped", 0.95, True, "labels in another order", _mapping),
    "labels_off_folders": ("labels_by_folder", 0.9, True, "labels of other images", _by_folder),
    "passes_left_early": ("whole_passes", 0.6, True, "epochs of a part of the batches", _steps),
    "split_of_sorted": ("split_shuffled", 0.9, True, "a validation split of sorted arrays", _none),
    "schedule_warms_long": ("rate_full", 0.8, True, "a warm-up that hardly ends", _full),
    "schedule_falls": ("rate_full", 0.7, True, "a rate that falls at once", _full),
    "schedule_mistimed": ("schedule", 0.6, True, "a schedule that ends long before training does", _none),
    "schedule_fades": ("schedule", 0.5, True, "a schedule that ends early", _none),
    "weights_elsewhere": ("keep_loaded", 0.8, True, "loaded weights are in another model", _none),
    "gradients_clipped_away": ("no_clipping", 0.7, True, "gradients clipped to next to nothing", _none),
    "penalty_strong": ("no_penalty", 0.6, True, "a strong penalty of the weights", _none),
    "callback_waits": ("callback_turned", 0.5, True, "a callback that takes worse for better", _mode),
    "dropout_strong": ("no_dropout", 0.5, True, "most features are dropped", _none),
    "decay_strong": ("no_decay", 0.6, True, "weights that decay fast", _none),
    "hardly_shuffled": ("shuffle", 0.5, True, "training data hardly shuffled", _none),
    "not_shuffled": ("shuffle", 0.7, True, "training data in order", _none),
}  # fmt: skip
