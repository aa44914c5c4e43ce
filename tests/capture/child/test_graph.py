"""What backward goes through, from the tensor that it is called on."""

import torch

from plateau_cause.capture.child.describe.graph import reaches


def test_a_part_of_a_sum_is_reached_and_what_is_computed_beside_is_not():
    weight = torch.ones(3, requires_grad=True)
    first, second, beside = (weight * 2).sum(), (weight**2).mean(), weight.exp().sum()
    root = (first + 0.5 * second) * 1024.0
    assert reaches(root.grad_fn, first.grad_fn) and reaches(root.grad_fn, second.grad_fn)
    assert not reaches(root.grad_fn, beside.grad_fn)


def test_a_deep_network_is_not_searched_to_its_end(monkeypatch):
    monkeypatch.setattr("plateau_cause.capture.child.describe.graph.MOST", 10)
    value = first = torch.ones(1, requires_grad=True) * 2
    for _ in range(50):
        value = value + 1
    assert not reaches(value.grad_fn, first.grad_fn)
