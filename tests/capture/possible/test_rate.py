"""The rate that a repair asks for: its value, and the option that gives it."""

import pytest

from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.possible.rate import with_rate_place
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}


def repair(folder, times, arguments=(), by_hand=(), **group):
    optimizer = {"groups": [{"lr": 0.5, **group}], "place": PLACE,
                 "rates_by_hand": [{"place": PLACE, "rate": rate} for rate in by_hand]}  # fmt: skip
    content = {"optimizers": [optimizer], "script": {"arguments": list(arguments)}}
    one = Possible(
        "rate", "learning_rate_high", "the rate of 0.5", "", PLACE, None, {"times": times}, 0.5, True
    )
    return with_rate_place(one, Peeked(content, folder)).repair


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), ""),
        (("--lr", "0.5"), ": --lr 0.005"),
        (("--epochs", "3", "--learning_rate=5e-1"), ": --learning_rate 0.005"),
        (("--lr", "0.1", "--drop-rate", "0.5"), ""),
        (("--optimizer.max_lr", "0.5"), ": --optimizer.max_lr 0.005"),
        (("-lr", "5e-1"), ": -lr 0.005"),
        (("data", "--lr"), ""),
    ],
)
def test_a_rate_is_lowered_to_its_value_and_by_its_option(arguments, said, tmp_path):
    assert repair(tmp_path, 0.01, arguments) == f"Lower the learning rate to 0.005{said}"


def test_the_rate_that_a_schedule_rises_to_counts(tmp_path):
    assert repair(tmp_path, 0.1, initial_lr=2.0) == "Lower the learning rate to 0.2"


def test_a_rate_written_by_hand_is_the_one_at_work(tmp_path):
    assert repair(tmp_path, 0.01, by_hand=[5.0]) == "Lower the learning rate to 0.05"


def test_a_rate_that_no_recipe_has_is_not_asked_for(tmp_path):
    assert repair(tmp_path, 1.5) == "Raise the learning rate to 0.75"
    assert repair(tmp_path, 100.0).startswith("Find what shrinks")
