"""The doors of the data: loaders and their passes, data sets, composed transforms."""

from __future__ import annotations

import inspect
from types import FrameType, ModuleType
from typing import Any

from plateau_cause.capture.child.course import Course
from plateau_cause.capture.child.describe.names import function_at, name_in, name_of
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.leaving import left_after
from plateau_cause.capture.child.passes import Loader, Pass
from plateau_cause.capture.child.places import Place, Registry, frame_here, frame_here_from, here, place_of
from plateau_cause.capture.child.plans import rounds_around

PASS = "_plateau_pass"  # the attribute of a loader's iterator that holds its pass
EARLY = "_plateau_asked"  # the attribute with the items that it asked for before there was a pass


class Loading:
    """Listens to `DataLoader`, and to the construction of data sets and transforms."""

    def __init__(self, hooks: Hooks, course: Course, places: Registry[Place]) -> None:
        self.hooks, self.course, self.places = hooks, course, places

    def install(self, torch: ModuleType) -> None:
        """Puts the listeners in; `torch` has just been imported."""
        data = torch.utils.data
        self.hooks.after(data.DataLoader, "__init__", self._built)
        self.hooks.after(data.DataLoader, "__iter__", self._begun)
        self._follow_batches(data.dataloader._BaseDataLoaderIter)
        _announce(data.Dataset, lambda built: self.hooks.hear(self._data_set_built, built))

    def install_transforms(self, module: ModuleType) -> None:
        """Puts the listener on `Compose` in; the module has just been imported."""
        if hasattr(module, "Compose"):
            self.hooks.after(module.Compose, "__init__", self._transform_built)

    def _built(self, _: None, loader: Any, *arguments: Any, **named: Any) -> None:
        place = here(built=loader)
        known = next((one for one in self.course.loaders if one.loader is loader), None)
        if known is None:
            self.course.loaders.append(Loader(loader, place))
        else:  # a subclass that calls __init__ twice
            known.place = place

    def _begun(self, iterator: Any, loader: Any) -> None:
        frame = _consumer(frame_here())
        known = next((one for one in self.course.loaders if one.loader is loader), None)
        if known is None:
            known = Loader(loader, None)
            self.course.loaders.append(known)
        known.name = known.name or name_in(frame, known.outer or loader) or self._function(known)
        known.name = known.name or name_in(frame, loader.dataset)  # where a framework makes the loader
        planned = self.course.plan or rounds_around(frame)
        begun = Pass(known, place_of(frame), planned, left_after(frame))
        begun.asked.extend(vars(iterator).pop(EARLY, []))
        self.course.begin(begun)
        setattr(iterator, PASS, begun)

    def name_unread(self) -> None:
        """Names the loaders that the script has not read yet."""
        for one in self.course.loaders:
            one.name = one.name or name_of(one.outer or one.loader, one.place) or self._function(one)

    def _function(self, loader: Loader) -> str | None:
        """Returns the function that built a loader, `val_dataloader` say, where it built no other."""
        function = function_at(loader.place) if loader.place else None
        alike = [one for one in self.course.loaders if one.place and function_at(one.place) == function]
        return function if len(alike) == 1 else None

    def _data_set_built(self, data_set: Any) -> None:
        self.places.remember(data_set, here())

    def _transform_built(self, _: None, transform: Any, *arguments: Any, **named: Any) -> None:
        self.places.remember(transform, here(built=transform))

    def _follow_batches(self, iterator_class: Any) -> None:
        original, hooks, course = iterator_class.__next__, self.hooks, self.course

        def following(iterator: Any) -> Any:
            of = getattr(iterator, PASS, None)
            if of is None or hooks.paused:
                return original(iterator)
            hooks.hear(course.batch_wanted)
            hooks.hear(course.end_read)
            if hooks.hear(course.mode.wants_no_more, of):
                hooks.hear(course.read, of)
                raise StopIteration
            try:
                batch = original(iterator)
            except StopIteration:
                hooks.hear(course.read, of)
                raise
            course.yielded(of, batch)
            return batch

        iterator_class.__next__ = following

    def follow_positions(self, torch: ModuleType) -> None:
        """Has every pass know which items of its data set a batch holds; loaders ask for them in order."""
        iterator_class = torch.utils.data.dataloader._BaseDataLoaderIter
        original = iterator_class._next_index

        def next_index(iterator: Any) -> Any:
            asked = original(iterator)
            of = getattr(iterator, PASS, None)
            if of is None or of.ended:  # workers are asked before a pass begins
                vars(iterator).setdefault(EARLY, []).append(asked)
            else:
                of.asked.append(asked)
            return asked

        iterator_class._next_index = next_index


def _consumer(frame: FrameType | None) -> FrameType | None:
    """Returns the frame that reads the batches: generators only hand them on."""
    while frame is not None and frame.f_back is not None and frame.f_code.co_flags & inspect.CO_GENERATOR:
        outer = frame_here_from(frame.f_back)
        if outer is None:
            return frame
        frame = outer
    return frame


def _announce(base: Any, listener: Any) -> None:
    """Has `listener(instance)` called for every new instance of a class that has no `__new__` of its own.

    Data sets often do not call the constructor of `Dataset`; every one of them is allocated by `__new__`.
    """

    def __new__(cls: Any, *arguments: Any, **named: Any) -> Any:  # noqa: N807
        allocate = super(base, cls).__new__
        instance = allocate(cls) if allocate is object.__new__ else allocate(cls, *arguments, **named)
        listener(instance)
        return instance

    base.__new__ = staticmethod(__new__)
