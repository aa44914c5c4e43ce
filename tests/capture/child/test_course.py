"""Which calls were for training: a batch may be asked for between a call and its backward."""

import shutil
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from plateau_cause.capture.child import unsaved
from plateau_cause.capture.child.course import Course, Mode
from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.doors.calling import Calling
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.doors.stepping import Stepping
from plateau_cause.capture.child.passes import Forward, Loader, Pass
from plateau_cause.capture.child.places import Registry


class Heard(Mode):
    looks_closely = False

    def __init__(self):
        self.trainings, self.evaluations = [], []

    def trained(self, forward):
        self.trainings.append(forward.name)

    def evaluated(self, forward):
        self.evaluations.append(forward.name)


@pytest.fixture
def course():
    made = Course(Heard())
    made.begin(Pass(Loader(SimpleNamespace(dataset=()), None), None))
    return made


def call(course, name, is_grad=True):
    course.forward(Forward(None, name, None, [], None, is_grad, of=course.current, batch=name))


def test_a_batch_that_is_fetched_ahead_of_backward(course):
    for name in ("first", "second"):
        call(course, name)
        course.batch_wanted()
        course.backward()
    assert (course.mode.trainings, course.mode.evaluations) == (["first", "second"], [])


def test_an_evaluation_with_gradients_on(course):
    call(course, "first")
    course.batch_wanted()
    call(course, "second")
    assert course.mode.evaluations == ["first"]
    course.end(course.current)
    assert (course.mode.trainings, course.mode.evaluations) == ([], ["first", "second"])


def test_a_teacher_in_between(course):
    call(course, "student")
    call(course, "teacher", is_grad=False)
    course.backward()
    course.batch_wanted()
    assert (course.mode.trainings, course.mode.evaluations) == (["student"], [])


def test_forward_by_its_name_is_heard_once(monkeypatch):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            return self.forward_features(x)

        def forward_features(self, x):
            return None if x is None else self.inner(x)

    hooks, heard = Hooks(), []
    hooks.paused = False
    calling = Calling(hooks, Course(Heard()), Registry())
    calling._is_compiling = lambda: False
    monkeypatch.setattr(calling, "_after", lambda module, *_: heard.append(type(module).__name__))
    monkeypatch.setattr(nn.Module, "__call__", calling._outermost(nn.Module.__call__))
    net = Net()
    for name in ("forward", "forward", "forward_features"):
        calling._follow_method(net, name)
    net.forward(torch.zeros(1, 2))
    net(torch.zeros(1, 2))
    net.forward_features(torch.zeros(1, 2))
    net.forward_features(None)  # no batch: nothing to hear
    assert heard == ["Net", "Net", "Net"]


@pytest.mark.parametrize("name", ["copyfile", "copy", "move"])
def test_what_a_peek_did_not_save_is_copied_and_loaded_all_the_same(name, tmp_path, monkeypatch):
    for owner, function in (*unsaved.COPYING, (torch, "save"), (torch, "load")):
        monkeypatch.setattr(owner, function, getattr(owner, function))
    torch.save({"of": "the disk"}, tmp_path / "pretrained.pt")
    unsaved.install(torch)
    best, last, other = (tmp_path / one for one in ("best.pt", "last.pt", "notes.txt"))
    best.write_text("finished")
    other.write_text("mine")
    torch.save({"of": "the peek"}, last)
    getattr(shutil, name)(last, best)
    assert torch.load(best) == torch.load(last) == {"of": "the peek"}
    assert torch.load(tmp_path / "pretrained.pt") == {"of": "the disk"}
    getattr(shutil, name)(other, tmp_path / "copied.txt")
    assert (best.read_text(), last.exists()) == ("finished", False)
    assert (tmp_path / "copied.txt").read_text() == "mine"


