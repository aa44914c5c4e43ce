"""What has no accuracy is told before a run is spent on it: numbers, several labels at a time."""

import pytest
import torch

from plateau_cause.capture.child.doors.losing import kind_of
from plateau_cause.capture.untrained import not_classes

PLACE = {"file": "train.py", "line": 3}


@pytest.mark.parametrize(("target", "kind"), [
    (torch.tensor([1, 0, 4]), "classes"),
    (torch.tensor([[1.0], [0.0]]), "classes"),
    (torch.tensor([0.1, 0.9]), "classes"),  # smoothed
    (torch.tensor([[0.0, 1.0], [0.3, 0.7]]), "shares"),
    (torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), "several labels"),
    (torch.tensor([[17.0], [42.0]]), "numbers"),
    (torch.tensor([-1.0, 1.0]), "numbers"),
])  # fmt: skip
def test_what_a_loss_compares_with(target, kind):
    assert kind_of(target) == kind


def loss(function, kind, *others):
    also = [{"function": one, "place": PLACE} for one in others]
    return {
        "function": function,
        "computes": function,
        "place": PLACE,
        "target": {"kind": kind},
        "with": also,
    }


@pytest.mark.parametrize(("given", "words"), [
    (loss("mse_loss", "numbers"), "regression has no accuracy"),
    (loss("binary_cross_entropy_with_logits", "several labels"), "several labels for an image"),
])  # fmt: skip
def test_the_line_says_why(given, words):
    found = not_classes(given)
    assert words in found and "train.py:3" in found


@pytest.mark.parametrize("given", [
    None,
    loss("cross_entropy", "classes"),
    loss("mse_loss", "shares"),  # of one-hot rows
    loss("mse_loss", "numbers", "cross_entropy"),  # a second head
    loss("triplet_margin_loss", "numbers"),  # whatever that is
    {**loss("kl_div", "shares"), "target": None},
])  # fmt: skip
def test_a_classification_is_none_of_them(given):
    assert not_classes(given) is None
