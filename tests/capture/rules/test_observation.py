"""What a peek tells every rule."""

import pytest

from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}


@pytest.mark.parametrize(("role", "loop", "counts"), [("unread", None, True), ("unread", PLACE, False),
                                                      ("evaluation", PLACE, True)])  # fmt: skip
def test_what_was_read_for_no_model_is_no_evaluation(role, loop, counts):
    one = {"role": role, "loop": loop}
    assert Peeked({"loaders": [{"role": "train"}, one]}, None).other_loaders == [one] * counts


@pytest.mark.parametrize(
    ("role", "name", "counts"),
    [("unread", "test_loader", True), ("unread", "labeled_trainloader", False), ("unused", "ssl", False),
     ("evaluation", "train_eval", True), ("unread", None, True)],
)  # fmt: skip
def test_a_loader_for_training_that_is_not_read_is_no_evaluation(role, name, counts):
    one = {"role": role, "name": name}
    assert Peeked({"loaders": [one]}, None).other_loaders == [one] * counts


@pytest.mark.parametrize(
    ("optimizer", "decay", "pulled"),
    [
        ("Adam", 1.0, 0.004),
        ("Adam", 1e-2, 0.0),
        ("RMSprop", 0.5, 0.004),
        ("AdamW", 1.0, 2e-4),
        ("AdamW", 0.1, 0.0),
        ("Muon", 0.1, 0.0),
        ("AdamW8bit", 0.1, 0.0),
    ],
)
def test_what_decay_takes_in_a_step(optimizer, decay, pulled):
    """Adam's own steps lead to zero where decay is more of what it is given than the gradient."""
    held = {"class": f"optim.{optimizer}", "groups": [{"lr": 2e-4, "weight_decay": decay}]}
    peeked = Peeked({"optimizers": [held], "model": {"change_per_step": 0.004}, "loaders": []}, None)
    assert peeked.decay_per_step == pytest.approx(pulled)
