"""What may keep a training from fitting its images: random changes of them, dropout, decay of the weights."""

from __future__ import annotations

import ast
from dataclasses import replace

from plateau_cause.capture.patches.change import changed
from plateau_cause.capture.patches.numbers import Place, number_changed
from plateau_cause.capture.patches.source import Edit, Source, called
from plateau_cause.capture.possible import settings
from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.rules.observation import Observation, Peeked, strong_decay, with_places

MOSTLY_DROPPED = 0.8  # share of the features from which a peek says so
PULLED_PER_STEP = 5e-3  # part of the weights that decay takes in a step: half of them are gone in 140
SOME_STEPS = 100  # a training of more is pulled by as much in all where each step pulls less
STRONG_DROPOUT = 0.6  # share of the features; recipes in use drop up to half of them
DECAYS = ("weight_decay",)
PRIOR = 0.4
MOST_STEPS = 4  # of an augmentation that are named


SAID: dict[str, tuple[str, str, str, str]] = {  # cause, title, repair, explanation
    "training_clean": (
        "augmentation",
        "Augmentation is too strong",
        "Change training images less at random",
        "Random changes make the training images harder to learn from than they need be.",
    ),
    "no_dropout": (
        "regularization",
        "Dropout is too strong",
        "Drop less",
        "So much is dropped in training that too little of an image is left to learn from.",
    ),
    "no_decay": (
        "regularization",
        "Weight decay is too strong",
        "Let weights decay less",
        "Weights are pulled to zero faster than the images can teach them.",
    ),
}


def lighter(peeked: Peeked) -> list[Possible]:
    """Returns what makes the images of a training easier to fit; asked where they were not fitted.

    Args:
        peeked: the peek of the script.
    """
    return [one for one in (_augmentation(peeked), _dropout(peeked)) if one is not None]


def beyond(peeked: Peeked) -> list[Observation]:
    """Returns a dropout and a decay that are so strong that the peek names them.

    Args:
        peeked: the peek of the script.
    """
    most = (peeked.content.get("model") or {}).get("dropout")
    dropout = _dropout(peeked) if most and most["p"] >= MOSTLY_DROPPED else None
    pulled = peeked.decay_per_step * max(1.0, (peeked.steps or 0) / SOME_STEPS)
    decays = undecayed(peeked) if pulled >= PULLED_PER_STEP else []
    found = [("dropout_strong", dropout), *(("decay_strong", one) for one in decays)]
    return [Observation(code, one.cause, one.words, one.location, one.patch) for code, one in found if one]


def _possible(name: str, words: str, difference: str, place: Place, patch: str | None) -> Possible:
    cause, title, repair, explanation = SAID[name]
    return Possible(
        name, cause, words, difference, place, patch, {}, PRIOR, False, title, repair, explanation
    )


def _augmentation(peeked: Peeked) -> Possible | None:
    loader = peeked.train_loader
    layers = (peeked.content.get("keras") or {}).get("augmentation", [])
    steps = [*(loader.get("at_random") or ()), *(one["class"] for one in layers)] if loader else []
    if loader is None or not steps:
        return None
    written = (loader["data_set"]["transform"] or {}).get("place") or loader["data_set"]["place"]
    place = layers[0]["place"] if layers and not loader.get("at_random") else written
    said = ", ".join(dict.fromkeys(step.partition("(")[0] for step in steps[:MOST_STEPS]))
    words = with_places(f"training images are changed at random: {said}", place)
    one = _possible("training_clean", words, f"training images changed at random: {said}", place, None)
    return replace(one, settings=settings.loader(peeked) or {})


def _dropout(peeked: Peeked) -> Possible | None:
    most = (peeked.content.get("model") or {}).get("dropout")
    if not most or most["p"] < STRONG_DROPOUT:
        return None
    share, place = most["p"], most["place"]
    words = with_places(f"a layer drops {share:g} of its features in training", place)
    return _possible("no_dropout", words, f"dropout of {share:g}", place, _dropped_less(peeked, share))


def _dropped_less(peeked: Peeked, share: float) -> str | None:
    """Returns the layer without its dropout, where the share stands there as a number."""

    def edit(source: Source, line: int) -> list[Edit]:
        layers = [call for call in source.at(line, ast.Call) if called(call).startswith("Dropout")]
        given = [one for call in layers for one in (*call.args[:1], *(word.value for word in call.keywords))]
        numbers = [one for one in given if isinstance(one, ast.Constant) and one.value == share]
        return [source.replaced(numbers[0], "0.0")] if len(numbers) == 1 else []

    return changed(peeked.folder, peeked.model["dropout"]["place"], edit)


def undecayed(peeked: Peeked) -> list[Possible]:
    """Returns a training without decay where that is strong; asked before the rate, which the decay is times.

    Args:
        peeked: the peek of the script.
    """
    for one in peeked.content.get("optimizers", []):
        most, name = strong_decay(one), one["class"].rpartition(".")[2]
        if not most:
            continue
        words = with_places(f"{name} pulls weights to zero by a decay of {most:g}", one["place"])
        arguments = peeked.content["script"]["arguments"]
        written = number_changed(peeked.folder, one["place"], DECAYS, lambda decay: 0.0, arguments, most)
        return [_possible("no_decay", words, f"a weight decay of {most:g}", *written)]
    return []
