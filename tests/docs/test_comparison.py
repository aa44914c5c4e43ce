"""docs/comparison.md: each yes of ours is backed by a test or command that exists, each page is listed."""

import re
from pathlib import Path

import pytest

from plateau_cause.commands.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/comparison.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith(("| |", "|---"))
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
NAMES = {command.name for command in COMMANDS}


def test_all_eight_tools_stand_beside_ours_in_every_row():
    assert len(ROWS) > 20
    assert {len(row) for row in ROWS} == {10}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_we_claim_is_backed(row):
    claim = row[1]
    backing = re.findall(r"`([^`]+)`", claim)
    assert re.match(r"(yes|partly|no)\b", claim)
    assert backing or not claim.startswith("yes")
    for name in backing:
        kind, _, rest = name.partition(" ")
        exists = {"make": rest in TARGETS, "plateau": rest in NAMES}.get(kind, (ROOT / name).is_file())
        assert exists, f"{name} does not exist"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_others_do_is_said_in_one_of_three_ways(row):
    for cell in row[2:]:
        assert cell == "–" or re.match(r"(yes|partly)\b", cell), cell


def test_every_page_that_is_cited_is_listed_and_the_other_way_round():
    body, pages = PAGE.split("## Pages")
    cited = set(re.findall(r"\[(\d+)\]", body))
    listed = dict(re.findall(r"^(\d+)\. .*<(https://[^>]+)>$", pages, re.M))
    assert cited == set(listed)
