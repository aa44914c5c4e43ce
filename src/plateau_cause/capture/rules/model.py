"""Observations about the model: what does not move, and why."""

from __future__ import annotations

from plateau_cause.capture.patches.flowing import flows
from plateau_cause.capture.patches.model import dropout_told, held_whole, registered
from plateau_cause.capture.rules.frozen import (
    computed_beforehand,
    frozen_layers,
    is_computed,
    never_move,
)
from plateau_cause.capture.rules.loss import is_over_one_output
from plateau_cause.capture.rules.observation import NOTABLE, Observation, Peeked, with_places
from plateau_cause.capture.rules.rate import rate, rates_apart

MOSTLY_OTHERS = 0.5  # of the matrices that were loaded
MANY_CALLS = 64  # of backward: more than gradients are added up for one step


def optimizer_parameters(peeked: Peeked) -> Observation | None:
    """Returns which layers no optimizer holds, or which held ones the model no longer has."""
    missing, strangers = peeked.model["not_held"], peeked.model["strangers"]
    optimizers = peeked.content["optimizers"]
    if not optimizers or not (missing["parameters"] or strangers["parameters"]):
        return None
    latest = next((one for one in reversed(optimizers) if one.get("is_fresh")), optimizers[0])
    place, head = latest["place"], peeked.model["head"]
    if strangers["parameters"] and strangers.get("of") and missing["parameters"]:
        words = with_places(
            f"{never_move(missing['layers'])}: the optimizer holds the parameters of {strangers['of']}, "
            "which is another model", place)  # fmt: skip
        return Observation("optimizer_parameters", "optimizer_parameters", words, place)
    if strangers["parameters"] and not strangers["have_gradients"]:
        replaced = head and head["place"]
        still = f", and {never_move(missing['layers'])}" if missing["layers"] else ""
        words = (
            f"the optimizer was built before the model was changed: it holds {strangers['parameters']} "
            f"parameters that the model no longer has{still}"
        )
        said = with_places(words, place, replaced)
        return Observation("optimizer_before_head", "optimizer_parameters", said, place)
    if not missing["parameters"] or missing.get("changes_at") or is_computed(peeked):
        return None
    kept = peeked.model.get("unregistered")
    if kept:
        place, named = kept[0]["place"] or place, never_move(", ".join(kept[0]["names"]))
        kind, wanted = ("dict", "ModuleDict") if "['" in named else ("list", "ModuleList")
        words = with_places(
            f"{named}: kept in a {kind} of Python's own, no nn.{wanted}, what is there is no part of the "
            "model, and no optimizer holds it", place)  # fmt: skip
        patch = registered(peeked.folder, place)
        return Observation("optimizer_parameters", "optimizer_parameters", words, place, patch)
    held = ", ".join(dict.fromkeys(group["holds"] for one in optimizers for group in one["groups"]))
    if missing.get("waits_at"):
        waits = missing["waits_at"]
        words = with_places(
            f"{never_move(missing['layers'])}: the optimizer that holds it takes no step", waits
        )
        return Observation("optimizer_unused", "optimizer_parameters", words, waits)
    if missing.get("reached") == 0:
        is_probe = peeked.content["seen"].get("follows_another")  # of what was trained before, on purpose
        return None if is_probe else _neither_reached_nor_held(peeked, held)
    if not missing.get("matrices", True):
        return None  # norms alone are often left out on purpose
    words = with_places(f"{never_move(missing['layers'])}: the optimizer holds only {held}", place)
    patch = held_whole(peeked.folder, place, peeked.parts)
    return Observation("optimizer_parameters", "optimizer_parameters", words, place, patch)


def _neither_reached_nor_held(peeked: Peeked, held: str) -> Observation:
    """Returns that layers lack gradients and an optimizer: neither alone would have them move."""
    training, layers = peeked.content["training"], peeked.model["not_held"]["layers"]
    place = training.get("stopped_at") or training["place"]
    words = with_places(f"{layers}: no gradient arrives there, and the optimizer holds only {held}",
                        place, peeked.content["optimizers"][0]["place"])  # fmt: skip
    return Observation("neither_reached_nor_held", "weights_update", words, place)


def no_steps(peeked: Peeked) -> Observation | None:
    """Returns that gradients are computed and no step is taken, by the end of a pass or for very long."""
    seen = peeked.content["seen"]
    if seen["steps"] or (seen.get("is_late") and seen.get("backward_calls", 0) < MANY_CALLS):
        return None
    place = peeked.content["gradients"]["backward"]
    words = with_places("no optimizer takes a step: nothing moves", place)
    return Observation("no_steps", "weights_update", words, place)


