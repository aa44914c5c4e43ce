"""Twins: networks of the same layers beside the one that was loaded."""

from torch import nn

from plateau_cause.capture.child.twins import twin


def network(classes=3):
    """Returns a small network."""
    body = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3)]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(4, classes))


def test_a_twin_is_found_within_a_model_but_for_its_head():
    loaded, own = network(classes=1000), network()
    module, tensors = twin(loaded, nn.ModuleDict({"body": own}), set())
    assert module is own and "1.running_mean" in tensors and "4.weight" not in tensors
    assert tensors["0.weight"] is own[0].weight


def test_what_was_loaded_itself_is_no_twin():
    own = network()
    assert twin(network(), own, {id(one) for one in own.parameters()}) is None
    assert twin(network(), nn.Linear(4, 3), set()) is None
