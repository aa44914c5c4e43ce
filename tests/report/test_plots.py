"""Every picture draws what it is given, for every kind of report, and survives hostile names."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from plateau_cause.report import style
from plateau_cause.report.plots import curves, effects, pictures, runs
from plateau_cause.report.plots_errors import changed_images, confusion
from plateau_cause.report.plots_space import umap_by_class
from plateau_cause.report.view import by_standing

HOSTILE = ("<b>x</b>", "$^{", "_hidden", "</script>", "Überlänge " * 20)


def test_draws_what_there_is_to_show(content, drawn_once) -> None:
    found = drawn_once(content)
    drawn = {picture.name for picture in found}
    assert {"waterfall", "curves"} <= drawn
    assert ("umap_by_class" in drawn) == (content.projection is not None)
    assert ("batch_norm_profile" in drawn) == bool(content.profile)
    assert all(picture.alt and picture.title for picture in found)
    is_full = content.projection is not None
    new = {"fit", "gradient_flow", "landscape_line", "landscape_planes", "confusion"}
    assert (new <= drawn) == is_full
    assert ("changed" in drawn) == (is_full and content.fix != "recipe")


def test_nothing_but_the_summary_still_gives_a_waterfall(make) -> None:
    bare = replace(
        make("plateau"),
        curves=make("plateau").curves.iloc[:0],
        runs=(),
        profile={},
        projection=None,
        learning_curve=None,
        signals={},
        predictions=None,
        changed=(),
        landscape={},
        tuned=None,
    )
    assert [picture.name for picture in pictures(bare)] == ["waterfall", "effects"]


def test_one_effect_alone_needs_no_comparison(make) -> None:
    assert "effects" not in {picture.name for picture in pictures(make("data_cause"))}


def test_curves_hold_training_and_validation_of_every_arm(make) -> None:
    content = make("plateau")
    axes = curves(content).axes[0]
    drawn = [line for line in axes.lines if len(line.get_xdata()) == content.curves["epoch"].nunique()]
    assert len(drawn) == 2 * content.curves["arm"].nunique()
    assert sum(line.get_linestyle() != "-" for line in drawn) == content.curves["arm"].nunique()
    thickest = max(drawn, key=lambda line: line.get_linewidth())
    np.testing.assert_allclose(
        thickest.get_ydata(), content.curves.loc[content.curves["arm"] == "recipe", "train_accuracy"]
    )


def test_a_healthy_curve_is_not_marked_as_a_plateau(make) -> None:
    assert not any("plateau" in text.get_text() for text in curves(make("healthy")).axes[0].texts)
    assert any("plateau" in text.get_text() for text in curves(make("plateau")).axes[0].texts)


def test_effects_show_causes_filled_and_harmless_hollow(make) -> None:
    content = make("plateau")
    dots = [line for line in effects(content).axes[0].lines if line.get_marker() == "o"]
    hollow = [dot.get_markerfacecolor() == style.COLORS["page"] for dot in dots]
    shown = sum(len(entries) for _, entries in by_standing(content.summary))
    assert hollow == [False] * 3 + [True] * shown and shown > 3
    assert [float(dot.get_xdata()[0]) for dot in dots[:2]] == pytest.approx([21.8, 5.1])


def test_runs_are_ranked(make) -> None:
    widths = [bar.get_width() for bar in runs(make("plateau")).axes[0].patches]
    assert widths == sorted(widths)
    assert len(widths) == len(make("plateau").runs)


def test_names_from_data_are_shown_letter_by_letter(make) -> None:
    content = make("plateau", labels=HOSTILE)
    content = replace(content, runs=[{**run, "name": HOSTILE[i % 5]} for i, run in enumerate(content.runs)])
    for picture in pictures(content):
        svg = style.to_svg(picture.figure)
        assert "<b>" not in svg
        assert "</script>" not in svg
    assert "$^{" in style.to_svg(runs(content))
    assert "$^{" in style.to_svg(confusion(content))
    assert "$^{" in style.to_svg(changed_images(content))


def test_svg_leaves_its_colours_to_the_page_and_is_repeatable(make) -> None:
    first, second = (style.to_svg(curves(make("plateau"))) for _ in range(2))
    assert first == second
    assert first.startswith("<svg")
    assert "var(--recipe, " in first


def test_many_points_do_not_make_a_heavy_page(make) -> None:
    small, large = (len(style.to_svg(umap_by_class(make("plateau", n=n)))) for n in (60, 1500))
    assert large < 10 * small


def test_many_classes_have_a_colour_each(make) -> None:
    labels = tuple(f"class {i:03d}" for i in range(60))
    figure = umap_by_class(make("plateau", labels=labels, n=3))
    colors = {tuple(points.get_facecolors()[0]) for points in figure.axes[0].collections}
    assert len(colors) == len(labels)


def test_an_unfinished_learning_curve_and_profile_draw_without_a_warning(make) -> None:
    content = make("plateau")
    holes = {"recipe": [{**layer, "kl": None} for layer in content.profile["recipe"]]}
    content = replace(
        content,
        profile=holes,
        learning_curve=pd.DataFrame({"n": [100], "accuracy": [0.5], "fit_low": [0.5], "fit_high": [0.5]}),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for picture in pictures(content):
            style.to_png(picture.figure)
