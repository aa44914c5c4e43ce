"""What is evaluated in place of the trained model, an average of its weights, has the weights as trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.interventions.base import Intervention


class EvaluateTrained(Intervention):
    """Lends a copy of the model its weights and statistics while it is evaluated."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._called: list[Any] = []  # modules that gradients were taken from
        self._stepped: set[int] = set()  # identities of the parameters that an optimizer moves

    def before_step(self, optimizer: Any) -> None:
        """Notes what is trained."""
        self._stepped |= {id(one) for group in optimizer.param_groups for one in group["params"]}

    @contextmanager
    def around(self, call: Call) -> Iterator[None]:
        """Keeps what trains, and exchanges the weights of another module of its kind."""
        inner, _ = facts.unwrapped(call.module)
        if call.is_training and self._moves(inner) and all(one is not inner for one in self._called):
            self._called.append(inner)
        trained = [one for one in self._called if self._moves(one) and _are_alike(one, inner)]
        if not call.is_evaluation or len(trained) != 1 or self._moves(inner):
            yield
            return
        own = {name: value.detach().clone() for name, value in inner.state_dict().items()}
        try:
            inner.load_state_dict(trained[0].state_dict())
            self.times += 1
            yield
        finally:
            inner.load_state_dict(own)

    def _moves(self, module: Any) -> bool:
        """Returns whether an optimizer moves a module; before its first step, whether it has parameters."""
        held = {id(one) for one in module.parameters()}
        return bool(held & self._stepped) if self._stepped else bool(held)


def _are_alike(first: Any, second: Any) -> bool:
    """Returns whether two modules hold the same names and shapes."""
    shapes = [{name: getattr(one, "shape", None) for name, one in module.state_dict().items()}
              for module in (first, second)]  # fmt: skip
    return type(first) is type(second) and shapes[0] == shapes[1]


CHANGE = EvaluateTrained
