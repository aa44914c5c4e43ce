import pytest

from benchmarks.speed import commands, files
from benchmarks.speed.measure import Measured, in_turn


@pytest.mark.parametrize(
    ("ratios", "at_most", "met"),
    [((0.5, 0.95, 2.0), False, True), ((0.5, 0.85, 2.0), False, False), ((0.85, 0.8, 2.0), True, True)],
)
def test_the_median_decides(ratios, at_most, met):
    found = Measured("embedding", "bare", ratios, 0.9, at_most)
    assert found.is_met is met
    sign, verdict = "≤" if at_most else "≥", "met" if met else "**not met**"
    assert found.line().endswith(f"0.{'5' if not at_most else '8'}0 to 2.00 | {sign} 0.9 | {verdict} |")


def test_sides_are_timed_in_turn():
    called = []
    sides = [lambda name=name: (called.append(name), float(len(called)))[1] for name in "ab"]
    assert in_turn(sides, 2) == [(1.0, 2.0), (4.0, 3.0)]
    assert called == ["a", "b", "b", "a"]


def test_an_epoch_is_told_apart_from_the_first():
    assert files._both(lambda: [10.0, 15.0, 18.0, 20.0])() == (5.0, 2.0)


def test_what_has_not_run_is_not_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "_s", lambda *command: 0.1)
    (only,) = commands.measures(2)
    assert only.ratios == pytest.approx((1 / 3, 1 / 3)) and only.is_met
    assert "not measured" in capsys.readouterr().err
