"""plateau report: what is finished, in every format, and a clear line where nothing is."""

import json
import webbrowser

import pytest


def test_text_shows_headline_waterfall_and_causes(call, finished):
    summary = json.loads((finished / "reports/plateau_cause.json").read_text())
    ended = call("report")
    assert ended.status == 0
    assert " ".join(ended.out.split()).startswith(" ".join(summary["headline"].split()))
    assert "█" in ended.out
    assert all(cause["cause"] in ended.out for cause in summary["causes"])


def test_the_project_is_found_from_a_folder_inside_it(call, finished, monkeypatch):
    monkeypatch.chdir(finished / "data")
    assert call("report", "--format", "json").status == 0
    monkeypatch.chdir("/")
    assert call("report", "--project", finished / "reports").status == 0


@pytest.mark.parametrize("kind", ["md", "html", "json"])
def test_a_written_report_is_printed_as_it_is(call, finished, kind):
    path = finished / f"reports/plateau_cause.{kind}"
    path.write_text('{"ä": 1}\n', encoding="utf-8")
    assert call("report", "--format", kind) == (0, '{"ä": 1}\n', "")


def test_what_only_dvc_has_says_how_to_get_it(call, finished):
    ended = call("report", "--format", "html")
    assert ended.status == 2
    assert "dvc pull" in ended.err
    assert call("report").status == 0


def test_a_project_without_a_diagnosis(call, finished):
    (finished / "reports/plateau_cause.json").unlink()
    for kind in ("text", "md"):
        ended = call("report", "--format", kind)
        assert (ended.status, ended.out) == (2, "")
        assert "no finished diagnosis; `plateau diagnose" in ended.err


def test_no_project_at_all(call):
    ended = call("report")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "no plateau project here or above; `plateau init DIR` starts one" in ended.err


def test_the_page_opens_in_the_browser(call, finished, monkeypatch):
    page = finished / "reports/plateau_cause.html"
    page.write_text("<p>")
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    assert call("report", "--open").status == 0
    assert opened == [page.resolve().as_uri()]


def test_a_machine_without_a_browser(call, finished, monkeypatch):
    (finished / "reports/plateau_cause.html").write_text("<p>")
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    ended = call("report", "--open")
    assert ended.status == 2
    assert "open" in ended.err


def test_names_from_data_cannot_steer_the_terminal(call, finished):
    path = finished / "reports/plateau_cause.json"
    summary = json.loads(path.read_text())
    summary["causes"][0]["evidence"] = ["class \x1b]0;owned\x07 and \x9b31m"]
    path.write_text(json.dumps(summary))
    out = call("report").out
    assert "owned" in out
    assert not set("\x1b\x07\x9b") & set(out)
