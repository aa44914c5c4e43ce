"""The Markdown says the same as the page, and markup in names stays text."""

from dataclasses import replace

import pytest

from plateau_cause.report import markdown
from plateau_cause.report.plots import pictures

HOSTILE = "<b>x</b> | *y* [z](javascript:w) `v` $u$\n# t"


def test_holds_headline_causes_and_fixes(make, drawn_once) -> None:
    content = make("plateau")
    text = markdown.render(content, drawn_once(content), "plots/summary")
    assert text.startswith("# Train all layers")
    assert "```yaml\nrecipe:\n  trainable: all\n  batch_norm: frozen\n```" in text
    assert "**+22 points** [19, 25]" in text
    assert "](plots/summary/waterfall.png)" in text
    assert "mean: [0.5, 0.5, 0.5]" in text  # a recipe to paste reads like params.yaml


def test_renders_every_kind(content, drawn_once) -> None:
    text = markdown.render(content, drawn_once(content), "plots/summary")
    assert "None" not in text
    assert "\n\n\n" not in text


def test_names_from_data_stay_text(make) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    content = make("plateau", labels=(HOSTILE, "cat"))
    content.summary["harmless"][0] |= {"factor": HOSTILE, "difference": HOSTILE}
    content.summary["causes"][0]["evidence"] = [HOSTILE]
    content = replace(content, dataset={HOSTILE: HOSTILE})
    text = markdown.render(content, pictures(content), "plots/summary")
    page = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "<b>" not in page
    assert "<em>" not in page
    assert "javascript:w" in page
    assert 'href="javascript' not in page
    assert "<code>v</code>" not in page
    assert page.count("<h1>") == 1


@pytest.mark.parametrize("start", ["# x", "- x", "+ x", "1. x", "1) x", "=="])
def test_a_name_cannot_start_a_block(start) -> None:
    assert "\\" in markdown.escape(start)


def test_names_with_underscores_stay_readable() -> None:
    assert markdown.escape("tf_efficientnet_lite0") == "tf_efficientnet_lite0"


def test_a_fence_is_longer_than_what_it_holds() -> None:
    assert markdown.fenced("a ``` b").startswith("````yaml\n")
