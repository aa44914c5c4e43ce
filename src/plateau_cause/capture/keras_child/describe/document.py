"""The peek of a Keras script as one document, with the fields of every other door's where these coincide."""

from __future__ import annotations

import platform
import sys
from typing import Any

from plateau_cause.capture.child.describe.facts import plain
from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.call import Call
from plateau_cause.capture.keras_child.describe import expects
from plateau_cause.capture.keras_child.describe.data import describe
from plateau_cause.capture.keras_child.describe.model import change_per_step, describe_base, describe_model
from plateau_cause.capture.keras_child.describe.origins import shuffled_at
from plateau_cause.capture.keras_child.describe.training import callbacks, compiled_at, epochs, watched
from plateau_cause.capture.keras_child.describe.wording import said
from plateau_cause.capture.keras_child.looking import Batches, Look

SCHEMA_VERSION = 1
LIBRARIES = ("keras", "tf_keras", "tensorflow", "tensorflow_hub", "jax", "torch", "keras_hub", "numpy")
NEAR = 0.25  # of the range of validation images: how far random changes may move that of training


def document(run: Any, peek: Any) -> dict[str, Any]:
    """Returns the whole peek; see docs/keras.md for every field that other doors do not have."""
    content = document_of_nothing(run, peek)
    if not peek.looks:
        return content
    first = peek.looks[0]
    scene = run.scene
    return content | {
        "loaders": [one for one in _loaders(run, peek) if one is not None],
        "model": describe_model(peek.looks, scene),
        "training": _call(first, first.training, "training"),
        "training_again": None,
        "evaluation": _call(first, first.validation, "evaluation") if first.validation else None,
        "average": None,
        "computed_at": computed.place if (computed := scene.wholes.of(first.call.model)) else None,
        **first.told,
        "epochs": {"count": epochs(first), "place": first.call.place},
        "seeds": {name: {"value": plain(value), "place": place}
                  for name, (value, place) in run.seeding.seeds.items()},
        "keras": _keras(run, peek),
    }  # fmt: skip


def document_of_nothing(run: Any, peek: Any) -> dict[str, Any]:
    """Returns the document of a script that ended before it trained."""
    job, looks = run.job, peek.looks
    versions = {name: getattr(sys.modules.get(name), "__version__", None) for name in LIBRARIES}
    validated = bool(looks and (looks[0].validation or peek.evaluations))
    return {
        "schema_version": SCHEMA_VERSION,
        "framework": "keras",
        "script": {"given": job["target"], "is_module": job["is_module"], "arguments": job["arguments"],
                   "python": platform.python_version(),
                   "versions": {name: version for name, version in versions.items() if version}},
        "seen": {"steps": looks[0].steps if looks else 0, "backward_calls": sum(one.steps for one in looks),
                 "has_evaluation": validated, "is_so_far": not validated, "fits": len(looks),
                 "tape": run.scene.tape, "by_batch": run.scene.by_batch, "refused": run.scene.refused},
        "problems": run.hooks.problems,
    }  # fmt: skip


def _loaders(run: Any, peek: Any) -> list[dict[str, Any] | None]:
    first = peek.looks[0]
    about = [(first.training, "train", first.call.names.get("x") or "training")]
    if first.validation is not None:
        about.append((first.validation, "evaluation", first.call.names.get("validation") or "validation"))
    return [run.hooks.attempt(describe, batches, role, name, first.call.place, run.scene, run.hooks)
            for batches, role, name in about]  # fmt: skip


def _call(look: Look, batches: Batches, phase: str) -> dict[str, Any]:
    layers, acting = library.layers(look.call.model), look.acting[phase]
    called = look.base.called if look.base else None

    def counted(chosen: Any) -> dict[str, int]:
        found = [one for one in layers if chosen(one)]
        return {"count": len(found), "training": sum(acting.get(id(one), False) for one in found)}

    probed = batches.probed
    modes = {"training": phase == "training", "batch_norm": counted(library.is_norm),
             "dropout": counted(library.is_dropout)}  # fmt: skip
    return {
        "place": look.call.place, "model": look.call.model_name, "modes": modes,
        "set_at": called.place if called and called.training is not None else look.call.place,
        "input": probed["given"] if probed else None, "autocast": _precision(look.call.model), "loop": None,
        "loader": look.call.names.get("x" if phase == "training" else "validation"),
        "has_gradients": phase == "training",
        "output": {"kind": "array", "shape": _shape(probed)},
    }  # fmt: skip


def _shape(probed: dict[str, Any] | None) -> list[int] | None:
    return list(probed["output"].shape) if probed and probed["output"] is not None else None


def _precision(model: Any) -> str | None:
    policy = getattr(model, "dtype_policy", None)
    name = str(getattr(policy, "name", "") or "")
    return name if name.startswith("mixed") else None


