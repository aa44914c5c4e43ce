"""Two sides with planted differences: exactly these are found, and the interval is the paired one."""

import numpy as np
import pandas as pd
import pytest

from plateau_cause.commands import comparison
from plateau_cause.lab.effect import effect


def side(settings=(), hits=None, ids=None, labels=None, name="side", pixels=None):
    table = None
    if hits is not None:
        ids = ids or [f"{i}.png" for i in range(len(hits))]
        table = pd.DataFrame({"image_id": ids, "label": labels or ["a"] * len(hits), "correct": hits})
        table = table if pixels is None else table.assign(sha256=pixels)
    return comparison.Side(name, "planted", dict(settings), {}, table)


def test_only_what_differs_is_listed_and_what_one_lacks_is_none():
    first = side({"recipe.trainable": "head", "batch": "64", "old": "1"})
    second = side({"recipe.trainable": "all", "batch": "64", "new": "2"})
    found = comparison.differing(first, second)
    assert found == {"recipe.trainable": ("head", "all"), "old": ("1", None), "new": (None, "2")}


def test_the_change_is_paired_image_by_image_whatever_their_order():
    first = side(hits=[True, False, False, True], ids=["a", "b", "c", "d"])
    second = side(hits=[True, True, False, True], ids=["d", "c", "b", "a"])
    change = comparison.paired(first, second)
    assert change.images == 4
    assert change.effect == effect([(np.array([1, 0, 0, 1], bool), np.array([1, 0, 1, 1], bool))])
    assert change.effect.mean == pytest.approx(0.25)


def test_only_images_that_both_know_under_one_label_count():
    first = side(hits=[True, True, False], ids=["a", "b", "c"], labels=["x", "x", "y"])
    second = side(hits=[False, True, True], ids=["a", "b", "d"], labels=["x", "other", "y"])
    assert comparison.paired(first, second).images == 1


@pytest.mark.parametrize(
    ("ids", "labels", "pixels", "expected", "said"),
    [
        ("abcd", "xxyy", "1234", (0, 0, 0, 0), ""),
        ("dcba", "yyxx", "4321", (0, 0, 0, 0), ""),
        ("abce", "xxyy", "1235", (1, 1, 0, 0), "1 only in 1, 1 only in 2"),
        ("abc", "xxy", "123", (1, 0, 0, 0), "1 only in 1"),
        ("abcdef", "xxyyxx", "123456", (0, 2, 0, 0), "2 only in 2"),
        ("abcd", "xxxx", "1234", (0, 0, 2, 0), "2 under another label"),
        ("abcd", "xxyy", "1934", (0, 0, 0, 1), "1 with other pixels"),
        ("abcd", "xxyy", None, (0, 0, 0, 0), ""),  # recorded before pixels were
    ],
)
def test_test_images_that_differ_are_counted(ids, labels, pixels, expected, said):
    first = side(hits=[True] * 4, ids=list("abcd"), labels=list("xxyy"), pixels=list("1234"))
    second = side(hits=[False] * len(ids), ids=list(ids), labels=list(labels), pixels=pixels and list(pixels))
    change = comparison.paired(first, second)
    assert tuple(change.unlike) == expected
    assert str(change.unlike) == said


def test_why_there_is_no_interval():
    known, unknown = side(hits=[True], ids=["a"]), side(name="old")
    assert comparison.paired(known, unknown) == "no predictions of old at hand"
    assert comparison.paired(unknown, unknown) == "no predictions of old and old at hand"
    assert comparison.paired(known, side(hits=[True], ids=["b"])) == "no test image in common"
