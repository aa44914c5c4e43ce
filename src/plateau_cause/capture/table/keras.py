"""Rows of the table that only Keras scripts have: the base and its images, callbacks, every fit."""

from __future__ import annotations

import itertools
from typing import Any

from plateau_cause.capture.rules.keras import batches_of_an_epoch
from plateau_cause.capture.rules.observation import at

Row = tuple[str, str, str]


def rows(content: dict[str, Any]) -> list[Row]:
    """Returns what only a Keras script has; nothing for others."""
    if content.get("framework") != "keras":
        return []
    keras = content["keras"]
    runs = (f"{keras['library']} {keras['version']} on {keras['backend']}"
            if keras["library"] == "keras" else f"{keras['library']} {keras['version']}")  # fmt: skip
    makers = (_base(content), _augmentation(keras), _steps(content), _weights(content), _fits(content),
              _callbacks(keras))  # fmt: skip
    return [("runs on", runs, ""), *itertools.chain.from_iterable(makers)]


def _base(content: dict[str, Any]) -> list[Row]:
    base, keras = content["model"]["base"], content["keras"]
    if base is None:
        return []
    training = {True: ", called with training=True", False: ", called with training=False", None: ""}
    found = [("base", f"{base['name']}{training[base['training']]}", at(base["called_at"] or base["place"]))]
    facts = keras["entering_base"]["training"]
    if facts:
        said = f"{facts['least']:.3g} to {facts['most']:.3g}"
        wanted = base["expects_in_words"] if base["expects"] else "not known"
        found.append(("  images reach it as", f"{said}; its weights expect: {wanted}", at(base["place"])))
    found += [("  rescaled by", one["class"], at(one["place"])) for one in keras["rescaling"]]
    found += [("  preprocessed by", f"{one['by']}.preprocess_input", at(one["place"]))
              for one in keras["preprocessed"][:2]]  # fmt: skip
    return found


def _augmentation(keras: dict[str, Any]) -> list[Row]:
    """Returns the layers of the model that change images at random."""
    layers = keras.get("augmentation") or []
    named = " → ".join(one["class"] for one in layers)
    return [("augmentation", named, at(layers[0]["place"]))] if layers else []


def _steps(content: dict[str, Any]) -> list[Row]:
    """Returns how many batches an epoch has where the script says so."""
    steps, epochs = content["keras"].get("steps_per_epoch"), content["epochs"]
    batches = batches_of_an_epoch(content)
    of = f" of {batches} batches" if batches else ""
    return [("steps per epoch", f"{steps}{of}", at(epochs["place"]))] if steps and epochs else []


def _weights(content: dict[str, Any]) -> list[Row]:
    """Returns how the script weighs its classes."""
    given = content["keras"].get("class_weight")
    if not isinstance(given, dict) or not given:
        return []
    low, high = (choose(given, key=lambda name: float(given[name])) for choose in (min, max))
    said = f"{float(given[low]):.3g} (class {low}) to {float(given[high]):.3g} (class {high})"
    return [("class weights", said, at(content["training"]["place"]))]


def _fits(content: dict[str, Any]) -> list[Row]:
    return [("fit again", f"{one['epochs']} epochs, rate {one['rate']:g}: {one['trains']['layers']}"
             + _otherwise(content, one.get("as_first")), at(one["place"]))
            for one in content["keras"]["fits"][1:]]  # fmt: skip


def _otherwise(content: dict[str, Any], fit: dict[str, Any] | None) -> str:
    """Returns in which respects a later fit trains otherwise than the first: batch norms, loss, callbacks."""
    if fit is None:
        return ""
    norms, said = fit["training"]["modes"]["batch_norm"], ""
    if norms["training"] != content["training"]["modes"]["batch_norm"]["training"]:
        said += f"; {norms['training']} of {norms['count']} batch norms act as in training"
    loss, first = fit["loss"] or {}, content["loss"] or {}
    if any(loss.get(key) != first.get(key) for key in ("function", "options")):
        options = ", ".join(
            f"{key} {value}" for key, value in (loss.get("options") or {}).items() if value is not None
        )
        said += f"; {loss.get('function')}" + (f", {options}" if options else "")
    named = [one["class"] for one in fit.get("callbacks", [])]
    if named != [one["class"] for one in content["keras"]["callbacks"]]:
        said += f"; {' and '.join(named) or 'no callback'}"
    return said


def _callbacks(keras: dict[str, Any]) -> list[Row]:
    return [("callback", one["class"], at(one["place"])) for one in keras["callbacks"]]
