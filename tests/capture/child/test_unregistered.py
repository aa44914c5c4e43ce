"""Modules that torch does not find: in lists and dicts; only those that train are told."""

import pytest
import torch
from torch import nn

from plateau_cause.capture.child import unregistered as module
from plateau_cause.capture.child.unregistered import kept_at, unregistered


class Branches(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.branches = kind([nn.Linear(3, 2), nn.Linear(3, 2)])
        self.teacher = [nn.Linear(3, 2)]
        self.fusion = nn.Linear(4, 2)

    def forward(self, x):
        with torch.no_grad():
            self.teacher[0](x)
        parts = self.branches.values() if isinstance(self.branches, dict) else self.branches
        return self.fusion(torch.cat([one(x) for one in parts], dim=1))


@pytest.mark.parametrize(
    ("kind", "names"),
    [(list, ["branches[0]", "branches[1]"]), (tuple, ["branches[0]", "branches[1]"]), (nn.ModuleList, []),
     (lambda found: dict(zip("ab", found, strict=True)), ["branches['a']", "branches['b']"])],
)  # fmt: skip
def test_those_that_train_are_told(kind, names):
    model = Branches(kind)
    assert unregistered(model) == {}  # before any gradient
    model(torch.ones(1, 3)).sum().backward()
    assert list(unregistered(model)) == names
    assert list(unregistered(nn.Sequential(model))) == [f"0.{name}" for name in names]


def test_the_line_that_keeps_them(monkeypatch):
    monkeypatch.setattr(module, "is_users", lambda file: file == __file__)
    model = Branches(list)
    model(torch.ones(1, 3)).sum().backward()
    place = kept_at(model)
    with open(__file__) as own:
        assert "self.branches = kind" in own.readlines()[place.line - 1]
    assert kept_at(Branches(list)) is None


def test_classes_of_modules_are_no_modules():
    model = Branches(list)
    model.kinds, model.norms = [nn.Conv2d, nn.Linear], {"bn": nn.BatchNorm2d}
    model(torch.ones(1, 3)).sum().backward()
    assert len(unregistered(model)) == 2
