import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from plateau_cause.report import plots_features
from plateau_cause.report.interactive import umap_html

HOSTILE = '<script>alert("1")</script>'


@pytest.fixture
def points():
    generator = np.random.default_rng(0)
    labels = [HOSTILE, "_hidden", "$x^", "cat"]
    return pd.DataFrame(
        {
            "image_id": [f"a/<b>{i}.png" for i in range(80)],
            "label": generator.choice(labels, 80),
            "split": generator.choice(["train", "val", "test"], 80),
            "view": generator.choice(["recipe", "canonical"], 80),
            "x": generator.normal(size=80),
            "y": generator.normal(size=80),
        }
    )


def rendered(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=50)
    return len(buffer.getvalue())


@pytest.mark.parametrize("by", ["label", "split", "view"])
def test_umap_shows_its_quality_and_every_group(points, by):
    figure = plots_features.umap_figure(points, by, 0.91, 0.4)
    assert rendered(figure) > 1000
    (axes,) = figure.axes
    assert "0.91" in axes.get_title() and "0.40" in axes.get_title()
    entries = points[by].nunique() + (0 if by == "view" else points["view"].nunique())
    assert len(axes.get_legend().get_texts()) == entries


def test_a_picture_that_cannot_be_trusted_says_so(points):
    assert "do not read" in plots_features.umap_figure(points, "label", 0.7, 0.1).axes[0].get_title()
    assert "do not read clusters into it" in umap_html(points, 0.7, 0.1)


def test_many_classes_have_no_legend(points):
    many = points.assign(label=[f"class {i}" for i in range(80)])
    figure = plots_features.umap_figure(many, "label", 0.9, 0.4)
    assert figure.axes[0].get_legend() is None
    assert rendered(figure) > 1000


def test_profile_with_and_without_batch_norm():
    layers = [{"kl": 0.1 * (i + 1), "depth": d} for i, d in enumerate(("stem", "early", "mid", "late"))]
    stages = {"stem": {"std": 1.0}, "block1": {"std": 2.0}}
    with_norm = {
        "recipe": {"layers": layers, "stages": stages},
        "canonical": {"layers": layers, "stages": stages},
    }
    figure = plots_features.profile_figure(with_norm)
    assert len(figure.axes[0].lines) == 2
    assert rendered(figure) > 1000
    without = plots_features.profile_figure({"recipe": {"layers": [], "stages": stages}})
    np.testing.assert_array_equal(without.axes[0].lines[0].get_ydata(), [1.0, 2.0])


def test_levels_are_sorted_and_named(points):
    figure = plots_features.levels_figure({"linear_probe_recipe": 0.8, "chance": 0.1})
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["chance", "linear probe recipe"]


def test_learning_curve_shows_the_bracket():
    curve = {"sizes": [50, 100], "accuracy": [[0.5, 0.6, 0.5], [0.7, 0.7, 0.7]], "forecast": (0.72, 0.8)}
    assert rendered(plots_features.learning_curve_figure(curve)) > 1000


def test_html_is_small_alone_and_escapes_names(points):
    page = umap_html(points, 0.91, 0.4)
    assert len(page) < 50_000
    assert HOSTILE not in page
    alone = page.replace('<a href="plateau_cause.html">', "")  # beside it
    assert not re.search(r"(src|href)\s*=|https?://|@import", alone)
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))
    names = np.array(data["label"]["names"])[data["label"]["codes"]]
    assert (names == points["label"].to_numpy()).all()
    assert data["id"] == points["image_id"].tolist()
