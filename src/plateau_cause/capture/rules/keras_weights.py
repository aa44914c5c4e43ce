"""Observations about the weights of a Keras script: what trains, what was loaded and where, what pulls."""

from __future__ import annotations

from plateau_cause.capture.patches.keras_model import hub_trained
from plateau_cause.capture.patches.keras_training import compiled_again
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places


def loaded_late(peeked: Peeked) -> Observation | None:
    """Returns that weights are read from a file over those that were trained."""
    late = next((one for one in peeked.model["weights"] if one.get("is_late")), None)
    if late is None:
        return None
    words = with_places(f"weights are loaded from {late['given']} after training, over what was trained",
                        late["place"])  # fmt: skip
    return Observation("weights_loaded_late", "evaluation", words, late["place"])


def penalized(peeked: Peeked) -> Observation | None:
    """Returns that a penalty of the weights pulls them to zero faster than recipes in use do."""
    found = peeked.model.get("penalty")
    if not found or (found["l1"] <= STRONG_L1 and found["l2"] <= STRONG_L2):
        return None
    factors = " and ".join(f"{name} of {found[name]:g}" for name in ("l1", "l2") if found[name])
    words = f"a penalty of the weights, {factors}, is added to the loss"
    said = with_places(words, found["place"])
    return Observation("penalty_strong", "regularization", said, found["place"])


def stale(peeked: Peeked) -> Observation | None:
    """Returns that `trainable` was changed after `compile` and the next fit does not see it."""
    found = peeked.keras.get("stale") or []
    if not found:
        return None
    first = found[0]
    change = "still not trained" if first["would_train"] else "still trained"
    words = (f"{first['changed']['layers']}: {change}, as `trainable` was changed after `compile` and the "
             "fit uses what was compiled; compile again before it")  # fmt: skip
    said = with_places(words, first["changed_at"], first["compiled_at"], first["place"])
    patch = compiled_again(peeked.folder, first["place"], first["compiled_at"], thaws=first["would_train"])
    place = first["changed_at"] or first["place"]
    return Observation("trainable_after_compile", "frozen_layers", said, place, patch)


STRONG_L1, STRONG_L2 = 0.02, 0.05  # beyond what recipes in use have: up to 0.006 and 0.016


def hub(peeked: Peeked) -> Observation | None:
    """Returns that a SavedModel is not trained, which is what Hub does by default."""
    base = peeked.base
    if base is None or not base["is_hub"] or (not base["frozen"] and base["parameters"]):
        return None
    if base["name"] == "TFSMLayer" or not base["parameters"]:
        words = with_places(
            f"{base['name']} holds a SavedModel that cannot be trained here; load it by "
            "hub.KerasLayer(path, trainable=True) of tensorflow_hub with tf_keras, or build its network anew "
            "and load its weights", base["place"])  # fmt: skip
        return Observation("saved_model_fixed", "frozen_layers", words, base["place"])
    words = with_places(
        "hub.KerasLayer never moves: its trainable is False unless it is given", base["place"]
    )
    patch = hub_trained(peeked.folder, base["place"])
    return Observation("frozen_layers", "frozen_layers", words, base["place"], patch)


RULES = (hub, stale, loaded_late, penalized)
