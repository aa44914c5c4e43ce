"""The report in a terminal: fits it, says what the summary says, shows every step where it belongs."""

import json
from pathlib import Path

import pytest

from plateau_cause.report import text
from plateau_cause.report.waterfall import Step, steps
from plateau_cause.report.wording import spoken

SUMMARIES = sorted((Path(__file__).parent / "summaries").glob("*.json"))


@pytest.fixture(params=SUMMARIES, ids=lambda path: path.stem)
def summary(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(summary, width):
    lines = text.render(summary, width).splitlines()
    assert max(len(line) for line in lines if ": " not in line or len(line.split()) > 2) <= width


def test_says_everything_in_the_order_of_importance(summary):
    said = " ".join(text.render(summary).split())
    places = [said.index(" ".join(summary["headline"].split()))]
    places += [said.index(step.label) for step in steps(summary)[:1]]
    places += [said.index(f"({cause['cause']}, {cause['kind']})") for cause in summary["causes"]]
    assert places == sorted(places)
    assert all(spoken(entry["factor"]) in said for entry in [*summary["harmless"], *summary["undecided"]])
    assert ("or any one of:" in said) == any(cause["alternatives"] for cause in summary["causes"])


def test_plain_is_ascii(summary):
    assert text.render(summary, plain=True).isascii()


def test_bars_stand_where_the_steps_are():
    bars = [
        Step("low", 0.0, 0.5, None, "chance"),
        Step("up", 0.5, 1.0, (0.9, 1.0), "fix"),
        Step("open", 0.75, 1.0, None, "open"),
    ]
    lines = text.waterfall(bars, 60)
    columns = 60 - len("open") - len(bars[1].value) - 4
    drawn = [line[len("open") + 2 :][:columns] for line in lines]
    assert drawn[0].rstrip() == "█" * (columns // 2) + ("▌" if columns % 2 else "")
    assert drawn[1].startswith(" " * (columns // 2)) and drawn[1].rstrip().endswith("█")
    assert set(drawn[2]) == {" ", "·"}
    assert [line.rstrip().endswith(bar.value) for line, bar in zip(lines, bars, strict=True)] == [True] * 3


@pytest.mark.parametrize(
    ("start", "end", "drawn"),
    [
        (0, 2.5, "██▌"),
        (3, 2, "  █"),
        (0, 0, "▏"),
        (9.9, 10, "         █"),
        (10, 10, "         █"),
        (1.5, 2, " █"),
    ],
)
def test_a_bar_is_drawn_to_an_eighth_and_never_leaves_its_columns(start, end, drawn):
    assert text.block(start, end, 10) == drawn
