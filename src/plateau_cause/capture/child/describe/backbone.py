"""The published network that is trained, and whether its norms look as if it had never been trained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.describe.architecture import architecture
from plateau_cause.capture.child.places import Place, Registry

if TYPE_CHECKING:
    from plateau_cause.capture.child.peek import Peek


def backbone(peek: Peek, parts: Iterable[Any], places: Registry[Place]) -> dict[str, Any] | None:
    """Returns library and name of the published network that a model is, or holds; None where there is none.

    And of its norms how many there are, and how many scale every channel alike as training begins, as a
    norm of a trained network never does. `is_whole` tells whether it is a model itself, not within one.

    Args:
        peek: knows the weights before the first step.
        parts: of the model.
        places: where modules were made.
    """
    models = [facts.unwrapped(one)[0] for one in parts]
    network = next((found for one in models if (found := architecture(one)) is not None), None)
    if network is None:
        return None
    scales, level = [one.weight for one in network.module.modules() if _is_norm(one)], _level(peek)
    return {"library": network.library, "name": network.name, "place": places.of(network.module),
            "is_whole": any(one is network.module for one in models),
            "norms": len(scales), "level_norms": sum(id(one) in level for one in scales)}  # fmt: skip


def _level(peek: Peek) -> set[int]:
    """Returns the identities of the vectors that held the same number throughout before the first step.

    And those that are frozen hold it still: an earlier phase may have trained them.
    """
    first = [(one, state[name]) for module, state in peek.initial.values()
             for name, one in module.named_parameters() if name in state]  # fmt: skip
    return {id(one) for one, value in first
            if _is_level(value) and (one.requires_grad or _is_level(one.detach()))}  # fmt: skip


def _is_level(vector: Any) -> bool:
    return bool(vector.ndim == 1 and vector.numel() > 1 and (vector == vector[0]).all())


def _is_norm(module: Any) -> bool:
    return "Norm" in type(module).__name__ and getattr(module, "weight", None) is not None
