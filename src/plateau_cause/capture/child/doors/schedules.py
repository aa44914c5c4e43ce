"""The doors of the schedules: what sets the rate in the script's place, and when it is stepped."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.course import Course
from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.describe.standing_in import Start, is_schedule, parts
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.places import Place, here
from plateau_cause.capture.child.plans import tree_of

# Of a scheduler, beside its options
STATE = ("base_lrs", "last_epoch", "verbose", "best", "num_bad_epochs", "cooldown_counter", "mode_worse",
         "default_min_lr", "T_i", "T_cur", "total_size", "metric", "base_values", "param_group_field",
         "warmup_steps", "noise_range_t", "noise_pct", "noise_type", "noise_std", "noise_seed")  # fmt: skip
LONGEST = 10**9  # steps of a training
SOME = 97  # steps at which zero for good is held to be so


@dataclass
class Schedule:
    """A learning-rate scheduler that the script built."""

    scheduler: Any
    place: Place | None
    step_place: Place | None = None
    steps: int = 0
    within_pass: int = 0  # steps taken while a training pass was under way
    is_led: bool = False  # whether it is told an epoch or a metric at its steps


@dataclass
class Told:
    """A schedule that a framework follows without a scheduler of torch: its name, and what it was given."""

    kind: str
    options: dict[str, Any]


class Schedules:
    """Listens to the schedulers of torch, and to those that a framework brings."""

    def __init__(self, hooks: Hooks, course: Course) -> None:
        self.hooks, self.course = hooks, course
        self.known: list[Schedule] = []
        self.interval: str | None = None  # after what a framework steps its schedules
        self.starts: dict[int, Start] = {}  # by optimizer
        self._depth = 0

    @property
    def are_at_work(self) -> bool:
        """Returns whether a schedule is being built or stepped: what is written is its rate."""
        return self._depth > 0

    def install(self, module: ModuleType) -> None:
        """Puts the listeners in; `torch.optim.lr_scheduler` has just been imported."""
        bases = (module.LRScheduler, module.ReduceLROnPlateau)
        kinds = [one for one in vars(module).values() if isinstance(one, type)]
        for kind in [one for one in kinds if issubclass(one, bases)]:
            self.follow_building(kind)
            self.follow_steps(kind, "step")

    def follow_building(self, kind: type) -> None:
        """Notes what a class builds; what is built sets the rate, one of several takes it back."""
        if "__init__" in vars(kind):
            self.hooks.during(kind, "__init__", partial(self._within, 1), partial(self._within, -1))
            self.hooks.after(
                kind, "__init__", lambda _, built, *__, **___: self.built(built, here(built=built))
            )

    def follow_steps(self, kind: type, name: str, within: str | None = None) -> None:
        """Notes when a method that sets the rate is called; what it calls in its turn is part of it.

        Args:
            kind: of a scheduler, or of what steps one.
            name: of the method.
            within: attribute of `kind` that holds the scheduler; None: it is one itself.
        """
        original = vars(kind).get(name)
        if original is None:
            return

        def step(owner: Any, *arguments: Any, **named: Any) -> Any:
            scheduler = owner if within is None else getattr(owner, within)
            if not self._depth:
                self.hooks.hear(self._keep_start, scheduler)
            self._depth += 1
            try:
                return original(owner, *arguments, **named)
            finally:
                self._depth -= 1
                if not self._depth:
                    is_led = within is None and bool(arguments or named)
                    self.hooks.hear(self.stepped, scheduler, is_led=is_led)

        step.__wrapped__ = original  # type: ignore[attr-defined]
        setattr(kind, name, step)

    def _within(self, by: int) -> None:
        self._depth += by

    def built(self, scheduler: Any, place: Place | None) -> None:
        """Notes a scheduler and the line that asked for it; one that another builds is a part of that."""
        if not self._depth and all(one.scheduler is not scheduler for one in self.known):
            self.known.append(Schedule(scheduler, place))

    def _keep_start(self, scheduler: Any) -> None:
        """Keeps all schedules of an optimizer as they are before the first step of any."""
        optimizer = getattr(scheduler, "optimizer", None)
        if is_schedule(scheduler) and id(optimizer) not in self.starts:
            own = [one.scheduler for one in self.known if getattr(one.scheduler, "optimizer", 0) is optimizer]
            nested = [id(part) for one in own for part in parts(one)]
            self.starts[id(optimizer)] = Start(optimizer, [one for one in own if id(one) not in nested])

    def stepped(self, scheduler: Any, is_led: bool = False) -> None:
        """Notes a step that the script asks for, and whether it says to what."""
        known = next((one for one in self.known if one.scheduler is scheduler), None)
        if known is not None:
            known.steps += 1
            known.is_led |= is_led
            known.step_place = here()
            of = self.course.current
            is_within = of is not None and not of.is_used_up
            known.within_pass += is_within if self.interval is None else self.interval == "batch"


def describe(schedules: Schedules) -> list[dict[str, Any]]:
    """Returns each schedule as JSON: class, options, places, and after what it is stepped."""
    return [_described(one, schedules) for one in schedules.known]


def _described(one: Schedule, among: Schedules) -> dict[str, Any]:
    """Returns a scheduler; `part_of` is the class of the one that steps it, as SequentialLR does.

    How often it is stepped is told by the passes of loaders: of a script without any it is not known.
    """
    is_known = among.interval is not None or any(one.role == "train" for one in among.course.loaders)
    every = None if not one.steps or not is_known else "batch" if one.within_pass else "epoch"
    parts = {id(part): facts.kind(other.scheduler) for other in among.known
             for part in getattr(other.scheduler, "_schedulers", ())}  # fmt: skip
    scheduler, is_told = one.scheduler, isinstance(one.scheduler, Told)
    return {"class": scheduler.kind if is_told else facts.kind(scheduler), "place": one.place,
            "step": one.step_place, "stepped_every": every, "is_led": one.is_led,
            "part_of": parts.get(id(scheduler)), "told": _told(one.step_place) if one.is_led else None,
            "options": scheduler.options if is_told else _options(scheduler, among.hooks)}  # fmt: skip


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(word.value for word in call.keywords if word.arg == "metrics")]


def _told(place: Place | None) -> str | None:
    """Returns what a line gives to `step`, and what that was assigned: `acc = correct / total`."""
    tree = tree_of(place.file) if place else None
    nodes = list(ast.walk(tree)) if tree is not None else []
    steps = [one for one in nodes if isinstance(one, ast.Call) and place and one.lineno == place.line
             and isinstance(one.func, ast.Attribute) and one.func.attr == "step" and _given(one)]  # fmt: skip
    if len(steps) != 1:
        return None
    given = ast.unparse(_given(steps[0])[0])
    written = [(target, one.value) for one in nodes if isinstance(one, (ast.Assign, ast.AugAssign))
               for target in ([one.target] if isinstance(one, ast.AugAssign) else one.targets)]  # fmt: skip
    assigned = [ast.unparse(value) for target, value in written if ast.unparse(target) == given]
    return " = ".join([given, *assigned])


def _options(scheduler: Any, hooks: Hooks) -> dict[str, Any]:
    state = {name: facts.plain(value) for name, value in vars(scheduler).items()
             if isinstance(value, (bool, int, float, str, list, tuple))
             and not name.startswith("_") and name not in STATE}  # fmt: skip
    if hasattr(scheduler, "lr_lambdas"):
        state["lr_lambdas"] = list(dict.fromkeys(state["lr_lambdas"]))
        state["reaches_zero"] = hooks.attempt(_zero_of, scheduler.lr_lambdas)
    milestones = getattr(scheduler, "_milestones", None) or getattr(scheduler, "milestones", None)
    if milestones:
        given = milestones.elements() if isinstance(milestones, Counter) else milestones
        state["milestones"] = sorted(given)
    return state


def _zero_of(functions: list[Any]) -> int | None:
    """Returns the step from which functions of a LambdaLR give zero for good; None where they never do."""
    if any(function(LONGEST) for function in functions):
        return None
    low, high = 0, LONGEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if any(function(middle) for function in functions) else (low, middle)
    behind = [high + (LONGEST - high) * part // SOME for part in range(SOME)]  # a wave is zero now and then
    return None if any(function(step) for step in behind for function in functions) else high
