"""Observations about Keras scripts: a base's images and batch norms, `from_logits`, `compile`, Hub."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.patches.keras_data import buffered, mixed_before, preprocessed
from plateau_cause.capture.patches.numbers import number_changed
from plateau_cause.capture.rules.keras_loss import distance, from_logits, of_its_own, output, several_labels
from plateau_cause.capture.rules.loop import MOST_READ
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places
from plateau_cause.capture.rules.rate import too_high

TOGETHER = 0.25  # more images than by chance follow one of their class: more than a usual buffer leaves


def preprocessing(peeked: Peeked) -> Observation | None:
    """Returns that images reach the base in another way than its weights expect."""
    base, keras = peeked.base, peeked.keras
    given = keras.get("enters_as", {}).get("training")
    facts = keras.get("entering_base", {}).get("training")
    if base is None or not base["expects"] or facts is None or given == base["expects"]:
        return None
    place = decided_at(peeked.content)
    found = f"{facts['least']:.3g} to {facts['most']:.3g}"
    words = f"images reach {base['name']} as {found}; its weights expect {base['expects_in_words']}"
    patch = preprocessed(peeked.folder, place, base["name"], base["expects"])
    said = with_places(words, place, base["place"])
    return Observation("preprocessing_unexpected", "preprocessing", said, place, patch)


def decided_at(content: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the line that decides in which range images reach the base."""
    keras, loaders = content["keras"], content["loaders"]
    scaled = [loaders[0].get("scaled_at")] if loaders else []
    places = (
        [one["place"] for one in keras["rescaling"]],
        scaled,
        [one["place"] for one in keras["preprocessed"]],
    )
    for place in (one for kind in places for one in kind):
        if place:
            return dict(place)
    transform = loaders[0]["data_set"]["transform"] if loaders else None
    if transform and not any(
        one.startswith(("map(", "rescale=", "preprocessing_")) for one in transform["steps"]
    ):
        transform = None  # which leaves the images as they are
    base = content["model"]["base"]
    called = content.get("computed_at") or (base and (base["called_at"] or base["place"]))
    of_base: dict[str, Any] | None = called
    return (transform and transform["place"]) or of_base


def frozen_norms(peeked: Peeked) -> Observation | None:
    """Returns that batch norms of a base act as in training while its other layers are frozen."""
    base = peeked.base
    acting = base.get("acting_among_frozen", base["acting_norms"]) if base else 0
    if base is None or not acting or not base["frozen"]:
        return None
    place = base["called_at"] or base["place"]
    words = f"{acting} batch norms of {base['name']} act as in training while it is frozen"
    said = with_places(words, place)
    return Observation("frozen_batch_norms_train", "batch_norm", said, place)


def overridden(peeked: Peeked) -> Observation | None:
    """Returns that batch norms act as in training although their base is called with `training=False`."""
    base = peeked.base
    if base is None or base["training"] is not False or not base["acting_norms"]:
        return None
    if base["frozen"] and base.get("acting_among_frozen", 1):
        return None  # said of the frozen layers
    words = (f"{base['acting_norms']} batch norms of {base['name']} act as in training although it is called "
             "with training=False: this Keras passes on what fit says")  # fmt: skip
    place = base["called_at"]
    return Observation("training_overridden", "batch_norm", with_places(words, place), place)


def predicted_in_another_order(peeked: Peeked) -> Observation | None:
    """Returns that `predict` reads shuffled images: its rows fit no list of labels read elsewhere."""
    found = next(iter(peeked.keras.get("predicted_shuffled") or ()), None)
    if found is None:
        return None
    words = (f"predict reads {found['name'] or 'images'} shuffled: its rows are not in the order of "
             "`classes`, of the files or of another pass")  # fmt: skip
    said = with_places(words, found["place"], found["shuffled_at"])
    return Observation("predicted_shuffled", "evaluation", said, found["place"])


