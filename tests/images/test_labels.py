"""Class names that look like one are said; names that only resemble each other are not."""

import pytest

from plateau_cause.images.labels import doubts


@pytest.mark.parametrize(
    "names", [("A", "a"), ("1", "1.0"), ("cat", " cat"), ("cat", "cat "), ("007", "7"), ("a  b", "a b")]
)
def test_names_that_look_like_one(names):
    (line,) = doubts([*names, *names, "other"])
    first, second = sorted(names)
    assert line == f"data: {first!r} and {second!r} are separate classes; were they meant as one?"


@pytest.mark.parametrize(
    "names",
    [("a", "b"), ("1", "2"), ("1", "10"), ("cat", "cats"), ("1a", "1b"), ("nan", "inf")],
)
def test_other_names(names):
    assert doubts(names) == []


def test_many_are_summed_up():
    lines = doubts([name for letter in "abcde" for name in (letter, letter.upper())], "reference_data")
    assert len(lines) == 4
    assert lines[-1] == "reference_data: 2 more groups of classes look like one each"
