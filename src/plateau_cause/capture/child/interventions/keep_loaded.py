"""Weights stay as they were loaded: what writes over them before the first training call is undone."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.twins import twin


class KeepLoaded(Intervention):
    """Keeps what `load_state_dict` fills, and puts it back once, where it still fits.

    Settings: `twin`: what was loaded into another network of the same layers is put into the trained one.
    """

    reaches_network = True

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._loaded: list[tuple[Any, dict[str, Any]]] = []  # module, its tensors as loaded
        self._has_begun = False

    def install(self, torch: ModuleType) -> None:
        """Wraps `load_state_dict` of modules."""
        module_class: Any = torch.nn.Module
        original = module_class.load_state_dict

        def load_state_dict(module: Any, state_dict: Any, *arguments: Any, **named: Any) -> Any:
            result = original(module, state_dict, *arguments, **named)
            if not self._has_begun:
                missing = set(getattr(result, "missing_keys", ()))
                filled = {name: one for name, one in module.state_dict().items() if name in state_dict}
                kept = {name: one.detach().clone() for name, one in filled.items()
                        if name not in missing and hasattr(one, "detach")}  # fmt: skip
                self._loaded.append((module, kept))
            return result

        module_class.load_state_dict = load_state_dict

    def given(self, call: Call) -> None:
        """Puts back what is about to be trained."""
        import torch

        if self._has_begun or not call.is_training:
            return
        self._has_begun = True
        wanted: dict[int, tuple[Any, Any]] = {}  # by place in memory: of what is loaded twice, the last
        for module, loaded in self._loaded:
            own = module.state_dict()
            own |= self._twin(module, call.module)
            wanted |= {own[name].data_ptr(): (own[name], value) for name, value in loaded.items()
                       if name in own and own[name].shape == value.shape}  # fmt: skip
        with torch.no_grad():
            for own, value in wanted.values():
                if not torch.equal(own, value):
                    own.copy_(value)
                    self.times += 1
        self._loaded = []

    def _twin(self, module: Any, trained: Any) -> dict[str, Any]:
        """Returns the tensors of the trained module that stand for those of one loaded beside it."""
        own = {id(one) for one in trained.parameters()}
        if not self.settings.get("twin") or any(id(one) in own for one in module.parameters()):
            return {}
        filled = {id(one) for other, _ in self._loaded for one in other.parameters()}
        found = twin(module, trained, filled)
        return found[1] if found else {}


CHANGE = KeepLoaded
