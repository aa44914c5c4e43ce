"""How much of its first weights an average still holds at the end: none, some, all of them."""

import copy
import types

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from plateau_cause.capture.child.describe import averaging
from plateau_cause.capture.child.describe.averaging import left_at_end, left_of_torchs


def after(decay, steps=4):
    """Returns an average, its model and the model's first weights after a straight path of training."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    average, way = copy.deepcopy(model), [torch.randn_like(one) for one in model.parameters()]
    with torch.no_grad():
        for _ in range(steps):
            for own, moved in zip(model.parameters(), way, strict=True):
                own += 0.01 * moved
            for own, other in zip(average.parameters(), model.parameters(), strict=True):
                own.lerp_(other, 1 - decay)
    return average, model, before


@pytest.mark.parametrize("decay", [0.9, 0.99, 0.9999])
def test_it_is_what_the_decay_leaves(decay):
    found = left_at_end(*after(decay), steps=4, length=100)
    assert found == pytest.approx(decay**100, abs=0.02)


def test_an_average_that_is_never_updated_keeps_everything():
    assert left_at_end(*after(1.0), steps=4, length=100) == 1.0


def test_a_model_that_does_not_move_tells_nothing():
    average, model, _ = after(0.9)
    assert left_at_end(average, model, model.state_dict(), steps=4, length=100) is None
    assert left_at_end(torch.nn.Linear(4, 3, bias=False), *after(0.9)[1:], steps=0, length=100) is None


def test_a_model_of_its_kind_that_began_elsewhere_is_no_average():
    """A teacher, or a frozen baseline of another pretraining."""
    _, model, before = after(0.9)
    assert left_at_end(torch.nn.Linear(4, 3), model, before, steps=4, length=100) is None


@pytest.mark.parametrize(
    ("code", "may_be"),
    [("ema.update(model)", True), ("swa.update_parameters(self.model)", True),
     ("update_ema(copy, model, 0.99)", True), ("ema = ModelEMA(model)", False), ("ema.update()", False),
     ("for p, q in zip(ema.parameters(), net.parameters()):\n    p.lerp_(q, 0.1)", True),
     ("meter.update(loss.item(), n)\nvalidate(ema.ema, model)", False)],
)  # fmt: skip
def test_an_update_that_is_yet_to_come_is_found_in_the_code(code, may_be, tmp_path, monkeypatch):
    (tmp_path / "train.py").write_text(f"{code}\n")
    module = types.SimpleNamespace(__file__=str(tmp_path / "train.py"))
    monkeypatch.setattr(averaging.sys, "modules", {"__main__": module})
    monkeypatch.setattr(averaging, "is_users", lambda file: True)
    assert averaging.may_be_updated(["self.model"]) is may_be
    assert averaging.never_updated([]) == []


@pytest.mark.parametrize(
    ("given", "left"),
    [({"multi_avg_fn": get_ema_multi_avg_fn(0.999)}, 0.999**99),
     ({"multi_avg_fn": get_ema_multi_avg_fn(0.5)}, 0),
     ({"avg_fn": lambda old, new, count: 0.99 * old + 0.01 * new}, 0.99**99), ({}, None),
     ({"avg_fn": lambda old, new, count: old + (new - old) * 9 / (10 + count)}, 0)],  # a decay that warms up
)  # fmt: skip
def test_torchs_own_average_is_asked_how_much_it_takes(given, left):
    model = torch.nn.Linear(4, 3)
    averaged = AveragedModel(model, **given)
    assert left_of_torchs(averaged, steps=2, length=100) is None  # it may begin later
    for _ in range(2):
        averaged.update_parameters(model)
    found = left_of_torchs(averaged, steps=2, length=100)
    assert found is left if left is None else found == pytest.approx(left, abs=0.01)
    assert left_of_torchs(model, steps=2, length=100) is None
