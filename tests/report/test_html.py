"""The page opens with no network, escapes what came from data, and says what the verdict is."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from plateau_cause.report import html
from plateau_cause.report.plots import pictures

HOSTILE = "<b>x</b></script><script>alert(1)</script>\"'&"


class Page(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def text(content, drawn_once) -> str:
    return html.render(content, drawn_once(content))


@pytest.fixture
def page(text) -> Page:
    return Page(text)


def test_opens_with_the_headline(page, content) -> None:
    assert content.summary["headline"] in page.text
    assert len(page.all("h1")) == 1
    assert f"badge {content.summary['verdict']}" in {tag.get("class") for tag in page.all("span")}


def test_loads_nothing_from_anywhere(text) -> None:
    parsed = Page(text)
    loaded = [tag.get("src") or tag.get("xlink:href") or "" for _, tag in parsed.tags]
    assert all(address.startswith(("data:", "#")) for address in loaded if address)
    assert [tag["href"] for tag in parsed.all("link")] == ["data:,"]
    assert "@import" not in text
    assert not re.findall(r"url\((?!#|'#|\"#)", text)


def test_its_policy_admits_its_own_script_only(text) -> None:
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert script is not None
    assert text.count("<script") == 1
    assert html._csp_hash(script.group(1)) in text
    assert "default-src 'none'" in text


def test_every_picture_says_what_it_shows(page) -> None:
    drawn = [tag for tag in page.all("div") if tag.get("role") == "img"]
    assert drawn
    assert all(tag["aria-label"] for tag in drawn)


def test_ids_of_headings_are_unique_and_sections_are_named(page) -> None:
    ids = [tag["id"] for tag in page.all("h2")]
    assert len(ids) == len(set(ids))
    assert {tag["aria-labelledby"] for tag in page.all("section")} <= set(ids)


def test_names_from_data_are_escaped(make) -> None:
    content = make("plateau", labels=(HOSTILE, "cat"))
    content.summary["headline"] = HOSTILE
    content.summary["notes"] = [HOSTILE]
    content.summary["causes"][0] |= {"evidence": [HOSTILE], "fix": {"recipe.code": HOSTILE}}
    content.summary["harmless"][0] |= {"factor": HOSTILE, "difference": HOSTILE}
    content.summary["recommended_recipe"]["code"] = HOSTILE
    content = replace(
        content, title=HOSTILE, runs=[{**run, "name": HOSTILE, "run_id": HOSTILE} for run in content.runs],
        differences=[{"factor": HOSTILE, "recipe": HOSTILE, "reference": HOSTILE}],
        dataset={HOSTILE: [HOSTILE]},
        profile={HOSTILE: content.profile["recipe"]},
    )  # fmt: skip
    text = html.render(content, pictures(content))
    page = Page(text)
    assert page.all("b") == []
    assert len(page.all("script")) == 1
    assert page.text.count("alert(1)") > 8


def test_a_link_that_would_run_code_is_not_a_link(make, drawn_once) -> None:
    content = make("plateau")
    content = replace(content, runs=[{**run, "url": "javascript:alert(1)"} for run in content.runs])
    addresses = [tag.get("href") for tag in Page(html.render(content, drawn_once(content))).all("a")]
    assert addresses == ["umap.html", "plateau_cause.json", "plateau_cause.md"]


def test_runs_link_to_mlflow(make, drawn_once) -> None:
    content = make("plateau")
    addresses = [tag.get("href") for tag in Page(html.render(content, drawn_once(content))).all("a")]
    assert {run["url"] for run in content.runs if run["url"]} <= set(addresses)


def test_healthy_accuses_nobody(make, drawn_once) -> None:
    content = make("healthy")
    text = html.render(content, drawn_once(content))
    assert 'class="cause"' not in text
    assert "There is nothing to repair." in text
    assert "accuracy is lost" not in text


def test_undecided_says_what_would_settle_it(make, drawn_once) -> None:
    content = make("inconclusive")
    page = Page(html.render(content, drawn_once(content)))
    assert all(step in page.text for step in content.summary["would_settle"])
    assert "harmless here" not in page.text
    assert "not swapped" in page.text


def test_without_a_reference_says_so(make, drawn_once) -> None:
    content = make("no_reference")
    assert "No reference recipe could be measured" in html.render(content, drawn_once(content))
