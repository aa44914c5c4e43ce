"""fastai: loaders, optimizers and a `fit` of its own."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.doors.loading import PASS
from plateau_cause.capture.child.doors.schedules import Told
from plateau_cause.capture.child.passes import Loader, Pass
from plateau_cause.capture.child.places import here

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors

PARTS = 100  # of a schedule, at which its rate is looked at


class Items:
    """A fastai loader's items, transformed one by one, as a data set."""

    def __init__(self, loader: Any) -> None:
        self.loader, self.dataset = loader, loader.dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self.loader.do_item(index)

    @property
    def classes(self) -> list[str] | None:
        """Returns the names of the classes."""
        names = getattr(self.loader, "vocab", None)
        return None if names is None else [str(name) for name in names]


class AsLoader:
    """A fastai loader with the attributes of a DataLoader."""

    def __init__(self, given: Any) -> None:
        self.given, self.dataset, self.batch_size = given, Items(given), given.bs
        self.num_workers, self.drop_last = given.fake_l.num_workers, given.drop_last
        samplers = sys.modules["torch.utils.data"]
        self.sampler = (samplers.RandomSampler if given.shuffle else samplers.SequentialSampler)(self.dataset)
        self.batch_sampler = SimpleNamespace(batch_size=given.bs, sampler=self.sampler)

    def __len__(self) -> int:
        return len(self.given)

    def collate_fn(self, items: list[Any]) -> Any:
        """Returns a batch as the model gets it."""
        return self.given.after_batch(self.given.do_batch(items))


def install_loaders(doors: Doors, module: ModuleType) -> None:
    """Puts the listener on loaders in; `fastai.data.load` has just been imported."""
    known: dict[int, Loader] = {}

    def begun(iterator: Any, fake: Any) -> None:
        given = getattr(fake, "d", None)
        if not isinstance(given, module.DataLoader):
            return
        if id(given) not in known:
            name = "dls.train" if given.shuffle else "dls.valid"
            known[id(given)] = Loader(AsLoader(given), doors.places.of(given) or here(), name)
            doors.course.loaders.append(known[id(given)])
        of = Pass(known[id(given)], here(), doors.course.plan)
        doors.course.begin(of)
        setattr(iterator, PASS, of)

    for iterator in module._loaders:
        doors.hooks.after(iterator, "__init__", lambda _, iterator, fake, *__: begun(iterator, fake))
    doors.hooks.after(
        module.DataLoader, "__init__", lambda _, built, *__, **___: doors.places.remember(built, here())
    )
    doors.hooks.aside(module.DataLoader, "one_batch")  # read to look at


def install_optimizers(doors: Doors, module: ModuleType) -> None:
    """Puts the listeners on optimizers in; `fastai.optimizer` has just been imported."""
    optimizer = module.Optimizer
    doors.hooks.after(optimizer, "__init__", lambda _, built, *__, **___: doors.stepping.built(built, here()))
    doors.hooks.before(optimizer, "step", doors.stepping.about_to_step)
    doors.hooks.after(optimizer, "step", lambda _, stepped, *__, **___: doors.stepping.stepped(stepped))
    doors.hooks.before(optimizer, "zero_grad", doors.stepping.cleared)
    if (changes := doors.calling.changes) is not None:
        doors.hooks.before(optimizer, "step", changes.about_to_step)
        doors.hooks.after(optimizer, "step", lambda _, stepped, *__, **___: changes.stepped(stepped))


def install_learner(doors: Doors, module: ModuleType) -> None:
    """Puts the listeners on `fit` and on its beginning in; `fastai.learner` has been imported."""

    def fit(learner: Any, n_epoch: int, *_: Any, **__: Any) -> None:
        if here() != doors.course.thaws:  # fine_tune has said how many in all
            doors.course.plan = int(n_epoch), here()

    def begun(learner: Any, *_: Any, **__: Any) -> None:
        for one in (learner.opt, getattr(learner.opt, "opt", None)):  # one may be around the other
            if type(one).__module__ == "fastai.optimizer" and hasattr(one, "cbs"):
                held = doors.stepping.of(one)
                held.kind, held.place = f"fastai {facts.plain(learner.opt_func)}", held.place or here()
        if doors.calling.changes is not None:
            doors.calling.changes.fitting(learner)

    doors.hooks.before(module.Learner, "fit", fit)
    doors.hooks.before(module.Learner, "_do_fit", begun)


def install_schedules(doors: Doors, module: ModuleType) -> None:
    """Puts the listeners on what sets rates and unfreezes in; `fastai.callback.schedule` is imported."""
    schedules, learner = doors.stepping.schedules, module.Learner

    def begun(name: str, bind: Callable[..., inspect.BoundArguments], *given: Any, **named: Any) -> None:
        arguments = dict(list(bind(*given, **named).arguments.items())[1:])
        arguments |= arguments.pop("kwargs", {})
        plain = {key: _plain(value) for key, value in arguments.items() if key != "cbs"}
        schedules.built(Told(f"fastai {name}", plain), here())

    def fine_tune(
        _: Any, epochs: int, base_lr: Any = None, freeze_epochs: int = 1, *__: Any, **___: Any
    ) -> None:
        doors.course.thaws = here()
        doors.course.plan = int(epochs) + int(freeze_epochs), here()

    def stepped(_: None, callback: Any, *__: Any) -> None:
        if schedules.known and hasattr(callback, "scheds"):
            schedules.stepped(schedules.known[-1].scheduler)
            held = doors.stepping.of(getattr(callback.opt, "opt", callback.opt))
            if "lr" in callback.scheds and not held.peaks:
                held.peaks = _highest(callback.scheds["lr"], len(callback.opt.hypers))

    for name in ("fit_one_cycle", "fit_flat_cos", "fit_sgdr"):
        bind = inspect.signature(getattr(learner, name)).bind
        doors.hooks.before(learner, name, partial(begun, name, bind))
    doors.hooks.before(learner, "fine_tune", fine_tune)
    doors.hooks.after(module.ParamScheduler, "before_batch", stepped)
    doors.hooks.aside(learner, "lr_find")  # trains to look for a rate, and takes it all back


def _plain(value: Any) -> Any:
    """Returns a value as JSON has it; rates from the first layers to the last as the list of both."""
    return [value.start, value.stop] if isinstance(value, slice) else facts.plain(value)


def _highest(rate_at: Callable[[float], Any], groups: int) -> list[float]:
    """Returns the highest rate of each group over a schedule, which gives it by the part that is done."""
    rows = [rate_at(part / PARTS) for part in range(PARTS + 1)]
    each = [list(row) if hasattr(row, "__len__") else [row] * groups for row in rows]
    return [float(max(rates)) for rates in zip(*each, strict=True)]
