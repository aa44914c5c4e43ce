"""How far what a script trains has moved: one network, several, and parts that are called by themselves."""

import torch
from torch import nn

from plateau_cause.capture.child.movement import Movement


def moved_by_one(*modules):
    """Returns the layers of modules and whether each has moved, after 1 was added to all that trains."""
    movement = Movement()
    for number, module in enumerate(modules):
        movement.begin(module)
        movement.names[id(module)] = f"part{number}"
    with torch.no_grad():
        for module in modules:
            for one in module.parameters():
                one += float(one.requires_grad)
    return {layer: bool(told["change"]) for layer, told in movement.so_far().items()}


def test_nothing_has_begun_before_a_call():
    movement = Movement()
    assert not movement.has_begun and movement.so_far() == {}


def test_layers_of_one_network_have_their_own_names():
    assert moved_by_one(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))) == {"0": True, "1": True}
    assert moved_by_one(nn.Linear(2, 2)) == {"": True}


def test_a_head_beside_a_frozen_body_is_seen_to_move():
    body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).requires_grad_(False)
    assert moved_by_one(body, nn.Linear(4, 2)) == {"part0.0": False, "part0.1": False, "part1": True}


def test_a_part_that_is_called_by_itself_is_told_once():
    whole = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    expected = {"0", "1"}
    for order in ((whole[0], whole), (whole, whole[1]), (whole, whole)):
        assert set(moved_by_one(*order)) == expected
