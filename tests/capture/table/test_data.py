"""What reaches the model, where it is other than what a loader reads."""

import pytest

from plateau_cause.capture.table.data import _behind

PLACE = {"file": "train.py", "line": 9}


def told(read, given, dtype="float32", role="train"):
    image = {"tensor": {"dtype": dtype, "least": read[0], "most": read[1]}}
    call = {"input": {"shape": [8, 3, 4, 4], "least": given[0], "most": given[1]}, "place": PLACE}
    return _behind({"role": role, "image": image}, {"training": call, "evaluation": call})


@pytest.mark.parametrize("role", ["train", "evaluation"])
@pytest.mark.parametrize(
    ("read", "given", "dtype"),
    [((0, 1), (-2.1, 2.6), "float32"), ((0, 1), (0, 255), "float32"), ((0, 255), (0, 255), "uint8")],
)
def test_a_loop_that_scales_has_a_row(read, given, dtype, role):
    what, value, where = told(read, given, dtype, role)[0]
    assert what.strip() == "to the model" and value.startswith("3×4×4, values") and where == "train.py:9"


@pytest.mark.parametrize("given", [(0.0, 1.0), (0.1, 0.85)])
def test_what_is_read_needs_none(given):
    assert told((0.0, 1.0), given) == []
    assert told((0.0, 1.0), (-2, 2), role="unread") == []
