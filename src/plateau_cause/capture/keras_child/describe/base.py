"""The pretrained part of a model: which it is, where images enter it, what its weights expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plateau_cause.capture.child.places import Place
from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.describe import expects
from plateau_cause.capture.keras_child.scene import Called, Scene

LEAST = 4  # layers of a nested model that may be a network


@dataclass
class Base:
    """The pretrained part of a model.

    Attributes:
        name: as its function, or the model itself, is called: `ResNet50`.
        layers: the layers in it, outermost first.
        entry: the layers that images enter it through.
        whole: it as one layer, where the model holds it so; None where its layers stand in the model itself.
        expects: the way in which its weights expect images, see expects.SAID; None: not known.
        place: the line that made it.
        called: how the model calls it; None where its layers stand in the model itself.
        given: the arguments that it was made with; empty where that is not known.
    """

    name: str
    layers: list[Any]
    entry: list[Any]
    whole: Any | None
    expects: str | None
    place: Place | None
    called: Called | None
    given: dict[str, Any]

    @property
    def is_hub(self) -> bool:
        """Returns whether it is a SavedModel that Keras cannot look into."""
        return type(self.whole).__name__ in ("KerasLayer", "TFSMLayer")


def find(model: Any, scene: Scene) -> Base | None:
    """Returns the pretrained part of a model; None where the model has none that is recognised."""
    whole = scene.wholes.of(model)
    if whole is not None:  # whose own layers may stand in a model that ends before its last one
        is_made_here = scene.networks.of(whole.network) is not None or not library.is_model(whole.network)
        return _nested(whole.network, scene) if is_made_here else find(whole.network, scene) or _nested(
            whole.network, scene)  # fmt: skip
    inside = library.layers(model)
    nested = [one for one in inside if _is_network(one, scene)]
    published = [one for one in nested if _is_published(one, scene)]
    if published:
        return _nested(max(published, key=_numbers), scene)
    flat = _flat(model, inside, scene)  # `Model(base.input, top(base.output))`: the top is a model as well
    return flat if flat is not None or not nested else _nested(max(nested, key=_numbers), scene)


def blocks(base: Base) -> list[Any]:
    """Returns the layers of the last block of a network: the last fifth of those with weights."""
    held = [one for one in base.layers if not library.sublayers(one) and library.weights(one)]
    return held[-max(len(held) // 5, 1) :]


def _is_published(layer: Any, scene: Scene) -> bool:
    """Returns whether a layer is known as a network that others have trained."""
    is_hub = type(layer).__name__ in ("KerasLayer", "TFSMLayer")
    return is_hub or scene.networks.of(layer) is not None or expects.of_network(layer.name) is not None


def _is_network(layer: Any, scene: Scene) -> bool:
    if not library.is_model(layer):
        return _is_published(layer, scene)
    return _is_published(layer, scene) or len(library.layers(layer)) >= LEAST


def _numbers(layer: Any) -> int:
    return sum(library.size(one.variable) for one in library.variables(layer))


def _nested(whole: Any, scene: Scene) -> Base:
    built = scene.networks.of(whole)
    name = built.by if built else _of_hub(whole) or str(whole.name)
    includes = bool(built.arguments.get("include_preprocessing", True)) if built else True
    wanted = "unit" if name == "hub.KerasLayer" else expects.of_network(name, includes)
    place = built.place if built else scene.places.of(whole)
    parts = [whole, *library.layers(whole)]
    given = built.arguments if built else {}
    return Base(name, parts, [whole], whole, wanted, place, scene.calls.of(whole), given)


def _of_hub(layer: Any) -> str | None:
    name = type(layer).__name__
    return {"KerasLayer": "hub.KerasLayer", "TFSMLayer": "TFSMLayer"}.get(name)


def _flat(model: Any, inside: list[Any], scene: Scene) -> Base | None:
    """Returns a network whose own layers stand in the model: `Model(base.input, Dense(…)(base.output))`."""
    own = {id(one) for one in inside}
    for network in scene.networks.known():
        held = [one for one in library.layers(network) if id(one) in own]
        if len(held) >= LEAST:
            built = scene.networks.of(network)
            assert built is not None
            includes = bool(built.arguments.get("include_preprocessing", True))
            wanted = expects.of_network(built.by, includes)
            entry = _entry(network, held)
            return Base(built.by, held, entry, None, wanted, built.place, None, built.arguments)
    return None


def _entry(network: Any, held: list[Any]) -> list[Any]:
    """Returns the layers that read the input of a functional network."""
    inputs = {id(one) for one in network.inputs}
    return [layer for layer in held if inputs & _reads(layer)] or held[:1]


def _reads(layer: Any) -> set[int]:
    nodes = getattr(layer, "_inbound_nodes", [])
    found: set[int] = set()
    for node in nodes:
        tensors = getattr(node, "input_tensors", None)
        if tensors is None:
            tensors = getattr(node, "keras_inputs", [])
        found |= {id(one) for one in (tensors if isinstance(tensors, (list, tuple)) else [tensors])}
    return found
