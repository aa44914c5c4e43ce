"""How far layers have moved from their first weights, and how far batch norms' statistics have."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.keras_child import library


def first_values(model: Any) -> dict[int, Any]:
    """Returns copies of a model's variables by their identity."""
    return {id(one.variable): library.values(one.variable).copy() for one in library.variables(model)}


def moved(model: Any, first: dict[int, Any]) -> dict[str, dict[str, float | None]]:
    """Returns per layer that holds values itself: change and first norm of its weights, change of statistics.

    Returns:
        layer → {"change": ‖w − w₀‖, "norm": ‖w₀‖, "statistics": ‖s − s₀‖ / ‖s₀‖ or None}.
    """
    import numpy as np

    sums: dict[str, dict[bool, list[float]]] = {}
    for one in library.variables(model):
        before = first.get(id(one.variable))
        if before is None or not np.issubdtype(before.dtype, np.floating):
            continue
        now = library.values(one.variable)
        squares = sums.setdefault("/".join(one.way[:-1]), {}).setdefault(one.is_weight, [0.0, 0.0])
        squares[0] += float(np.square(now - before, dtype=np.float64).sum())
        squares[1] += float(np.square(before, dtype=np.float64).sum())
    return {layer: _told(kinds) for layer, kinds in sums.items()}


def _told(kinds: dict[bool, list[float]]) -> dict[str, float | None]:
    change, norm = (value**0.5 for value in kinds.get(True, [0.0, 0.0]))
    statistics = kinds.get(False)
    ratio = (statistics[0] / statistics[1]) ** 0.5 if statistics and statistics[1] else None
    return {"change": change, "norm": norm, "statistics": ratio}
