"""How far layers have moved from their first weights, and how far batch norms' running statistics have."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.describe import facts


class Movement:
    """How far everything that a script trains has moved since before its first step.

    Attributes:
        names: module → what the script calls it.
    """

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self._first: list[tuple[Any, dict[str, Any]]] = []  # modules, none within another, and their state

    @property
    def has_begun(self) -> bool:
        """Returns whether any module was called."""
        return bool(self._first)

    def begin(self, module: Any) -> None:
        """Keeps the state of a module, unless it is known, alone or as a part of another."""
        if any(module is part for known, _ in self._first for part in known.modules()):
            return
        within = {id(part) for part in module.modules()}
        self._first = [one for one in self._first if id(one[0]) not in within]
        self._first.append((module, first_state(module)))

    def so_far(self) -> dict[str, dict[str, float | None]]:
        """Returns what `moved` does, of several modules with each one's name before its layers."""
        told = {}
        for number, (module, first) in enumerate(self._first):
            name = self.names.get(id(module)) or f"model {number}"
            for layer, change in moved(module, first).items():
                of_several = f"{name}.{layer}" if layer else name
                told[of_several if len(self._first) > 1 else layer] = change
        return told


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
