"""Confusion before and after, and the images that changed sides: the right cells, images and words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from plateau_cause.report import style
from plateau_cause.report.content import Example
from plateau_cause.report.plots_errors import changed_images, confusion, listed, matrix, pairs

from .conftest import make_examples, make_predictions

HOSTILE = ("<b>x</b>", "$^{", "_hidden", "</script>", "Überlänge " * 20)
TWO = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "d"],
        "label": ["cat", "cat", "dog", "dog"],
        "before": ["cat", "dog", "dog", "dog"],
        "after": ["cat", "cat", "cat", "dog"],
    }
)


@pytest.fixture
def two(make):
    shown = [Example(np.full((8, 8, 3), 10 * i, np.uint8), *TWO.iloc[i, 1:]) for i in (1, 2)]
    return replace(make("plateau"), predictions=TWO, changed=shown, fix="reference")


def many(make, count, after=0.9):
    labels = tuple(f"species number {i:02d}" for i in range(count))
    return replace(make("plateau"), predictions=make_predictions(labels, after, n=900))


def cells(axes):
    """Returns the drawn cells: (row, column) to colour."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return {
        (round(patch.get_y() + 0.5), round(patch.get_x() + 0.5)): to_hex(patch.get_facecolor())
        for patch in found
    }


def test_rows_are_shares_of_the_true_class():
    assert matrix(TWO, "before", ["cat", "dog"]).tolist() == [[0.5, 0.5], [0, 1]]
    assert matrix(TWO, "after", ["cat", "dog"]).tolist() == [[1, 0], [0.5, 0.5]]
    assert matrix(TWO, "after", ["bird", "cat", "dog"])[0].tolist() == [0, 0, 0]


def test_two_matrices_side_by_side(two):
    before, after = confusion(two).axes
    right, wrong = style.COLORS["reached"], style.COLORS["alarm"]
    assert cells(before) == {(0, 0): right, (0, 1): wrong, (1, 1): right}
    assert cells(after) == {(0, 0): right, (1, 0): wrong, (1, 1): right}
    assert before.get_position().y0 == pytest.approx(after.get_position().y0)
    assert [label.get_text() for label in before.get_yticklabels()] == ["cat", "dog"]
    assert [text.get_text() for text in before.texts] == ["50", "50", "100"]
    assert "75% right" in before.get_title()


def test_a_cell_is_deeper_the_larger_its_share(make):
    axes = confusion(many(make, 10)).axes[0]
    shares = matrix(many(make, 10).predictions, "before", [f"species number {i:02d}" for i in range(10)])
    alphas = {
        shares[round(patch.get_y() + 0.5), round(patch.get_x() + 0.5)]: patch.get_alpha()
        for patch in axes.patches
    }
    assert [alphas[share] for share in sorted(alphas)] == sorted(alphas.values())


def test_without_a_fix_there_is_one_matrix(two):
    assert len(confusion(replace(two, fix="recipe")).axes) == 1


def test_many_classes_are_told_apart_and_stand_one_below_the_other(make):
    before, after = confusion(many(make, 30)).axes
    names = [label.get_text() for label in before.get_yticklabels()]
    assert len(set(names)) == 30
    assert before.get_position().y0 > after.get_position().y1
    assert min(label.get_fontsize() for label in before.get_yticklabels()) >= 7


def test_more_classes_become_the_most_confused_pairs(make):
    content = many(make, 40)
    (axes,) = confusion(content).axes
    table = pairs(content.predictions)
    assert [bar.get_width() for bar in axes.patches] == [*table["before"], *table["after"]]
    assert len(axes.texts) == len(table) == 12
    assert "12 pairs" in listed(content)[0].caption


def test_pairs_are_counted_in_one_direction_the_most_frequent_first():
    rows = [("cat", "dog", "cat")] * 3 + [("dog", "cat", "cat")] * 4 + [("cat", "cat", "cow")]
    table = pd.DataFrame([(str(i), *row) for i, row in enumerate(rows)], columns=TWO.columns)
    assert pairs(table).to_numpy().tolist() == [
        ["dog", "cat", 4, 4],
        ["cat", "dog", 3, 0],
        ["cat", "cow", 0, 1],
    ]


def test_the_alternative_text_names_the_worst_pair(two):
    assert "cat seen as dog (1 before, 0 after)" in listed(two)[0].alt


def test_changed_images_show_what_was_seen(two):
    right, wrong = (axes for axes in changed_images(two).axes if axes.images)
    assert (right.get_title(), right.get_xlabel()) == ("cat", "dog → cat")
    assert (wrong.get_title(), wrong.get_xlabel()) == ("dog", "dog → cat")
    assert np.array_equal(right.images[0].get_array(), two.changed[0].image)
    assert "from wrong to right: 1, from right to wrong: 1" in listed(two)[1].alt


def test_only_what_happened_gets_a_heading(two):
    figure = changed_images(replace(two, changed=two.changed[:1]))
    assert [panel.get_suptitle() for panel in figure.subfigs] == ["wrong → right: 1"]


def test_images_of_any_shape_stand_under_titles_of_one_height(make):
    figure = changed_images(make("plateau"))
    figure.canvas.draw()
    row = [axes for axes in figure.axes if axes.images][:4]
    assert {axes.images[0].get_array().shape for axes in row} == {(20, 12, 3), (20, 28, 3)}
    assert len({round(axes.get_position().y1, 4) for axes in row}) == 1


def test_nothing_wrong_and_nothing_changed_is_not_shown(make):
    perfect = TWO.assign(before=TWO["label"], after=TWO["label"])
    content = replace(make("plateau"), predictions=perfect, changed=())
    assert not any(sketch.is_shown for sketch in listed(content))
    assert not any(sketch.is_shown for sketch in listed(replace(content, predictions=None)))


def test_hostile_names_stay_text_and_within_the_picture(make):
    table = make_predictions(HOSTILE)
    content = replace(make("plateau"), predictions=table, changed=make_examples(table))
    for figure in (confusion(content), changed_images(content)):
        svg = style.to_svg(figure)
        assert "<b>" not in svg and "</script>" not in svg
        assert "Überlänge " * 3 not in svg


def test_a_page_with_sixteen_photographs_stays_light(make):
    random = np.random.default_rng(0)
    shown = [
        Example(random.integers(0, 256, (64, 64, 3), dtype=np.uint8), "cat", "dog", "cat") for _ in range(16)
    ]
    assert len(style.to_svg(changed_images(replace(make("plateau"), changed=shown)))) < 500_000