def gradients_lost(peeked: Peeked) -> Observation | None:
    """Returns which layers get no gradient although they are trained."""
    if peeked.keras and not peeked.rate_seen:  # where gradients are told by what moves
        return None
    without, zero = peeked.model["without_gradient"], peeked.model["zero_gradient"]
    left_out = [one for one in (peeked.content["loss"] or {}).get("beside", []) if one.get("is_missed")]
    if left_out and without["numbers"]:
        place = left_out[0]["place"]
        words = (f"{never_move(without['layers'])}: no gradient arrives there; {left_out[0]['function']} is "
                 "computed and is no part of the loss that is trained")  # fmt: skip
        return Observation("loss_left_out", "loss_function", with_places(words, place), place)
    numbers = without["numbers"] + zero["numbers"]
    live = peeked.model["trains"]["numbers"]
    if not live or not peeked.content["seen"]["steps"] or numbers < NOTABLE * live:
        return None
    gradients, loss = peeked.content["gradients"], peeked.content["loss"]
    if zero["numbers"] == live:
        if is_over_one_output(loss):
            return None  # said of the loss
        place = (loss and (loss["built"] or loss["place"])) or gradients["backward"]
        what = "no step moves anything: every gradient is zero, or none is applied" if peeked.keras else (
            "every gradient is exactly zero: nothing moves")  # fmt: skip
        words = with_places(what, place)
        return Observation("gradients_zero", "loss_function", words, place)
    if numbers == live:
        place = gradients["cleared_at"] or gradients["backward"]
        words = with_places("gradients are gone before the step: nothing moves", place)
        return Observation("gradients_lost", "training_loop", words, place)
    layers = ", ".join(part["layers"] for part in (without, zero) if part["layers"])
    training = peeked.content["training"]
    place = training.get("stopped_at") or training["place"]
    why = "no gradient arrives there" if without["numbers"] else "the gradient there is exactly zero"
    words = with_places(f"{never_move(layers)}: {why}", place)
    patch = flows(peeked.folder, training.get("stopped_at"))
    return Observation("no_gradient", "weights_update", words, place, patch)


def loaded_elsewhere(peeked: Peeked) -> Observation | None:
    """Returns that weights were loaded into a twin of the model that trains, which starts otherwise."""
    found = peeked.model.get("weights_elsewhere")
    if not found:
        return None
    words = (f"the weights loaded into {found['into']} are not in the model that is trained: "
             f"{found['tensors']} tensors of the same shapes there start from other numbers")  # fmt: skip
    place = found["made_at"] or found["place"]
    said = with_places(words, place, found["place"])
    return Observation("weights_elsewhere", "weights_not_loaded", said, place)


def from_random(peeked: Peeked) -> Observation | None:
    """Returns that a published network stands still as it was initialised, which serves nobody."""
    network, frozen = peeked.random_network, peeked.model["frozen"]
    stands_still = frozen["numbers"] >= MOSTLY_OTHERS * peeked.model["numbers"] and not frozen.get(
        "changes_at"
    )
    if network is None or not (stands_still or peeked.content.get("computed_at")):
        return None
    words = f"{network['name']} starts from random weights, none were loaded, and is not trained"
    said = with_places(words, network["place"])
    return Observation("weights_random", "weights_not_loaded", said, network["place"])


def weights(peeked: Peeked) -> Observation | None:
    """Returns that a file of weights was loaded and hardly anything of it fitted, or is left of it."""
    for loaded in peeked.model["weights"]:
        if loaded["matched"] < 0.5 * loaded["tensors"]:
            count = f"only {loaded['matched']}" if loaded["matched"] else "none"
            words = f"{count} of {loaded['tensors']} tensors of the model were loaded"
            said = with_places(words, loaded["place"])
            return Observation("weights_not_loaded", "weights_not_loaded", said, loaded["place"])
        if loaded.get("written_over", 0) > MOSTLY_OTHERS * loaded.get("matrices", 0):
            place = loaded["written_over_at"] or loaded["place"]
            words = (
                f"{loaded['written_over']} of the {loaded['matrices']} weight matrices that were loaded are "
                "written over before training begins"
            )
            said = with_places(words, place, loaded["place"])
            return Observation("weights_written_over", "weights_not_loaded", said, place)
    return None


def dropout_in_evaluation(peeked: Peeked) -> Observation | None:
    """Returns that a dropout acts while the model is in evaluation mode."""
    dropped = peeked.model["dropout_in_evaluation"]
    if not dropped:
        return None
    words = with_places(f"dropout {dropped[0]['p']:g} acts in evaluation too", dropped[0]["place"])
    patch = dropout_told(peeked.folder, dropped[0]["place"])
    return Observation("dropout_in_evaluation", "evaluation", words, dropped[0]["place"], patch)


RULES = (
    optimizer_parameters, frozen_layers, computed_beforehand, rates_apart, no_steps, gradients_lost, rate,
    weights, loaded_elsewhere, from_random, dropout_in_evaluation,
)  # fmt: skip
