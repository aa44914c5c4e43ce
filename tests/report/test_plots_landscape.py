"""The line and the maps of the loss: the numbers drawn, one colour scale, silence where nothing is known."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from plateau_cause.report import style
from plateau_cause.report.plots_landscape import FINE, landscape_line, landscape_planes, listed, smooth

from .conftest import make_landscape


@pytest.fixture
def content(make):
    return make("plateau")


def changed(content, **arrays):
    return replace(content, landscape={**content.landscape, **arrays})


def without(content, *names):
    return replace(content, landscape={k: v for k, v in content.landscape.items() if k not in names})


def test_the_line_holds_both_splits_and_marks_both_ends(content):
    land = content.landscape
    for axes, key in zip(landscape_line(content).axes, ("line_loss", "line_accuracy"), strict=True):
        train, val = axes.lines
        np.testing.assert_array_equal(train.get_ydata(), land[key][0])
        np.testing.assert_array_equal(val.get_ydata(), land[key][1])
        ends = axes.collections[0].get_offsets()
        assert ends.tolist() == [[0, land[key][0, 0]], [1, land[key][0, -1]]]
    names = [label.get_text() for label in landscape_line(content).axes[1].get_xticklabels()]
    assert names == ["your recipe", "halfway", "reference"]


def test_the_caption_says_whether_a_ridge_lies_between(content):
    caption = listed(content)[0].caption
    assert caption == "Weights and inputs interpolated step by step. No ridge lies between."
    high = content.landscape["line_loss"].copy()
    high[:, 5] = 4.5
    caption = listed(changed(content, line_loss=high, line_mixes_inputs=np.array(False)))[0].caption
    assert caption == "Weights interpolated step by step. A ridge lies between: +3.00 in cross-entropy."


def test_the_alternative_text_has_the_numbers(content):
    assert (
        "your recipe: loss 1.50, accuracy 0%; reference: loss 0.10, accuracy 100%" in listed(content)[0].alt
    )


def test_maps_share_their_colours(content):
    recipe, reference = landscape_planes(content).axes
    shades = [[c for c in axes.collections if c.get_alpha() is not None] for axes in (recipe, reference)]
    assert 0 < len(shades[0]) < len(shades[1])  # the reference reaches higher
    assert "moved 1 of 8 blocks" in recipe.get_title()
    assert "moved 8 of 8 blocks" in reference.get_title()
    assert reference.get_xlim() == pytest.approx((-30, 30))


def test_a_smooth_map_goes_through_its_points():
    plane = make_landscape()["plane_reference"]
    fine = smooth(plane)
    assert fine.shape == (FINE, FINE)
    middle = FINE // 2
    for (x, y), (a, b) in {(0, 0): (0, 0), (3, 3): (middle, middle), (6, 0): (FINE - 1, 0)}.items():
        assert np.expm1(fine[a, b]) == pytest.approx(plane[x, y])
    assert np.log1p(plane).min() <= fine.min() and fine.max() <= np.log1p(plane).max()


def test_one_arm_alone_fills_the_picture(content):
    assert len(landscape_planes(without(content, "plane_recipe")).axes) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e9])
def test_points_that_exploded_draw_without_a_warning(content, value):
    loss, plane = content.landscape["line_loss"].copy(), content.landscape["plane_reference"].copy()
    loss[0, 4] = plane[0, 0] = value
    broken = changed(content, line_loss=loss, plane_reference=plane)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for sketch in listed(broken):
            style.to_png(sketch.drawn(broken).figure)


def test_what_is_not_known_or_says_nothing_is_not_shown(content):
    assert all(sketch.is_shown for sketch in listed(content))
    assert not any(sketch.is_shown for sketch in listed(replace(content, landscape={})))
    lost = content.landscape["line_loss"].copy()
    lost[0, 0] = np.nan
    assert not listed(changed(content, line_loss=lost))[0].is_shown
    assert not listed(changed(content, line_loss=np.ones((2, 11))))[0].is_shown
    flat = changed(content, plane_recipe=np.ones((7, 7)), plane_reference=np.full((7, 7), np.nan))
    assert not listed(flat)[1].is_shown


def test_the_page_chooses_the_colours(content):
    for draw in (landscape_line, landscape_planes):
        assert "var(--" in style.to_svg(draw(content))
