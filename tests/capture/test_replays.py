"""Replays are kept whole or not at all, and none runs twice; what they depend on makes them anew."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from plateau_cause.capture import launch
from plateau_cause.capture.identity import identity
from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.replay import Replays
from plateau_cause.errors import PlateauError

DONE = {"is_trained": True, "error": None, "interventions": {}, "seconds": 1.0, "problems": []}


@pytest.fixture
def script(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "train.py").write_text("import helper\n")
    (folder / "helper.py").write_text("x = 1\n")
    (folder / "weights.pth").write_bytes(b"1")
    return launch.Script("train.py", folder=folder)


@pytest.fixture
def bench(script, tmp_path):
    told = Possible("rate", "learning_rate_high", "w", "d", settings={"times": 0.1})
    return Replays(script, [told], tmp_path / "store", "key")


class Child:
    """Writes what a child would; keeps the jobs that it was given."""

    def __init__(self, monkeypatch, content=None, hits=(1, 0), status=0):
        self.jobs, self.content, self.hits, self.status = [], content, hits, status
        monkeypatch.setattr(launch, "run", self.run)

    def run(self, given, out, job, variables=None, stdout=None, **streams):
        self.jobs.append((given, job))
        stdout.write("said something\n")
        if self.content is not None:
            told = {name: {"took": True, "words": None} for name in job["interventions"]}
            (out / "replay.json").write_text(json.dumps({**self.content, "interventions": told}))
            if self.hits is not None:
                np.savez(out / "hits.npz", val=np.array(self.hits, np.uint8))
        return subprocess.CompletedProcess([], self.status)


def test_a_replay_runs_once_in_a_copy_of_the_folder(bench, script, monkeypatch):
    child = Child(monkeypatch, DONE)
    first, again = (bench.run({"rate"}, 0) for _ in range(2))
    assert len(child.jobs) == 1
    given, job = child.jobs[0]
    assert given.folder != script.folder
    assert (job["seed"], job["interventions"]) == (0, ["rate"])
    assert job["settings"] == {"rate": {"times": 0.1}}
    assert first.interventions == again.interventions == {"rate"}
    assert list(again.all_hits) == [1, 0]


def test_seeds_and_interventions_are_other_replays(bench, monkeypatch):
    child = Child(monkeypatch, DONE)
    for interventions, seed in ((), 0), (("rate",), 0), (("rate",), 1):
        bench.run(interventions, seed)
    assert len(child.jobs) == 3


def test_a_killed_replay_leaves_nothing_and_is_run_again(bench, monkeypatch, tmp_path):
    Child(monkeypatch, None, status=-9)
    with pytest.raises(PlateauError, match=r"train\.py: ended with status -9: said something"):
        bench.run((), 0)
    assert list((tmp_path / "store").iterdir()) == []
    Child(monkeypatch, DONE)
    assert bench.run((), 0).accuracy == 0.5


def test_a_script_that_fails_names_its_line(bench, monkeypatch):
    error = {"class": "ValueError", "message": "no", "place": {"file": "train.py", "line": 3}}
    Child(monkeypatch, {**DONE, "is_trained": False, "error": error})
    with pytest.raises(PlateauError, match=r"train\.py raised ValueError at train\.py:3: no"):
        bench.run((), 0)
    Child(monkeypatch, {**DONE, "error": error})  # after its training: what it measured counts
    assert bench.run((), 1).accuracy == 0.5


def test_without_held_out_images_there_is_one_line(bench, monkeypatch):
    Child(monkeypatch, DONE, hits=None)
    with pytest.raises(PlateauError, match="no held-out images were judged"):
        bench.run((), 0)


class TestHeldOut:
    """A script that judges nothing is judged, in every run, on images that are kept from its training."""

    @pytest.fixture
    def bench(self, script, tmp_path):
        return Replays(script, [], tmp_path / "store", "key", trained=1)

    def child(self, monkeypatch, took=True, problems=()):
        child = Child(monkeypatch, {**DONE, "problems": list(problems)})
        run = child.run

        def judging(given, out, job, *rest, **streams):
            holds = "hold_out" in job["interventions"] and took and not problems
            child.hits = (1, 1, 1, 0) if holds or "judges" in job["interventions"] else None
            ended = run(given, out, job, *rest, **streams)
            if not took:
                told = {"hold_out": {"took": False, "words": "a way of its own"}}
                (out / "replay.json").write_text(json.dumps({**DONE, "interventions": told}))
            return ended

        monkeypatch.setattr(launch, "run", judging)
        return child

    def test_some_are_held_out_in_every_run_and_that_is_no_intervention(self, bench, monkeypatch):
        child = self.child(monkeypatch)
        own, other = bench.run((), 0), bench.run(("unfreeze",), 0)
        asked = [job["interventions"] for _, job in child.jobs]
        assert asked == [[], ["hold_out"], ["hold_out", "unfreeze"]]
        assert child.jobs[1][1]["settings"]["hold_out"] == {"loader": 1, "share": 0.2}
        assert (own.interventions, other.interventions) == (frozenset(), {"unfreeze"})
        assert own.content["held_out"] == 0.2 and own.accuracy == 0.75

    @pytest.mark.parametrize(("is_trained", "asked"), [(True, [[], ["hold_out"]]), (False, [[]])])
    def test_what_fails_behind_its_training_is_judged_too(self, is_trained, asked, bench, monkeypatch):
        child = self.child(monkeypatch)
        error = {"class": "SystemExit", "message": "1", "place": None}
        child.content = {**DONE, "error": error, "is_trained": is_trained}
        with contextlib.nullcontext() if is_trained else pytest.raises(PlateauError, match="SystemExit"):
            bench.run((), 0)
        assert [job["interventions"] for _, job in child.jobs] == asked

    def test_a_script_that_judges_some_keeps_its_own(self, bench, monkeypatch):
        child = Child(monkeypatch, DONE)
        assert "held_out" not in bench.run((), 0).content
        child.hits = None  # an intervention under which nothing is judged is not judged on other images
        with pytest.raises(PlateauError, match="no held-out images"):
            bench.run(("unfreeze",), 0)
        assert all("hold_out" not in job["interventions"] for _, job in child.jobs)

    @pytest.mark.parametrize(("given", "why"), [
        ({"took": False}, "holding some out failed .a way of its own"),
        ({"problems": ["Replay._measure: ValueError: changed after it is loaded"]}, "changed after it is"),
    ])  # fmt: skip
    def test_where_none_can_be_held_out_the_line_says_why(self, given, why, bench, monkeypatch):
        self.child(monkeypatch, **given)
        with pytest.raises(PlateauError, match=why):
            bench.run((), 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "train.py").write_text("import helper, os\n"),
        lambda folder: (folder / "helper.py").write_text("x = 2\n"),
        lambda folder: (folder / "weights.pth").write_bytes(b"22"),
        lambda folder: (folder / "new.txt").touch(),
    ],
)
def test_what_a_run_reads_decides_what_it_is(script, change):
    before = identity(script)
    assert identity(script) == before
    change(script.folder)
    assert identity(script) != before


def test_links_that_lead_back_are_followed_once(script):
    (script.folder / "again").symlink_to(script.folder)
    assert identity(script) == identity(script)


def test_what_a_run_does_not_read_does_not(script):
    before = identity(script)
    (script.folder / "other.py").write_text("x = 1\n")
    (script.folder / "train.plateau").mkdir()
    (script.folder / "train.plateau/report.html").touch()
    assert identity(script) == before
    assert identity(launch.Script("train.py", ("--lr", "1"), script.folder)) != before
    assert identity(launch.Script("train.py", (), script.folder, str(Path("/other/python")))) != before


def test_the_log_of_the_command_itself_does_not(script):
    """As in `plateau diagnose train.py 2>log.txt`, in the script's folder."""
    program = (
        "import sys; from plateau_cause.capture import launch; "
        "from plateau_cause.capture.identity import identity; "
        "print(identity(launch.script('train.py')), file=sys.stderr)"
    )
    with (script.folder / "log.txt").open("w") as log:
        for _ in range(2):
            subprocess.run([sys.executable, "-c", program], cwd=script.folder, stderr=log, check=True)
    first, second = (script.folder / "log.txt").read_text().split()
    assert first == second
