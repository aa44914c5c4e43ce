"""A report is marked exactly where params.yaml is no longer what the stages were run with."""

import hashlib
import os

import pytest
import yaml

from plateau_cause import artifacts
from plateau_cause.commands import staleness
from plateau_cause.config import params, schema
from plateau_cause.fingerprint import Fingerprints
from plateau_cause.pipeline import inputs

GIVEN = {"data": {"source": "digits", "path": None}, "recipe": {"optimizer": {"learning_rate": 0.001}}}


def lock(interventions="a", seen="a", inputs="0"):
    stages = {
        "intervene": {"outs": [{"path": "data/interventions", "md5": interventions}]},
        "summarize": {
            "deps": [
                {"path": "data/interventions", "md5": seen},
                {"path": "data/inputs/summarize.json", "md5": inputs},
                {"path": "src/x.py", "md5": "b"},
            ]
        },
    }
    return {"schema": "2.0", "stages": stages}


def check(folder):
    """Writes down what the stage `check` does."""
    built = schema.build(params.Params, GIVEN)
    for stage, values in inputs.collect(built, Fingerprints(folder / "fingerprints.json")).items():
        artifacts.write_json(folder / "data/inputs" / f"{stage}.json", values)
    return hashlib.md5((folder / "data/inputs/summarize.json").read_bytes()).hexdigest()


@pytest.fixture
def project(call, finished):
    """A project whose report is that of its params.yaml."""
    (finished / "params.yaml").write_text(yaml.safe_dump(GIVEN))
    (finished / "dvc.lock").write_text(yaml.safe_dump(lock(inputs=check(finished))))
    return finished


def aged(path, by_s):
    """Sets when the file was written, by so many seconds."""
    at = path.stat().st_mtime + by_s
    os.utime(path, (at, at))


def test_nothing_changed_is_no_remark(project):
    assert staleness.remark(project) is None
    aged(project / "params.yaml", 60)  # a comment, or a checkout: the values are the same
    assert staleness.remark(project) is None


@pytest.mark.parametrize(
    ("section", "value", "named"),
    [
        ("data", {"source": "imagefolder", "path": "x"}, "data.source, data.path"),
        ("data", {"source": "digits", "path": None, "max_images": 5}, "data.max_images"),
        ("data", {"source": "digits"}, None),  # left out is null
        ("recipe", {"optimizer": {"learning_rate": 0.01}}, "recipe.optimizer.learning_rate"),
        ("recipe", {"trainable": "all"}, "recipe.trainable"),
        ("recipe", {}, None),  # the default
        ("tracking", {"experiment": "mine"}, "tracking.experiment"),
        ("diagnosis", {"seeds": [0, 1]}, "diagnosis.seeds"),
        ("reference_data", {"source": "digits"}, "reference_data"),
    ],
)
def test_a_changed_key_is_named(project, section, value, named):
    (project / "params.yaml").write_text(yaml.safe_dump({**GIVEN, section: value}))
    remark = staleness.remark(project)
    assert (remark is None) == (named is None)
    assert named is None or f"where {named}" in remark


def test_a_run_that_was_broken_off_leaves_an_old_report(project):
    (project / "dvc.lock").write_text(yaml.safe_dump(lock(interventions="new", inputs=check(project))))
    assert "older than what `dvc repro` began since" in staleness.remark(project)


def test_what_check_wrote_down_since_is_newer_than_the_report(project):
    (project / "data/inputs/summarize.json").write_text("{}")
    assert staleness.remark(project) is not None


@pytest.mark.parametrize(("by_s", "is_old"), [(60, True), (-60, False)])
def test_without_dvcs_note_the_times_decide(project, by_s, is_old):
    (project / "dvc.lock").unlink()
    aged(project / "params.yaml", by_s)
    assert (staleness.remark(project) is not None) == is_old


@pytest.mark.parametrize("content", ["[1", "- 1", "a: 1\na: 2", "\x00"])
def test_a_params_file_that_cannot_be_read_is_said_in_one_line(project, content):
    (project / "params.yaml").write_text(content)
    assert "cannot be told" in (remark := staleness.remark(project))
    assert "\n" not in remark


@pytest.mark.parametrize("missing", ["params.yaml", "reports/plateau_cause.json"])
def test_where_one_is_missing_there_is_nothing_to_say(project, missing):
    (project / missing).unlink()
    assert staleness.remark(project) is None


@pytest.mark.parametrize("kind", ["text", "json"])
def test_the_command_warns_on_standard_error(call, project, kind):
    assert call("report", "--format", kind).err == ""
    (project / "params.yaml").write_text(yaml.safe_dump({**GIVEN, "data": {"path": "elsewhere"}}))
    ended = call("report", "--format", kind)
    assert (ended.status, ended.err.count("\n")) == (0, 1)
    assert ended.err.startswith("warning: this report is older than params.yaml, where data.path changed")
    assert "warning" not in ended.out