def _keras(run: Any, peek: Any) -> dict[str, Any]:
    """Returns what only Keras has: its backend, the base's images, callbacks, stale fits."""
    first = peek.looks[0]
    model, given = first.call.model, first.call.given
    entering = {
        role: one.probed["entering"] if one and one.probed else None
        for role, one in (("training", first.training), ("validation", first.validation))
    }
    ways = {role: None if facts is None else expects.seen(facts["least"], facts["most"], facts["mean"])
            for role, facts in entering.items()}  # fmt: skip
    if ways["validation"] is not None and _is_near(entering["training"], entering["validation"]):
        ways["training"] = ways["validation"]  # changed at random besides, in brightness say
    return {
        "library": library.of(model).__name__, "version": library.of(model).__version__,
        "backend": library.backend(library.of(model)),
        "entering_base": entering, "enters_as": ways,
        "preprocessed": [{"by": one.by, "place": one.place} for one in run.scene.preprocessed],
        "rescaling": _rescalings(first, run.scene),
        "augmentation": _augmentations(first, run.scene),
        "callbacks": _callbacks(first, run.scene),
        "outputs": len(getattr(model, "outputs", None) or [0]),
        "steps_per_epoch": plain(given.get("steps_per_epoch")),
        "class_weight": plain(given.get("class_weight")), "validation_split": given.get("validation_split"),
        "predicted_shuffled": [_shuffled(call, run.scene) for call in peek.shuffled],
        "stale": [_stale(call, run.scene) for call in peek.stale],
        "fits": [{**_fit(one), "as_first": run.hooks.attempt(_as_first, one, run.scene)}
                 for one in peek.looks],
    }  # fmt: skip


def _shuffled(call: Call, scene: Any) -> dict[str, Any]:
    return {"name": call.names.get("x"), "place": call.place,
            "shuffled_at": shuffled_at(call.evaluation, scene)}  # fmt: skip


def _callbacks(look: Look, scene: Any) -> list[dict[str, Any]]:
    return [{"class": type(one).__name__, "place": scene.places.of(one), **watched(one)}
            for one in callbacks(look.call)]  # fmt: skip


def _fit(look: Look) -> dict[str, Any]:
    held = library.weights(look.call.model)
    return {
        "place": look.call.place, "compiled_at": compiled_at(look), "epochs": epochs(look),
        "trains": said([one for one in held if id(one.variable) in look.trained], held),
        "change_per_step": change_per_step(look),
        "rate": look.told["optimizers"][0]["groups"][0]["lr"],
    }  # fmt: skip


def _as_first(look: Look, scene: Any) -> dict[str, Any]:
    """Returns what would stand in the document were this fit the first one."""
    base = look.base
    return {
        **look.told,
        "training": _call(look, look.training, "training"),
        "epochs": {"count": epochs(look), "place": look.call.place},
        "base": None if base is None else describe_base(look, base, library.weights(look.call.model)),
        "class_weight": plain(look.call.given.get("class_weight")),
        "callbacks": _callbacks(look, scene),
    }


def _is_near(training: Any, validation: Any) -> bool:
    """Returns whether values of training lie where those of validation do, and about as far apart."""
    if training is None or validation is None:
        return False
    spread = validation["most"] - validation["least"]
    ends = (training[end] - validation[end] for end in ("least", "most"))
    return spread > 0 and all(abs(one) <= NEAR * spread for one in ends)


def _stale(call: Any, scene: Any) -> dict[str, Any]:
    now, acting = library.trainable(call.model), call.compiled.trainable
    held = library.weights(call.model)
    changed = [one for one in held if (id(one.variable) in now) != (id(one.variable) in acting)]
    flags = [flag for one in changed if (flag := scene.flags.of(one.layer)) is not None]
    return {
        "place": call.place,
        "compiled_at": call.compiled.place,
        "changed": said(changed, held),
        "changed_at": flags[0].place if flags else None,
        "would_train": len(now) > len(acting),
    }


def _rescalings(look: Look, scene: Any) -> list[dict[str, Any]]:
    """Returns the layers that change the range of images, in the model or in a pipeline."""
    own = {id(one) for one in look.base.layers} if look.base else set()
    return [{"class": type(one).__name__, "place": scene.places.of(one),
             "scale": plain(getattr(one, "scale", None)), "offset": plain(getattr(one, "offset", None))}
            for one in scene.places.known()
            if type(one).__name__ in ("Rescaling", "Normalization") and id(one) not in own
            and getattr(one, "built", True)]  # fmt: skip


def _augmentations(look: Look, scene: Any) -> list[dict[str, Any]]:
    found = [one for one in library.layers(look.call.model) if type(one).__name__.startswith("Random")]
    acting, calls = look.acting["evaluation"], scene.calls
    return [{"class": type(one).__name__, "place": scene.places.of(one), "in_evaluation": acting.get(id(one)),
             "called_at": called.place if (called := calls.of(one)) else None} for one in found]  # fmt: skip