def split_of_sorted(peeked: Peeked) -> Observation | None:
    """Returns that `validation_split` cut classes off that stand at the end of sorted arrays."""
    train = peeked.train_loader
    if not peeked.keras.get("validation_split") or train is None or not peeked.other_loaders:
        return None
    seen = [set(one["labels"]["seen"]) for one in (train, peeked.other_loaders[0])]
    if not train["labels"]["in_order"] or seen[0] == seen[1]:
        return None
    classes = f"{len(seen[1])} of {len(seen[0] | seen[1])} classes are there"
    words = f"validation_split takes the end of sorted arrays: {classes}"
    place = train["loop"]
    patch = mixed_before(peeked.folder, place)
    return Observation("split_of_sorted", "data_order", with_places(words, place), place, patch)


def hardly_shuffled(peeked: Peeked) -> Observation | None:
    """Returns that a pipeline is shuffled by so small a buffer that its classes stay together."""
    train = peeked.train_loader
    found = train and peeked.keras and train["labels"].get("neighbours")
    if not train or not found or not train["shuffle"] or found["alike"] < found["by_chance"] + TOGETHER:
        return None
    place = train["shuffled_at"] or train["place"]
    words = (
        f"training images are hardly shuffled: {found['alike']:.0%} follow one of their own class, "
        f"{found['by_chance']:.0%} would by chance"
    )
    patch = buffered(peeked.folder, place)
    return Observation("hardly_shuffled", "data_order", with_places(words, place), place, patch)


def augmented_in_model(peeked: Peeked) -> Observation | None:
    """Returns that layers of the model change images at random in validation too."""
    acting = [one for one in peeked.keras.get("augmentation", []) if one["in_evaluation"]]
    if not acting:
        return None
    place = acting[0]["called_at"] or acting[0]["place"]
    words = with_places(f"{acting[0]['class']} changes the images of validation too", place)
    return Observation("evaluation_augmented", "evaluation", words, place)


def augmented_once(peeked: Peeked) -> Observation | None:
    """Returns that a pipeline keeps its images as chance changed them first: every epoch sees the same."""
    train = peeked.train_loader
    place = train.get("cached_at") if train and peeked.keras else None
    if train is None or place is None:
        return None
    words = "cache keeps training images as chance has changed them once: every epoch sees the same"
    return Observation("augmented_once", "augmentation", with_places(words, place, train["varies_at"]), place)


def few_steps(peeked: Peeked) -> Observation | None:
    """Returns that an epoch takes fewer batches than there are."""
    steps, batches = peeked.keras.get("steps_per_epoch"), batches_of_an_epoch(peeked.content)
    if not steps or not batches or steps > MOST_READ * batches:
        return None
    place = peeked.content["training"]["place"]
    arguments = peeked.content["script"]["arguments"]
    place, patch = number_changed(
        peeked.folder, place, ("steps_per_epoch",), lambda _: batches, arguments, steps
    )
    words = with_places(f"every epoch takes {steps} of {batches} batches", place)
    return Observation("passes_left_early", "training_length", words, place, patch)


def batches_of_an_epoch(content: dict[str, Any]) -> int | None:
    """Returns how many batches the training images are; None where that is not known."""
    train = next((one for one in content["loaders"] if one["role"] == "train"), None)
    images, size = (train["data_set"]["length"], train["batch_size"]) if train else (None, None)
    return -(-images // size) if images and size else None


def rate_of_a_later_fit(peeked: Peeked) -> Observation | None:
    """Returns that a step of a fit behind the first changes the weights far more than training can bear."""
    later = (peeked.keras.get("fits") or [])[1:]
    found = next((one for one in later if _steps_too_far(peeked, one)), None)
    if found is None or (peeked.change_per_step or 0.0) > too_high(peeked, peeked.model["trains"]):
        return None
    place, change = found["compiled_at"] or found["place"], found["change_per_step"]
    words = (
        f"a step of a later fit, at rate {found['rate']:g}, changes the weights by {change:.1%} of their norm"
    )
    said = with_places(words, place, found["place"])
    return Observation("step_too_high", "learning_rate_high", said, place)


def _steps_too_far(peeked: Peeked, fit: dict[str, Any]) -> bool:
    return bool((fit.get("change_per_step") or 0.0) > too_high(peeked, fit.get("trains") or {}))


RULES = (
    preprocessing, frozen_norms, overridden, from_logits, of_its_own, output, distance, several_labels,
    split_of_sorted, hardly_shuffled, augmented_in_model, augmented_once, rate_of_a_later_fit,
    predicted_in_another_order, few_steps,
)  # fmt: skip
