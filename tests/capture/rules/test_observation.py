"""What a peek tells every rule."""

import pytest

from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}


@pytest.mark.parametrize(("role", "loop", "counts"), [("unread", None, True), ("unread", PLACE, False),
                                                      ("evaluation", PLACE, True)])  # fmt: skip
def test_what_was_read_for_no_model_is_no_evaluation(role, loop, counts):
    one = {"role": role, "loop": loop}
    assert Peeked({"loaders": [{"role": "train"}, one]}, None).other_loaders == [one] * counts
