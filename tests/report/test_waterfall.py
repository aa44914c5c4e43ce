"""The waterfall adds up: from chance to 1.0, each bar where the last one ended."""

from itertools import pairwise

import pytest

from plateau_cause.report.html import place
from plateau_cause.report.waterfall import TOTALS, plot, steps


def test_is_one_staircase_from_chance_to_one(content) -> None:
    bars = steps(content.summary)
    assert (bars[0].kind, bars[1].kind) == ("chance", "recipe")
    assert bars[1].end == content.summary["plateau"]["test_accuracy"]
    for before, after in pairwise(bars):
        assert (after.end if after.kind in TOTALS else after.start) == pytest.approx(before.end)
    assert bars[-1].end == pytest.approx(1.0)


def test_several_causes_then_the_rest_then_what_was_verified(load) -> None:
    bars = steps(load("plateau"))
    assert [bar.kind for bar in bars] == [
        "chance", "recipe", "fix", "fix", "fix", "rest", "reached", "extrapolated", "open", "ceiling",
    ]  # fmt: skip
    assert [bar.value for bar in bars[1:4]] == ["69.4%", "+22 points [19, 25]", "+5.1 points [2.8, 7.4]"]
    assert bars[5].end - bars[5].start == pytest.approx(0.981 - (0.694 + 0.218 + 0.051 + 0.032))
    assert bars[6].ci == pytest.approx((0.694 + 0.239, 0.694 + 0.335))
    assert bars[8].value == "0.8 points"  # nobody gains what nobody can explain


def test_a_data_cause_that_the_verified_run_lacks_stands_behind_it(load) -> None:
    bars = steps(load("data_cause"))
    assert [bar.kind for bar in bars] == ["chance", "recipe", "rest", "reached", "fix", "open", "ceiling"]
    assert bars[4].end == pytest.approx(0.779 + 0.131)


def test_a_data_cause_that_the_verified_run_includes_stands_before_it(load) -> None:
    summary = load("data_cause")
    summary["verified"] = {"before": 0.771, "after": 0.9, "effect": 0.129, "ci": [0.09, 0.17]}
    assert [bar.kind for bar in steps(summary)][:4] == ["chance", "recipe", "fix", "rest"]


def test_limited_data_is_extrapolated_with_its_interval(load) -> None:
    summary = load("data_cause")
    summary["causes"] = [
        {**summary["causes"][0], "cause": "limited_data", "effect": 0.05, "ci": [0.02, 0.08]}
    ]
    bar = next(bar for bar in steps(summary) if bar.kind == "extrapolated")
    assert (bar.start, bar.end, bar.value) == (0.779, pytest.approx(0.829), "+5.0 points [2.0, 8.0]")


def test_without_a_reference_nothing_is_claimed_as_reachable(load) -> None:
    assert [bar.kind for bar in steps(load("no_reference"))] == ["chance", "recipe", "open"]


def test_without_a_verifying_run_the_reference_is_what_was_reached(load) -> None:
    summary = load("plateau") | {"verified": None}
    bar = next(bar for bar in steps(summary) if bar.kind == "reached")
    assert (bar.label, bar.end, bar.ci) == ("Reference recipe", 0.978, None)


def test_overlapping_effects_past_one_still_fit_the_page_and_the_picture(load) -> None:
    summary = load("plateau")
    summary["causes"][1]["effect"] = 0.3
    placed = place(steps(summary))
    assert max(bar.left + bar.width for bar in placed) == pytest.approx(100)
    axes = plot(steps(summary)).axes[0]
    assert axes.get_xlim()[1] == pytest.approx(0.694 + 0.218 + 0.3 + 0.032)


def test_a_loss_is_drawn_leftwards(load) -> None:
    summary = load("healthy")
    summary["verified"]["after"] = 0.95
    bar = next(bar for bar in place(steps(summary)) if bar.step.kind == "rest")
    assert (bar.left, bar.width, bar.end) == (pytest.approx(95), pytest.approx(2.8), pytest.approx(95))


def test_a_repair_that_is_a_sentence_leaves_room_for_the_picture(load) -> None:
    summary = load("plateau")
    summary["causes"][0]["repair"] = (
        "Set its `mode` to the direction of its metric: max for an accuracy, min for a loss"
    )
    figure = plot(steps(summary))
    figure.draw_without_rendering()
    assert figure.axes[0].get_position().width > 0.8


def test_the_one_change_of_a_script_gained_what_its_run_did(load) -> None:
    summary = load("plateau") | {"subject": "script", "undecided": [], "harmless": [], "better_as_is": []}
    summary["causes"] = summary["causes"][:1]
    bars = {bar.kind: bar for bar in steps(summary)}
    assert "rest" not in bars and bars["fix"].end == pytest.approx(summary["verified"]["after"])
    other = steps(summary | {"besides": ["rate"]})
    assert "rest" in [bar.kind for bar in other]
