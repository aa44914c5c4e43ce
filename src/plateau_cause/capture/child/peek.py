"""A peek: the script runs until it has taken two steps, evaluated a batch and trained on one more.

After two steps every pass ends after one batch, so that the evaluation and the next epoch come within
seconds; nothing that the script saves after a step is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.ahead import model_ahead
from plateau_cause.capture.child.course import Mode
from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.describe.loss import describe_loss
from plateau_cause.capture.child.doors.losing import Loss
from plateau_cause.capture.child.passes import Forward, Pass
from plateau_cause.capture.child.places import Place, frame_here
from plateau_cause.capture.child.plans import steps_around

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors

STEPS = 2
PATIENCE = 4  # times the limit that gradients may be added up for a step, or another model follows
PARTS = 8  # modules that one training step may call from outside


class Peek(Mode):
    """Keeps what two steps and one evaluation batch show.

    Args:
        limit_s: how long to wait for two steps after the first backward call, and again for an evaluation;
            longer while gradients are added up for a step.
        finish: writes the peek and ends the process.
    """

    def __init__(self, limit_s: float, finish: Callable[[BaseException | None], None]) -> None:
        self.limit_s, self.finish = limit_s, finish
        self.doors: Doors
        self.training: list[Forward] = []  # calls before the first step, one per module
        self.evaluation: list[Forward] = []
        self.later: Forward | None = None  # the first training call after an evaluation
        self.initial: dict[int, tuple[Any, dict[str, Any]]] = {}  # weights before the first training call
        self.loss: dict[str, Any] | None = None
        self.taken: Loss | None = None  # the call that it tells of
        self.gradients: dict[int, float | None] = {}  # parameter → largest gradient at the steps
        self.reached: set[int] = set()  # parameters that have had gradients before a step
        self.first_flags: dict[int, bool] = {}  # parameter → whether it required a gradient at the first call
        self.moved: dict[int, tuple[float, float]] = {}  # parameter → norm of its change, and its own
        self.from_zero: set[int] = set()  # parameters that were all zero before the first step
        self.asleep: set[int] = set()  # parameters before one that is zero: no gradient at the first step
        self.loss_is_changed = False  # whether the loss was given something else than the model's output
        self.planned: tuple[int, Place] | None = None  # training calls in all, of loops that count them
        self.cut = False
        self.is_late = False  # ended by the limit
        self.has_restarted = False
        self.before: Forward | None = None  # the first call of a model that was trained before this one
        self.ahead: Place | bool | None = None  # the optimizer of a model to come; False: there is none
        self._fed: list[Forward] = []  # the last call that fed one for training
        self._left: dict[int, Any] = {}  # parameter → gradient that an earlier model's training has left
        self._before: dict[int, Any] = {}
        self._waiting_since_s: float | None = None

    @property
    def follows_another(self) -> bool:
        """Returns whether a part of the model was trained by itself before, and feeds it now."""
        known = {id(one) for part in self.training for one in part.module.parameters()}
        return any(self._left[one][1] is not None for one in known & set(self._left))

    def wants_no_more(self, of: Pass) -> bool:
        """Ends the peek when everything has been seen; ends every pass after two steps."""
        self._finish_when_done()
        is_enough = self.doors.stepping.steps >= STEPS and of.of.role != "unread" and of.batches > 0
        self.cut = self.cut or is_enough
        return is_enough

    def passed(self, of: Pass) -> None:
        """Ends the peek when everything has been seen."""
        self._finish_when_done()

    def about_to_call(self, module: Any) -> None:
        """Keeps the weights as they are before the first call for training."""
        import torch

        self.doors.stopping.forget()
        if not self.doors.stepping.steps and torch.is_grad_enabled() and id(module) not in self.initial:
            self.initial[id(module)] = (module, _copied(module))

    def called(self, forward: Forward) -> None:
        """Notes what holds at the time of the call."""
        image = facts.picture_of(forward.inputs)
        forward.facts = {
            "modes": facts.modes(forward.module),
            "set_at": self.doors.calling.modes.of(facts.unwrapped(forward.module)[0])
            or self.doors.calling.modes.of(forward.module),
            "input": None if image is None else facts.picture_facts(image),
            "autocast": _autocast(image),
            "loop": forward.of.place if forward.of else None,
            "loader": forward.of.of.name if forward.of else None,
            "has_gradients": forward.is_grad,
            "stopped_at": self.doors.stopping.taken(forward.inputs),
            "still": {id(one) for one in forward.module.modules() if not one.training},
        }

    def trained(self, forward: Forward) -> None:
        """Keeps the calls of the first step, and the first loss."""
        if self._waiting_since_s is None:
            self._waiting_since_s = time.monotonic()
        if self.planned is None and not self.doors.stepping.steps:
            self.planned = steps_around(frame_here())
        if self.doors.stepping.steps >= STEPS and self._is_another(forward) and not self.has_restarted:
            fed = [one for one in self._fed if one.batch is forward.batch]
            self._begin_anew(forward.module)
            for one in fed:
                self._keep(one)
        if self._others() and self.doors.stepping.steps >= STEPS:
            self.later = self.later or forward
            if self.has_restarted or not self._follows_another(forward.module):
                self.finish(None)
        self._keep(forward)

    def fed(self, forward: Forward) -> None:
        """Keeps a part of the model that computes features without gradients."""
        if not self.doors.stepping.steps:
            self._keep(forward)
        else:
            self._fed = [forward]

    def _keep(self, forward: Forward) -> None:
        for one in forward.module.parameters():
            self.first_flags.setdefault(id(one), one.requires_grad)
        known = any(one.module is forward.module for one in self.training)
        if not known and len(self.training) < PARTS:
            self.training.append(forward)

    def _is_another(self, forward: Forward) -> bool:
        """Returns whether what was trained before, a teacher say, had nothing of this and another pass."""
        known = {id(one) for part in self.training for one in part.module.parameters()}
        is_in_turn = any(one.of is forward.of for one in self.training)
        return not is_in_turn and all(id(one) not in known for one in forward.module.parameters())

    def _follows_another(self, module: Any) -> bool:
        """Returns whether another model is trained after this one: the script's answer is the last."""
        if self.ahead is None:
            self.ahead = model_ahead(frame_here(), module) or False
        return bool(self.ahead)

    def _begin_anew(self, module: Any) -> None:
        """Forgets a model whose training is over before the peek was: that of another one tells more."""
        before = vars(Peek(self.limit_s, self.finish))
        every = [one for part in self.training for one in part.module.parameters()]
        left = {id(one): (one, _of_gradient(one)) for one in every}  # kept, so that none gets its identity
        kept = {"doors": self.doors, "cut": self.cut, "has_restarted": True, "_left": left,
                "before": self.training[0] if self.training else None}  # fmt: skip
        vars(self).update(before | kept | {"_waiting_since_s": time.monotonic()})
        self.initial[id(module)] = module, _copied(module)
        self.doors.stepping.begin_anew()

    def judged(self, forward: Forward, is_training: bool) -> None:
        """Keeps the first loss, and how it follows from the model's output."""
        if is_training and self.loss is None:
            self.loss, self.taken, self.loss_is_changed = describe_loss(self.doors, forward)
        self.doors.losing.recent.clear()

    def evaluated(self, forward: Forward) -> None:
        """Keeps the first evaluations after training has begun; one before it tells nothing."""
        if self.doors.course.backwards and len(self.evaluation) < PARTS:
            if not self.evaluation:
                self._waiting_since_s = time.monotonic()
            self.evaluation.append(forward)

    def about_to_step(self, optimizer: Any) -> None:
        """Keeps the weights that may move, and what gradients have reached."""
        parts = [one.module for one in self.training]
        every = [one for part in parts for one in part.parameters() if one.grad is not None]
        self.reached |= {id(one) for one in every
                         if _of_gradient(one) != self._left.get(id(one), (None, None))[1]}  # fmt: skip
        self._before = {id(one): one.detach().clone() for one in _held(optimizer)}

    def stepped(self, optimizer: Any) -> None:
        """Measures gradients and what moved."""
        for one in _held(optimizer):
            largest = None if one.grad is None else float(one.grad.abs().max()) if one.grad.numel() else 0.0
            before = self._before.get(id(one))
            if before is not None:
                self._moved(one, before, largest)
            kept = self.gradients.get(id(one))
            self.gradients[id(one)] = max((x for x in (largest, kept) if x is not None), default=None)
        self._before = {}
        if self.doors.stepping.steps == STEPS:
            self._waiting_since_s = time.monotonic()
        if self.doors.course.current is None:
            self._finish_when_done()

    def _moved(self, parameter: Any, before: Any, gradient: float | None) -> None:
        """Adds what a step changed; `gradient` is the largest of the parameter's."""
        change, own = (float(one.float().norm()) for one in (parameter.detach() - before, before))
        if id(parameter) not in self.moved and not before.any():
            self.from_zero.add(id(parameter))
        if id(parameter) not in self.moved and not gradient:
            self.asleep.add(id(parameter))
        self.moved[id(parameter)] = (change + self.moved.get(id(parameter), (0, 0))[0], own)

    def spawned(self) -> None:
        """Ends the peek: the processes would train to their end."""
        self.finish(None)

    def ended(self, error: BaseException | None) -> None:
        """Ends the peek with what has been seen."""
        self.finish(error)

    def _finish_when_done(self) -> None:
        since_s, steps = self._waiting_since_s, self.doors.stepping.steps
        adds_up = self.doors.course.backwards > steps + 1 and steps < STEPS
        limit_s = self.limit_s * (PATIENCE if adds_up or self.ahead else 1)
        self.is_late = since_s is not None and time.monotonic() - since_s > limit_s
        if self.is_late or (self._others() and not steps):
            self.finish(None)

    def _others(self) -> list[Forward]:
        """Returns the evaluations on other data than those of training."""
        trained_on = [one.of.of for one in self.training if one.of is not None]
        return [one for one in self.evaluation if one.of is None or one.of.of not in trained_on]


def _copied(module: Any) -> dict[str, Any]:
    state = module.state_dict().items()
    return {name: value.detach().clone() for name, value in state if hasattr(value, "detach")}


def _held(optimizer: Any) -> list[Any]:
    return [one for group in optimizer.param_groups for one in group["params"]]


def _autocast(image: Any) -> str | None:
    """Returns the type that autocast computes in; None where it is off."""
    import torch

    device = "cpu" if image is None else image.device.type
    if not torch.is_autocast_enabled(device):
        return None
    return str(torch.get_autocast_dtype(device)).removeprefix("torch.")


def _of_gradient(parameter: Any) -> tuple[int, int] | None:
    """Returns what changes whenever something is added to a parameter's gradient."""
    return None if parameter.grad is None else (id(parameter.grad), parameter.grad._version)
