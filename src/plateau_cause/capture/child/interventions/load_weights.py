"""Weights whose names do not fit are loaded by what their names end in, and by their shapes."""

from __future__ import annotations

from collections import Counter
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention

FITS = 0.5  # part of the model's tensors that a file must fill to be left as it is


class LoadWeights(Intervention):
    """Renames the tensors of a file where hardly any of them fits."""

    def install(self, torch: ModuleType) -> None:
        """Wraps `load_state_dict` of modules."""
        module_class: Any = torch.nn.Module
        original = module_class.load_state_dict

        def load_state_dict(module: Any, state_dict: Any, *arguments: Any, **named: Any) -> Any:
            own = module.state_dict()
            if _fitting(own, state_dict) < FITS * len(own):
                renamed = _renamed(own, state_dict)
                if _fitting(own, renamed) >= FITS * len(own):
                    self.times += 1
                    state_dict = renamed
            return original(module, state_dict, *arguments, **named)

        module_class.load_state_dict = load_state_dict


def _fitting(own: Any, given: Any) -> int:
    return sum(name in given and given[name].shape == value.shape for name, value in own.items())


def _renamed(own: Any, given: Any) -> dict[str, Any]:
    """Returns the tensors of a file without the prefix, or with the one, under which most of them fit."""
    inner = next((value for value in given.values() if isinstance(value, dict)), None)
    given = given if inner is None else inner  # {"state_dict": {…}, "epoch": …}
    taken = Counter(key[: -len(name)] for name in own for key in given if key.endswith(name))
    added = Counter(name[: -len(key)] for name in own for key in given if name.endswith(key))
    candidates = [
        *({key.removeprefix(prefix): value for key, value in given.items()} for prefix in _first(taken)),
        *({f"{prefix}{key}": value for key, value in given.items()} for prefix in _first(added)),
    ]
    return max(candidates, key=lambda one: _fitting(own, one), default={})


def _first(prefixes: Counter[str]) -> list[str]:
    return [prefix for prefix, _ in prefixes.most_common(3)]


CHANGE = LoadWeights
