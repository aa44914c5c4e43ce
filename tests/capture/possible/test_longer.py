"""A longer training, and one to the end that EarlyStopping cut off."""

from pathlib import Path

import pytest

from plateau_cause.capture.possible.longer import to_the_end
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 9}


@pytest.mark.parametrize(
    ("callback", "trained", "room", "epochs"),
    [("EarlyStopping", 3, 20.0, 30), ("EarlyStopping", 3, 4.0, 12), ("EarlyStopping", 30, 4.0, None),
     ("EarlyStopping", 3, 1.2, None), ("CSVLogger", 3, 20.0, None)],
)  # fmt: skip
def test_a_training_to_its_end(callback, trained, room, epochs):
    content = {"epochs": {"count": 30, "place": PLACE},
               "keras": {"callbacks": [{"class": callback, "place": PLACE}]}}  # fmt: skip
    found = to_the_end(Peeked(content, Path()), trained, room)
    assert (found and found.settings) == (epochs and {"epochs": epochs})
    if found:
        assert f"{trained} of 30 epochs (train.py:9)" in found.words and found.cost == epochs / trained


def test_no_other_script_is_ended_by_a_callback_of_keras():
    assert to_the_end(Peeked({"epochs": None}, Path()), 3, 9.0) is None
