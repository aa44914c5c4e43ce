"""The doors of the optimizer: construction, steps, clearing, gradients, clipping, scaling."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.course import Course
from plateau_cause.capture.child.describe.names import name_in
from plateau_cause.capture.child.doors.held import Held
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.doors.schedules import Schedules
from plateau_cause.capture.child.places import Place, Registry, frame_here, here

RATES = 8  # steps whose rates are kept


class Stepping:
    """Listens to `Optimizer`, `backward`, clipping and `GradScaler`."""

    def __init__(self, hooks: Hooks, course: Course, places: Registry[Place]) -> None:
        self.hooks, self.course, self.places = hooks, course, places
        self.held: list[Held] = []
        self.schedules = Schedules(hooks, course)
        self.backward_place: Place | None = None
        self.clips: list[dict[str, Any]] = []
        self.scaler: dict[str, Any] | None = None
        self.is_scaled = False  # whether a scaler multiplies the loss
        self.grad_scaler: Any = None
        self.loss: Any = None  # of the last backward call
        self.averages: list[Place | None] = []  # where an AveragedModel was built
        self.root: Any = None  # where that call began in autograd's graph
        self.records_rates = True

    @property
    def steps(self) -> int:
        """Returns how many steps the busiest optimizer has taken."""
        return max((one.steps for one in self.held), default=0)

    def install(self, torch: ModuleType) -> None:
        """Puts the listeners in; `torch` has just been imported."""
        optimizer = torch.optim.Optimizer
        self.hooks.after(optimizer, "__init__", self._built)
        self.hooks.before(optimizer, "zero_grad", self.cleared)
        self.hooks.before(torch.nn.Module, "zero_grad", self._cleared_by_module)
        module = sys.modules["torch.optim.optimizer"]  # `torch.optim` deletes the name
        module.register_optimizer_step_pre_hook(self._before_step)
        module.register_optimizer_step_post_hook(self._after_step)
        self.hooks.during(torch.autograd, "backward", partial(self._within, 1), partial(self._within, -1))
        self.hooks.before(torch.autograd, "backward", self._backward)
        for name in ("clip_grad_norm_", "clip_grad_value_"):
            for module in (torch.nn.utils, torch.nn.utils.clip_grad):  # scripts take it from either
                self._follow_clipping(module, name)
        self.hooks.before(torch.amp.GradScaler, "scale", self._scales)
        self.hooks.before(torch.amp.GradScaler, "step", self._scaled)
        self.schedules.install(torch.optim.lr_scheduler)
        averaging = torch.optim.swa_utils
        self.hooks.aside(averaging, "update_bn")  # reads images and judges nothing
        self.hooks.after(averaging.AveragedModel, "__init__", lambda *_, **__: self.averages.append(here()))

    def of(self, optimizer: Any) -> Held:
        """Returns the record of an optimizer."""
        known = next((one for one in self.held if one.optimizer is optimizer), None)
        if known is None:
            known = Held(optimizer, None)
            self.held.append(known)
        return known

    def around(self, held: Held) -> list[Held]:
        """Returns the optimizers that hold this one and step by it, as SAM and Lookahead do."""
        return [one for one in self.held
                if any(value is held.optimizer for value in vars(one.optimizer).values())]  # fmt: skip

    def innermost(self) -> list[Held]:
        """Returns the optimizers that hold no other one: those that take the steps."""
        outer = [id(one) for held in self.held for one in self.around(held)]
        return [one for one in self.held if id(one) not in outer]

    def is_fresh(self, held: Held) -> bool:
        """Returns whether an optimizer was built after the last step: for a second phase, its time comes."""
        taken = sum(one.steps for one in self.held)
        return not held.steps and not held.is_past and 0 < held.born == taken

    def begin_anew(self) -> None:
        """Forgets the steps that were taken: what took them has had its time, unless it steps again."""
        self.held = [
            Held(one.optimizer, one.place, one.name, is_past=True) if one.steps else one for one in self.held
        ]

    def built(self, optimizer: Any, place: Place | None) -> None:
        """Notes an optimizer and the line that built it."""
        held = self.of(optimizer)
        held.place, held.born = place, sum(one.steps for one in self.held)

    def _built(self, _: None, optimizer: Any, *arguments: Any, **named: Any) -> None:
        held = self.of(optimizer)
        self.built(optimizer, here(built=optimizer))
        if self.records_rates:
            groups = [Group(group, self, held) for group in optimizer.param_groups]
            optimizer.param_groups[:] = groups

    def cleared(self, optimizer: Any, *arguments: Any, **named: Any) -> None:
        """Notes that gradients are cleared, of another optimizer too that holds the same, as within SAM."""
        self.of(optimizer)
        if any(map(_wants_to_know, self.held)):
            self._clears(_parameters(optimizer))

    def _cleared_by_module(self, module: Any, *arguments: Any, **named: Any) -> None:
        if any(map(_wants_to_know, self.held)):
            self._clears(module.parameters())

    def _clears(self, parameters: Iterable[Any]) -> None:
        """Notes where; what was computed before has not added to what the next step uses."""
        known = {id(one) for one in parameters}
        for held in self.held:
            if _wants_to_know(held) and any(id(one) in known for one in _parameters(held.optimizer)):
                held.clear_place = held.clear_place or here()
                if held.at_backward == _version(held.optimizer):  # else they were used, by SAM say
                    held.wasted += held.backwards
                held.backwards = 0

    def _within(self, by: int) -> None:
        self.course.in_backward += by

    def _backward(self, roots: Any, *arguments: Any, **named: Any) -> None:
        if self.course.in_backward:  # a checkpoint computes again what it had not kept
            return
        self.backward_place = here()
        self.loss = roots.detach() if getattr(roots, "ndim", 1) == 0 else None
        self.root = getattr(roots, "grad_fn", None)
        for held in self.held:
            if 0 < held.steps < 3:  # of several optimizers each clears its own before its own backward call
                held.are_left = (held.are_left or not held.backwards) and _has_gradients(held.optimizer)
            held.backwards += 1
            held.at_backward = _version(held.optimizer)
        self.course.backward()
        self.root = None  # else the graph is kept

    def _before_step(self, optimizer: Any, *arguments: Any) -> None:
        self.hooks.hear(self.about_to_step, optimizer)

    def _after_step(self, optimizer: Any, *arguments: Any) -> None:
        self.hooks.hear(self.stepped, optimizer)

    def about_to_step(self, optimizer: Any, *arguments: Any, **named: Any) -> None:
        """Notes a step before it is taken."""
        self.course.mode.about_to_step(optimizer)

    def stepped(self, optimizer: Any) -> None:
        """Notes a step that has been taken."""
        held = self.of(optimizer)
        frame = frame_here()
        held.steps += 1
        held.uncleared += held.are_left
        held.are_left = False
        held.last_rates = [group["lr"] for group in optimizer.param_groups]
        if held.steps <= RATES:
            held.rates.append([float(group["lr"]) for group in optimizer.param_groups])
        held.step_place = held.step_place or here()
        held.name = held.name or name_in(frame, optimizer)
        held.per_step = [*held.per_step[-3:], held.backwards]
        held.wasted_per_step = [*held.wasted_per_step[-3:], held.wasted]
        held.backwards = held.wasted = 0
        self.course.mode.stepped(optimizer)

    def _follow_clipping(self, utils: ModuleType, name: str) -> None:
        def clipped(norm: Any, *arguments: Any, **named: Any) -> None:
            limit: Any = (
                arguments[1] if len(arguments) > 1 else named.get("max_norm", named.get("clip_value"))
            )
            found = None if norm is None else float(norm)
            if len(self.clips) < 4:
                self.clips.append({"function": name, "limit": float(limit), "norm": found, "place": here()})

        self.hooks.after(utils, name, clipped)

    def _scales(self, scaler: Any, *arguments: Any, **named: Any) -> None:
        self.is_scaled = scaler.is_enabled()

    def _scaled(self, scaler: Any, *arguments: Any, **named: Any) -> None:
        self.grad_scaler = scaler
        self.scaler = {"enabled": scaler.is_enabled(), "place": here()}

    def rate_written(self, held: Held, rate: float) -> None:
        """Notes a rate that was written into a group by the script, not by a schedule."""
        if not self.schedules.are_at_work and not self.hooks.paused and len(held.by_hand) < 100:
            held.by_hand.append((here(), rate))


class Group(dict[str, Any]):
    """A parameter group that knows who writes its rate; only in a peek, whose optimizers nobody keeps."""

    def __init__(self, group: dict[str, Any], stepping: Stepping, held: Held) -> None:
        super().__init__(group)
        self._listener = (stepping, held)

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        if name == "lr" and hasattr(self, "_listener"):
            stepping, held = self._listener
            stepping.hooks.hear(stepping.rate_written, held, float(value))

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def _wants_to_know(held: Held) -> bool:
    """Returns whether it matters that gradients are cleared: for the first time, or before its step."""
    return held.clear_place is None or held.backwards > 0


def _version(optimizer: Any) -> int:
    """Returns a number that rises whenever the first parameter of an optimizer is written."""
    return next((int(one._version) for one in _parameters(optimizer)), 0)


def _parameters(optimizer: Any) -> Iterator[Any]:
    return (one for group in optimizer.param_groups for one in group["params"])


def _has_gradients(optimizer: Any) -> bool:
    gradients = (one.grad for one in _parameters(optimizer))
    return any(bool((gradient != 0).any()) for gradient in gradients if gradient is not None)
