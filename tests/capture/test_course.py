"""Which calls were for training: a batch may be asked for between a call and its backward."""

import shutil
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from plateau_cause.capture.child import facts, unsaved
from plateau_cause.capture.child.calling import Calling
from plateau_cause.capture.child.course import Course, Forward, Loader, Mode, Pass
from plateau_cause.capture.child.hooks import Hooks
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
            return self.inner(x)

    hooks, heard = Hooks(), []
    hooks.paused = False
    calling = Calling(hooks, Course(Heard()), Registry())
    calling._is_compiling = lambda: False
    monkeypatch.setattr(calling, "_after", lambda module, *_: heard.append(type(module).__name__))
    monkeypatch.setattr(nn.Module, "__call__", calling._outermost(nn.Module.__call__))
    net = Net()
    calling._follow_forward(net)
    calling._follow_forward(net)
    net.forward(torch.zeros(1, 2))
    net(torch.zeros(1, 2))
    assert heard == ["Net", "Net"]


@pytest.mark.parametrize("name", ["copyfile", "copy", "move"])
def test_a_copy_of_what_a_peek_did_not_save_does_nothing(name, tmp_path, monkeypatch):
    for owner, function in unsaved.COPYING:
        monkeypatch.setattr(owner, function, getattr(owner, function))
    monkeypatch.setattr(torch, "save", torch.save)
    unsaved.install(torch)
    best, last, other = (tmp_path / one for one in ("best.pt", "last.pt", "notes.txt"))
    best.write_text("finished")
    other.write_text("mine")
    torch.save({}, last)
    getattr(shutil, name)(last, best)
    getattr(shutil, name)(other, tmp_path / "copied.txt")
    assert (best.read_text(), last.exists()) == ("finished", False)
    assert (tmp_path / "copied.txt").read_text() == "mine"


def test_features_beside_logits_are_not_judged():
    features, logits = torch.zeros(4, 96), torch.zeros(4, 10)
    assert facts.logits_of((features, logits)) is logits
    assert facts.logits_of((logits, torch.ones(4, 10))) is logits
