"""Where gradients stop within a call of the model, and that they can be let through."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.interventions import made
from plateau_cause.capture.child.stopping import Stopping

STOPS = {
    "no_grad": lambda body, x: _within(torch.no_grad(), body, x),
    "inference_mode": lambda body, x: _within(torch.inference_mode(), body, x).clone(),
    "set_grad_enabled": lambda body, x: _within(torch.set_grad_enabled(False), body, x),
    "detach": lambda body, x: body(x).detach(),
}


def _within(context, body, x):
    with context:
        return body(x)


class Net(nn.Module):
    def __init__(self, stop):
        super().__init__()
        self.body, self.head, self.stop = nn.Linear(4, 4), nn.Linear(4, 2), stop

    def forward(self, x):
        return self.head(self.stop(self.body, x))


@pytest.fixture
def torch_as_it_was(monkeypatch):
    for owner, name in (
        (torch.no_grad, "__enter__"),
        (torch.inference_mode, "__enter__"),
        (torch.set_grad_enabled, "__init__"),
        (torch.Tensor, "detach"),
        (torch.Tensor, "clone"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))


@pytest.mark.parametrize("is_frozen", [False, True], ids=["trained", "frozen"])
@pytest.mark.parametrize("how", STOPS)
def test_the_line_is_told(how, is_frozen, torch_as_it_was, monkeypatch):
    monkeypatch.setattr("plateau_cause.capture.child.places.is_users", lambda file: file == __file__)
    hooks, calling = Hooks(), SimpleNamespace(depth=0, beforehand=None)
    stopping = Stopping(hooks, calling)
    stopping.install(torch)
    hooks.paused = False
    net, x = Net(STOPS[how]), torch.ones(1, 4)
    net.body.requires_grad_(not is_frozen)
    with torch.no_grad():  # an evaluation: nothing to stop
        calling.depth = 1
        net.body(x)
    calling.depth = 1
    net(x)
    calling.depth = 0
    place = stopping.taken([x])
    assert place is not None and place.file == __file__ and stopping.taken([x]) is None


@pytest.mark.parametrize("is_frozen", [False, True], ids=["trained", "frozen"])
def test_the_line_between_two_models_is_told(is_frozen, torch_as_it_was, monkeypatch):
    monkeypatch.setattr("plateau_cause.capture.child.places.is_users", lambda file: file == __file__)
    hooks, calling = Hooks(), SimpleNamespace(depth=0, beforehand=None)
    stopping = Stopping(hooks, calling)
    stopping.install(torch)
    hooks.paused = False
    body, images = nn.Conv2d(3, 8, 1).requires_grad_(not is_frozen), torch.ones(1, 3, 2, 2)
    features = body(images.detach())  # what goes into the first model is no place where anything stops
    assert stopping.taken([images]) is None
    kept = body(images).detach()  # for a curve, say
    for feed in (lambda: features.detach(), lambda: features.detach().clone()):
        place = stopping.taken([feed()])
        assert place is not None and place.file == __file__
    assert stopping.taken([kept]) is None


@pytest.mark.parametrize("how", STOPS)
@pytest.mark.parametrize("name", ["let_flow", "let_flow_and_hold", "let_flow_and_unfreeze"])
def test_gradients_are_let_through_in_training_only(how, name, torch_as_it_was):
    change = made(name, {"parts": 1})
    hooks = SimpleNamespace(paused=False)
    stepping = SimpleNamespace(held=[], grad_scaler=None)
    doors = SimpleNamespace(hooks=hooks, stepping=stepping)
    change.changes = SimpleNamespace(doors=doors, interventions=[change], is_in_training=True, call=object())
    change.install(torch)
    net, x = Net(STOPS[how]), torch.ones(1, 4)
    net.body.requires_grad_(name != "let_flow_and_unfreeze")
    optimizer = torch.optim.SGD(net.head.parameters(), 0.1)
    stepping.held.append(SimpleNamespace(optimizer=optimizer))
    before = net.body.weight.detach().clone()
    for is_training in (True, False):
        change.changes.is_in_training = is_training
        change.fetched()
        change.given(SimpleNamespace(is_training=is_training, module=net))
        optimizer.zero_grad()
        net.body.weight.grad = None
        net(x).sum().backward()
        change.backward()
        assert (net.body.weight.grad is not None) is is_training
        if is_training:
            change.before_step(optimizer)
            optimizer.step()
            change.after_step(optimizer)
    moved = bool((net.body.weight.detach() != before).any())
    assert moved is (name != "let_flow")
    assert change.times > 0