def test_features_beside_logits_are_not_judged():
    features, logits = torch.zeros(4, 96), torch.zeros(4, 10)
    assert facts.logits_of((features, logits)) is logits
    assert facts.logits_of((logits, torch.ones(4, 10))) is logits
    parity = torch.zeros(4, 2)
    assert facts.logits_of({"digit": logits, "parity": parity}) is logits
    wide = torch.zeros(4, 100)
    assert facts.logits_of((torch.zeros(4, 512), wide)) is wide


def steps_of(*turns, clears):
    """Returns how many optimizers were seen not to clear; each turn is backward and step of one of them."""
    weights = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    optimizers = [torch.optim.SGD([one], 0.1) for one in weights]
    hooks = Hooks()
    stepping = Stepping(hooks, Course(Heard()), Registry())
    for turn in turns:
        if clears:
            optimizers[turn].zero_grad()
        loss = sum(one.sum() for one in weights)  # each backward call reaches both
        stepping._backward(loss)
        loss.backward()
        optimizers[turn].step()
        stepping.stepped(optimizers[turn])
    return sum(stepping.of(one).uncleared > 0 for one in optimizers)


@pytest.mark.parametrize(("turns", "clears", "count"), [
    ((0, 0), True, 0), ((0, 0), False, 1), ((0, 1, 0, 1), True, 0), ((0, 1, 1), True, 0),
])  # fmt: skip
def test_of_two_optimizers_each_clears_its_own(turns, clears, count):
    assert steps_of(*turns, clears=clears) == count


def batch():
    return torch.rand(4, 3, 8, 8), torch.zeros(4, dtype=torch.long)


def test_a_batch_that_is_held_while_others_are_read(course):
    """As a loop has it that fetches the next batch early and evaluates on both loaders in between."""
    train = course.current
    course.loaders.append(train.of)
    train.of.passes = [train]
    held = batch()
    course.yielded(train, held)
    validation = Pass(Loader(SimpleNamespace(dataset=()), None), None)
    for _ in range(3):
        course.yielded(train, (images := batch()))
        course.forward(Forward(None, "looked at", None, [images[0]], torch.rand(4, 2), False))
    course.loaders.append(validation.of)
    course.begin(validation)
    course.yielded(validation, (images := batch()))
    course.forward(Forward(None, "judged", None, [images[0]], torch.rand(4, 2), False))
    course.forward(Forward(None, "trained", None, [held[0]], torch.rand(4, 2), True))
    course.backward()
    assert (train.of.role, validation.of.role) == ("train", "evaluation")
    assert course.mode.trainings == ["trained"]
    course.yielded(train, batch())
    assert any(one is train for one in course.open)


def test_the_last_batch_of_training_fetched_ahead(course):
    """The loader is read to its end between the model's call and backward: the call was for training."""
    call(course, "first")
    course.backward()
    call(course, "second")
    course.batch_wanted()
    course.read(course.current)
    course.end_read()
    course.backward()
    assert (course.mode.trainings, course.mode.evaluations) == (["first", "second"], [])


def test_features_without_gradients_and_a_head_with_them_are_one_evaluation(course):
    judged = []
    course.mode.judged = lambda forward, is_training: judged.append((forward.name, is_training))
    for images in ([1], [2]):
        for name, is_grad in (("features", False), ("head", True)):
            course.forward(Forward(None, name, None, [], None, is_grad, of=course.current, batch=images))
        course.batch_wanted()
    course.end(course.current)
    assert judged == [("head", False)] * 2


@pytest.mark.parametrize("by", ["module", "another optimizer"])
def test_gradients_that_something_else_clears(by):
    stepping = Stepping(Hooks(), Course(Heard()), Registry())
    model = nn.Linear(2, 2)
    steps, other = (torch.optim.SGD(model.parameters(), 0.1) for _ in range(2))
    stepping.of(steps)
    if by == "module":
        stepping._cleared_by_module(model)
    else:
        stepping.cleared(other)
    stepping._cleared_by_module(nn.Linear(2, 2))
    assert stepping.of(steps).clear_place is not None
