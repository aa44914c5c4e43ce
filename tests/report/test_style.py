"""Labels without formulas, and names that fit and stay apart."""

import pytest

from plateau_cause.report import style


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.01, "0.01"), (0.001, "0.001"), (1e-4, "10⁻⁴"), (2e-5, "2·10⁻⁵"), (1e6, "10⁶")],
)
def test_powers(value, text):
    assert style.power(value) == text


def test_short_names_stay():
    assert style.shorten_all(["cat", "dog"], 5) == ["cat", "dog"]


def test_names_that_would_look_alike_lose_their_middle():
    names = ["species number 1", "species number 2", "a very long other name", "cat"]
    short = style.shorten_all(names, 9)
    assert short == ["spec…er 1", "spec…er 2", "a very l…", "cat"]
    assert max(map(len, short)) == 9


def test_a_logarithmic_axis_has_no_formulas():
    figure = style.figure(2.0)
    axes = figure.subplots()
    axes.plot([1, 2], [1e-6, 1.0])
    style.log_scale(axes)
    figure.canvas.draw()
    assert all("$" not in label.get_text() for label in axes.get_yticklabels())
