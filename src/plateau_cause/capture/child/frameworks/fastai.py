"""fastai: loaders, optimizers and a `fit` of its own."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.loading import PASS
from plateau_cause.capture.child.passes import Loader, Pass
from plateau_cause.capture.child.places import here

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors


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
    doors.hooks.aside(module.DataLoader, "one_batch")  # read to look at


def install_optimizers(doors: Doors, module: ModuleType) -> None:
    """Puts the listeners on optimizers in; `fastai.optimizer` has just been imported."""
    optimizer = module.Optimizer
    doors.hooks.after(optimizer, "__init__", lambda _, built, *__, **___: doors.stepping.built(built, here()))
    doors.hooks.before(optimizer, "step", doors.stepping.about_to_step)
    doors.hooks.after(optimizer, "step", lambda _, stepped, *__, **___: doors.stepping.stepped(stepped))
    doors.hooks.before(optimizer, "zero_grad", doors.stepping.cleared)


def install_learner(doors: Doors, module: ModuleType) -> None:
    """Puts the listener on `fit` in; `fastai.learner` has just been imported."""

    def fit(learner: Any, n_epoch: int, *_: Any, **__: Any) -> None:
        doors.course.plan = int(n_epoch), here()

    doors.hooks.before(module.Learner, "fit", fit)


def install_schedules(doors: Doors, module: ModuleType) -> None:
    """Puts the listener on `fine_tune` in, which unfreezes; `fastai.callback.schedule` has been imported."""

    def fine_tune(*_: Any, **__: Any) -> None:
        doors.course.thaws = here()

    doors.hooks.before(module.Learner, "fine_tune", fine_tune)
