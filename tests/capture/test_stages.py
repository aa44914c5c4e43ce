"""The stages of a script, one after the other in a workspace, up to the report."""

from __future__ import annotations

import json

import pytest
from capture_cases import line_of

from plateau_cause.commands.script import make_workspace
from plateau_cause.config import params
from plateau_cause.pipeline import capture as peeking
from plateau_cause.pipeline import check, finetune, intervene, paths, summarize
from plateau_cause.report.schema import validate

pytestmark = pytest.mark.slow
BROKEN = ("    ema_model.eval()\n", "")
LONGER = ("range(2)", "range(6)")


@pytest.fixture
def repro(forked, monkeypatch):
    """Returns a function that runs the stages of the script of a folder: the summary."""

    def run(folder):
        place = folder / "train.plateau"
        make_workspace(str(folder / "train.py"), (), place, None)
        monkeypatch.chdir(place)
        check.main()
        peeking.main()
        finetune.main("script")
        intervene.main()
        summarize.main()
        return json.loads(paths.SUMMARY.read_text())

    return run


def test_the_report_of_a_broken_script(prepare, repro):
    folder = prepare("averaged", LONGER, BROKEN)
    before = (folder / "train.py").read_text()
    summary = repro(folder)
    validate(summary)
    line = line_of(folder / "train.py", "for x, y in val_iter:")
    first = summary["causes"][0]
    assert (summary["verdict"], summary["subject"]) == ("plateau", "script")
    assert (first["cause"], first["location"]) == ("evaluation", {"file": "train.py", "line": line})
    assert any(row.startswith("+") and "ema_model.eval()" in row for row in first["patch"].splitlines())
    assert summary["headline"].startswith(f"train.py:{line}: Evaluated in training mode: worth +")
    assert ["evaluates instead", "AveragedModel"] in [row[:2] for row in summary["script"]["rows"]]
    assert summary["levels"]["reference"] == summary["verified"]["after"]
    markdown, page = (paths.SUMMARY.with_suffix(kind).read_text() for kind in (".md", ".html"))
    for text in (markdown, page):
        assert "What train.py really does" in text
        assert f"train.py:{line}" in text.replace("\\", "")
    assert json.loads(paths.metrics("finetune_script").read_text())["test_accuracy"] < 0.5
    assert len(paths.curves("script").read_text().splitlines()) == 7
    assert (folder / "train.py").read_text() == before
    assert sorted(path.name for path in folder.iterdir()) == ["data", "train.plateau", "train.py"]


def test_the_report_of_a_healthy_script_states_no_number_that_was_not_measured(prepare, repro):
    summary = repro(prepare("averaged", LONGER))
    validate(summary)
    assert (summary["verdict"], summary["causes"]) == ("healthy", [])
    assert "gap" not in summary
    assert summary["verified"]["after"] is None
    assert summary["headline"].startswith("Nothing to repair was found: the script reaches 100%")


def test_what_the_stages_start_from_changes_with_the_script(prepare, monkeypatch):
    folder = prepare("averaged")
    place = folder / "train.plateau"
    make_workspace(str(folder / "train.py"), (), place, None)
    monkeypatch.chdir(place)
    check.main()
    before = paths.inputs("script").read_text(), paths.inputs("recipe").read_text()
    (folder / "train.py").write_text((folder / "train.py").read_text() + "\n")
    check.main()
    after = paths.inputs("script").read_text(), paths.inputs("recipe").read_text()
    assert after[0] != before[0]
    assert after[1] == before[1]
    assert params.load().recipe.script == "../train.py"
