"""Rules for the weights of Keras scripts, by hand."""

import pytest

from plateau_cause.capture.rules.keras_weights import loaded_late, penalized
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}


@pytest.mark.parametrize("is_late", [True, False])
def test_weights_over_what_was_trained(is_late):
    loaded = {"given": "imagenet.h5", "place": PLACE, "is_late": is_late}
    found = loaded_late(Peeked({"model": {"weights": [loaded]}}, None))
    assert (found is not None and "imagenet.h5 after training" in found.words) is is_late


@pytest.mark.parametrize(
    ("penalty", "said"),
    [(None, None), ({"l1": 0.006, "l2": 0.016}, None), ({"l1": 0.0, "l2": 0.5}, "l2 of 0.5"),
     ({"l1": 0.1, "l2": 0.01}, "l1 of 0.1 and l2 of 0.01")],
)  # fmt: skip
def test_a_penalty_beyond_what_recipes_have(penalty, said):
    found = penalized(Peeked({"model": {"penalty": penalty and {**penalty, "place": PLACE}}}, None))
    assert (found is None) == (said is None) and (said is None or said in found.words)
