"""The doors of the model: calls from outside, construction, modes, loaded weights, frozen parameters."""

from __future__ import annotations

import functools
import linecache
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.beforehand import Beforehand
from plateau_cause.capture.child.course import Course
from plateau_cause.capture.child.describe.names import name_in
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.linking import tensors
from plateau_cause.capture.child.passes import Forward
from plateau_cause.capture.child.places import Place, Registry, frame_here, here, place_of

if TYPE_CHECKING:
    from plateau_cause.capture.child.changes import Changes

TRANSFORMS = "torchvision.transforms"
METHODS = r"(?<!\))(?<!\bself)\.(forward\w*|extract_features|get_features|encode(?:_image)?|embed)\("


@dataclass
class Loaded:
    """Weights that were loaded into a module."""

    module: Any
    place: Place | None
    given: int
    matched: int
    tensors: int  # of the module, as it was then
    missing: list[str]
    sums: dict[str, tuple[float, float]] = field(default_factory=dict)  # of its matrices, see `sums`


class Calling:
    """Listens to `nn.Module` and `nn.Parameter`."""

    def __init__(self, hooks: Hooks, course: Course, places: Registry[Place]) -> None:
        self.hooks, self.course, self.places = hooks, course, places
        self.depth = 0  # how many modules are running, one within the other
        self.outermost: Any = None  # the module that runs now, called from outside every other
        self.last_without_parameters: tuple[Any, Any, Place | None] | None = None  # a loss, most likely
        self.modes: Registry[Place] = Registry()  # module → the line of its last train() or eval()
        self.frozen: dict[int, tuple[Any, Place | None, bool]] = {}  # parameter → last requires_grad
        self.loaded: list[Loaded] = []
        self.applied: dict[Place | None, Any] = {}  # line → the module whose `apply` it calls
        self.compiled: Place | None = None  # the line of torch.compile
        self.changes: Changes | None = None  # of a replay
        self.beforehand: Beforehand | None = None  # where calls on features are led back to their images
        self._in_train = False
        self._methods: set[tuple[type, str]] = set()  # classes and methods that are heard
        self._names: Registry[str] = Registry()

    def install(self, torch: ModuleType) -> None:
        """Puts the listeners in; `torch` has just been imported."""
        module = torch.nn.Module
        self.hooks.after(module, "__init__", self._built)
        self.hooks.before(torch, "compile", self._compiled)
        self.hooks.after(module, "load_state_dict", self._weights_loaded)
        self.hooks.before(module, "apply", self._applied)
        self._follow_calls(module, torch.compiler.is_compiling)
        self._follow_modes(module)
        self._follow_freezing(torch)

    def _built(self, _: None, module: Any, *arguments: Any, **named: Any) -> None:
        self.places.remember(module, here(built=module))
        for name in _written():
            self._follow_method(module, name)

    def _compiled(self, *_: Any, **__: Any) -> None:
        self.compiled = here()

    def _weights_loaded(self, result: Any, module: Any, state: Any, *arguments: Any, **named: Any) -> None:
        own = module.state_dict()
        unmatched = set(result.missing_keys)
        matched = sum(name in state and name not in unmatched for name in own)
        place = here()
        is_before = not self.course.backwards  # what is loaded into a trained model is another matter
        filled = {name: value for name, value in own.items()
                  if is_before and name in state and name not in unmatched}  # fmt: skip
        self.loaded.append(
            Loaded(module, place, len(state), matched, len(own), list(result.missing_keys), sums(filled))
        )

    def _applied(self, module: Any, *_: Any) -> None:
        self.applied.setdefault(here(), module)  # the outermost first: it asks the others

    def _follow_calls(self, module_class: Any, is_compiling: Any) -> None:
        self._is_compiling = is_compiling
        module_class.__call__ = self._outermost(module_class.__call__)

    def _outermost(self, original: Any) -> Any:
        """Returns a call of a module that is heard where it is within no other."""

        @functools.wraps(original)
        def call(module: Any, *arguments: Any, **named: Any) -> Any:
            if self._is_compiling() or self.depth or self.course.in_backward or self.hooks.paused:
                return original(module, *arguments, **named)
            arguments = self.hooks.hear(self._seen_through, module, arguments) or arguments
            self.depth, self.outermost = 1, module
            try:
                self.hooks.hear(self._before, module)
                if self.changes is None:
                    output = original(module, *arguments, **named)
                else:
                    output = self.changes.run(original, module, arguments, named)
            finally:
                self.depth, self.outermost = 0, None
            self.hooks.hear(self._after, module, arguments, named, output, original.__name__)
            return output

        return call

    def _seen_through(self, module: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Returns the arguments of a call on features that a network computes again; None for any other."""
        if self.beforehand is None or not arguments or not hasattr(arguments[0], "data_ptr"):
            return None
        if self.course.backwards and not self.beforehand.computed_at:
            self.beforehand.forget()
        features = self.beforehand.again(arguments[0], self.course.current)
        return None if features is None else (features, *arguments[1:])

    def _follow_method(self, module: Any, name: str) -> None:
        """Has `model.forward(x)`, `model.forward_features(x)` and the like heard as `model(x)` is."""
        owner: Any = next((one for one in type(module).__mro__ if name in vars(one)), None)
        is_own = owner is not None and owner.__module__ != "torch.nn.modules.module"
        if is_own and (owner, name) not in self._methods and callable(getattr(owner, name)):
            self._methods.add((owner, name))
            setattr(owner, name, self._given_tensors(getattr(owner, name)))

    def _given_tensors(self, original: Any) -> Any:
        """Returns a method that is heard as a call of its module where it is given a batch of tensors."""
        heard = self._outermost(original)

        @functools.wraps(original)
        def method(module: Any, *arguments: Any, **named: Any) -> Any:
            is_batch = any(one.ndim for one in tensors([*arguments, *named.values()]))
            return (heard if is_batch else original)(module, *arguments, **named)

        return method

    def _before(self, module: Any) -> None:
        if has_parameters(module):
            self.course.mode.about_to_call(module)

    def _after(self, module: Any, arguments: Any, named: Any, output: Any, method: str) -> None:
        if not has_parameters(module):
            given = [one for one in tensors(list(arguments)) if one.ndim]
            if given and given[0].requires_grad:
                self.last_without_parameters = (module, given, here())
            return
        frame = frame_here()
        inputs = [one for one in tensors([*arguments, *named.values()]) if one.ndim]
        is_grad = any(one.requires_grad for one in tensors(output))
        again = self.beforehand.place if self.beforehand else None
        forward = Forward(
            module, self._name(frame, module), again or place_of(frame), inputs, output, is_grad, arguments,
            named, is_again=again is not None,
        )  # fmt: skip
        self.course.forward(forward)
        if self.beforehand and not again and not self.course.backwards:
            self.beforehand.keep(forward, method)

    def _name(self, frame: FrameType | None, module: Any) -> str | None:
        """Returns what the script calls a module; looked up once, as frames are many."""
        if self._names.of(module) is None:
            self._names.remember(module, name_in(frame, module))
        return self._names.of(module)

    def named(self) -> list[tuple[Any, str | None]]:
        """Returns the modules that were called from outside every other, with the script's names."""
        return [(one, self._names.of(one)) for one in self._names.known()]

    def _follow_modes(self, module_class: Any) -> None:
        original = module_class.train

        def train(module: Any, mode: bool = True) -> Any:
            if self._in_train or self.hooks.paused:
                return original(module, mode)
            self._in_train = True
            try:
                result = original(module, mode)
            finally:
                self._in_train = False
            self.hooks.hear(self.modes.remember, module, here())
            return result

        module_class.train = train

    def _follow_freezing(self, torch: ModuleType) -> None:
        flag = torch._C.TensorBase.requires_grad
        in_place = torch.Tensor.requires_grad_

        def assign(parameter: Any, value: bool) -> None:
            flag.__set__(parameter, value)
            self.hooks.hear(self._set, parameter, value)

        def requires_grad_(parameter: Any, requires_grad: bool = True) -> Any:
            result = in_place(parameter, requires_grad)
            self.hooks.hear(self._set, parameter, requires_grad)
            return result

        torch.nn.Parameter.requires_grad = property(flag.__get__, assign)
        torch.nn.Parameter.requires_grad_ = requires_grad_

    def _set(self, parameter: Any, value: bool) -> None:
        self.frozen[id(parameter)] = (parameter, here(), bool(value))


def sums(state: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Returns of every matrix by name what tells whether its numbers have changed: sum, sum of sizes."""
    return {name: (float(one.double().sum()), float(one.double().abs().sum())) for name, one in state.items()
            if getattr(one, "ndim", 0) > 1 and one.is_floating_point()}  # fmt: skip


def has_parameters(module: Any) -> bool:
    """Returns whether a module has parameters; torchvision's transforms are modules without any."""
    if type(module).__module__.startswith(TRANSFORMS):
        return False
    return next(module.parameters(), None) is not None


@cache
def _written() -> tuple[str, ...]:
    """Returns the methods that the script calls in place of a model, not in a class of its own."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    text = "".join(linecache.getlines(file)) if file else ""
    return tuple(sorted(set(re.findall(METHODS, text))))
