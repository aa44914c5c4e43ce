"""Curves side by side, gradients by depth, and accuracy over images: what is drawn is what was measured."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from plateau_cause.report import style
from plateau_cause.report.plots_training import few_epochs, fit, gradient_flow, learning_curve, listed

from .conftest import make_signals


@pytest.fixture
def content(make):
    return make("plateau")


def drawn(axes, content):
    epochs = content.curves["epoch"].nunique()
    return [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == epochs]


def test_recipe_and_fix_side_by_side(content):
    top_left, top_right, below_left, below_right = fit(content).axes
    assert [top_left.get_title(), top_right.get_title()] == ["your recipe", "recommended"]
    for column, arm in (((top_left, below_left), "recipe"), ((top_right, below_right), content.fix)):
        table = content.curves[content.curves["arm"] == arm]
        for axes, quantity in zip(column, ("accuracy", "loss"), strict=True):
            train, val = drawn(axes, content)
            np.testing.assert_allclose(train, table[f"train_{quantity}"])
            np.testing.assert_allclose(val, table[f"val_{quantity}"])
    assert top_left.get_ylim() == top_right.get_ylim() == (0, 1.02)


def test_without_a_fix_the_recipe_alone(content):
    assert len(fit(replace(content, fix="recipe")).axes) == 2


def test_losses_over_decades_get_a_logarithmic_axis(content):
    assert fit(content).axes[2].get_yscale() == "linear"
    wide = content.curves.assign(train_loss=10.0 ** -content.curves["epoch"])
    axes = fit(replace(content, curves=wide)).axes[2]
    assert axes.get_yscale() == "log"
    assert all("$" not in label.get_text() for label in axes.get_yticklabels())


def test_a_diverged_run_of_one_epoch_draws_without_a_warning(content):
    curves = content.curves[content.curves["epoch"] == 1]
    curves = curves.assign(train_loss=np.nan, val_loss=np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        style.to_png(fit(replace(content, curves=curves)))


def test_gradients_by_depth_a_line_per_epoch(content):
    figure = gradient_flow(content)
    recipe, reference = figure.axes[:2]
    table = content.signals["reference"]
    lines = [line for line in reference.lines if len(line.get_xdata()) == 8]
    epochs = few_epochs(table["epoch"].unique())
    assert len(lines) == len(epochs) == 4
    for line, epoch in zip(lines, epochs, strict=True):
        np.testing.assert_allclose(line.get_ydata(), table.loc[table["epoch"] == epoch, "gradient_norm"])
    assert [line.get_alpha() for line in lines] == sorted(line.get_alpha() for line in lines)
    assert [label.get_text() for label in figure.axes[2].get_xticklabels()] == ["stem", "block3", "head"]
    assert [text.get_text() for text in recipe.texts] == ["frozen"]
    assert len(recipe.patches) == 7


def test_parameters_that_the_optimiser_does_not_hold_show(content):
    table = make_signals(3, frozen=0).assign(update_ratio=0.0)
    figure = gradient_flow(replace(content, signals={"recipe": table}))
    norm, ratio = figure.axes
    assert not norm.texts
    assert [text.get_text() for text in ratio.texts] == ["not updated"]


def test_an_arm_that_never_trained_has_no_column(content):
    signals = {"recipe": make_signals(0, 0), "reference": content.signals["reference"]}
    assert len(gradient_flow(replace(content, signals=signals)).axes) == 2
    still = {"recipe": make_signals(2, frozen=8)}
    assert not listed(replace(content, signals=still))[1].is_shown
    assert not listed(replace(content, signals={}))[1].is_shown


def test_blocks_of_a_users_model_are_named_as_they_fit(content):
    table = make_signals(1, 0).replace({"block": {"stem": "</script>.layer", "head": "model." + "x" * 40}})
    svg = style.to_svg(gradient_flow(replace(content, signals={"recipe": table})))
    assert "</script>" not in svg and "x" * 9 not in svg


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [1]), (2, [1, 2]), (5, [1, 2, 3, 4]), (40, [1, 3, 11, 36])]
)
def test_few_epochs(count, expected):
    assert few_epochs(np.arange(1, count + 1)) == expected


def test_the_best_recipe_on_half_and_all_of_the_images(content):
    axes = learning_curve(content).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["best recipe, measured"].get_xydata().tolist() == [[540, 0.8], [1077, 0.9]]
    assert lines["best recipe, extrapolated"].get_xydata().tolist() == [[2154, 0.95]]
    assert lines["best recipe, extrapolated"].get_markerfacecolor() == style.COLORS["page"]
    alone = learning_curve(replace(content, tuned=None)).axes[0]
    assert not any(str(line.get_label()).startswith("best recipe") for line in alone.lines)


def test_no_curves_no_picture(content):
    assert not listed(replace(content, curves=content.curves.iloc[:0]))[0].is_shown
    with pytest.raises(ValueError, match="no learning curve"):
        learning_curve(replace(content, learning_curve=None))


def test_signals_that_are_no_numbers_leave_a_gap(content):
    table = make_signals(2, 0)
    table.loc[3, ["gradient_norm", "update_ratio"]] = np.nan
    line = gradient_flow(replace(content, signals={"recipe": table})).axes[0].lines[0]
    assert np.flatnonzero(np.isnan(line.get_ydata())).tolist() == [3]
    assert isinstance(table, pd.DataFrame)
