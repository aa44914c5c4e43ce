"""How far layers have moved from their first weights, and how far batch norms' running statistics have."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.describe import facts


def first_state(module: Any) -> dict[str, Any]:
    """Returns copies of a module's parameters and buffers, in the host's memory."""
    inner, _ = facts.unwrapped(module)
    return {name: value.detach().to("cpu", copy=True) for name, value in inner.state_dict().items()
            if hasattr(value, "detach")}  # fmt: skip


def moved(module: Any, first: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """Returns per layer that holds values itself: change and first norm of its weights, change of statistics.

    Returns:
        layer → {"change": ‖w − w₀‖, "norm": ‖w₀‖, "statistics": ‖s − s₀‖ / ‖s₀‖ or None}.
    """
    inner, _ = facts.unwrapped(module)
    weights = {name for name, _ in inner.named_parameters()}
    layers: dict[str, dict[str, list[float]]] = {}
    for name, value in inner.state_dict().items():
        before = first.get(name)
        if before is None or before.shape != value.shape or not value.is_floating_point():
            continue
        kind = "weights" if name in weights else "statistics"
        squares = layers.setdefault(name.rpartition(".")[0], {}).setdefault(kind, [0.0, 0.0])
        squares[0] += float((value.detach().cpu().float() - before.float()).square().sum())
        squares[1] += float(before.float().square().sum())
    return {layer: _told(kinds) for layer, kinds in layers.items()}


def _told(kinds: dict[str, list[float]]) -> dict[str, float | None]:
    change, norm = (value**0.5 for value in kinds.get("weights", [0.0, 0.0]))
    statistics = kinds.get("statistics")
    ratio = (statistics[0] / statistics[1]) ** 0.5 if statistics and statistics[1] else None
    return {"change": change, "norm": norm, "statistics": ratio}
