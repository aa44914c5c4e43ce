"""Numbers read as a person would say them."""

import pytest

from plateau_cause import numbers


@pytest.mark.parametrize(
    ("value", "text"), [(0.694, "69.4%"), (1.0, "100%"), (0.98, "98%"), (0.0, "0%"), (None, "—")]
)
def test_percent(value, text) -> None:
    assert numbers.percent(value) == text


@pytest.mark.parametrize(
    ("change", "ci", "text"),
    [
        (0.22, (0.19, 0.25), "+22 points [19, 25]"),
        (0.032, (0.012, 0.052), "+3.2 points [1.2, 5.2]"),
        (-0.006, (-0.021, 0.009), "−0.6 points [−2.1, 0.9]"),
        (-0.0001, None, "0.0 points"),
        (0.0996, (0.05, 0.149), "+10 points [5, 15]"),
        (None, None, "—"),
    ],
)
def test_points_with_interval(change, ci, text) -> None:
    assert numbers.points_with_interval(change, ci) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4912, "0.49"), (-1.5, "-1.50"), (0.0, "0.00"), (0.00234, "0.0023"), (0.0951, "0.10")],
)
def test_short(value, text) -> None:
    assert numbers.short(value) == text


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [(12.34, "12.3 s"), (14.0, "14 s"), (250, "4 min 10 s"), (7260, "2 h 1 min"), (None, "—")],
)
def test_seconds(duration_s, text) -> None:
    assert numbers.seconds(duration_s) == text


def test_no_probability_is_certain() -> None:
    said = [numbers.probability(stated) for stated in (0.0, 0.004, 0.5, 0.97, 0.995, 1.0)]
    assert said == ["< 1%", "< 1%", "50%", "97%", "> 99%", "> 99%"]


def test_shares_are_rounded_down() -> None:
    assert [numbers.share(part) for part in (0.3664, 0.58, 0.999, 1.0, 0.004)] == [
        "36%",
        "58%",
        "99%",
        "100%",
        "< 1%",
    ]
