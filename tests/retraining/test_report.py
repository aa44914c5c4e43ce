"""The record holds what was decided from, and the page says it; names from the data stay text."""

import json

import numpy as np
import pytest

from plateau_cause import artifacts
from plateau_cause.retraining import report
from plateau_cause.retraining.decision import Candidate, compare, decide
from plateau_cause.retraining.drift import Drift

TAGS = {"test_accuracy": "0.8750", "verdict": "healthy", "causes": "", "data_digest": "abc", "recipe": "{}"}
TEST = {
    "mmd": 0.1, "mmd_p": 0.005, "auc": 0.9, "auc_p": 0.005, "auc_interval": (0.8, 1.0), "distance_sd": 1.5,
    "sizes": (20, 30), "classes": {"<b>|x": {"mmd": 0.1, "p": 0.01}, "blue": {"mmd": 0.0, "p": 0.9}},
}  # fmt: skip


def make(before=70, after=90, test=TEST, note=None, left_out=0):
    fair = np.arange(100) >= left_out
    compared = compare(np.arange(100) < before, np.arange(100) < after, fair)
    decided = decide(Candidate("2", ()), Candidate("1", ()), compared)
    drift = Drift(30, 2, 0.125, test, note)
    sides = {"version": "2", **TAGS}, {"version": "1", **TAGS}
    return report.record(decided, "plateau", *sides, compared, drift, "run"), compared, drift


def test_the_record_is_plain_and_complete(tmp_path):
    content, _, _ = make()
    artifacts.write_json(tmp_path / "x.json", content)
    back = json.loads((tmp_path / "x.json").read_text())
    assert (back["outcome"], back["status"], back["promote"]) == ("better", 0, True)
    assert back["comparison"]["effect"] == pytest.approx(0.2)
    assert back["drift"]["moved_classes"] == ["<b>|x"]
    assert back["challenger"]["data_digest"] == "abc"


def test_the_page_says_what_the_record_holds():
    text = report.markdown(make(left_out=10)[0])
    assert text.startswith("# Retraining: version 2 is better\n")
    assert "87.5% when it was trained" in text
    assert "on 90 of today's 100 test images; 10 were left out" in text
    assert "AUC 0.90 [0.80, 1.00]" in text
    assert "class shares moved by 12.5% of the images" in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("before", "after", "title", "change"),
    [
        (90, 70, "is worse", ", worse: 70% instead of 90%"),
        (70, 90, "is better", ", better: 90% instead of 70%"),
        (70, 71, "is not better", ", which may be chance: 71% instead of 70%"),
    ],
)
def test_the_page_calls_a_change_what_its_interval_says(before, after, title, change):
    text = report.markdown(make(before, after)[0])
    assert text.startswith(f"# Retraining: version 2 {title}\n")
    assert change in text


def test_a_commit_with_changes_beside_it_is_no_commit():
    content = make()[0]
    content["challenger"] |= {"git.commit": "abc123", "git.dirty": "true"}
    content["champion"] |= {"git.commit": "def456", "git.dirty": "false"}
    text = report.markdown(content)
    assert "| abc123, with changes that were not committed | def456 |" in text


def test_names_from_the_data_stay_text():
    text = report.markdown(make()[0])
    assert "<b>" not in text
    assert "&lt;b&gt;\\|x" in text


def test_what_was_not_measured_is_said():
    text = report.markdown(make(test=None, note="3 new images, too few to test", left_out=100)[0])
    assert "No test: 3 new images, too few to test." in text
    assert "Nothing to compare: 0 of today's 100 test images; 100 were left out" in text


def test_the_first_model_has_no_champion_beside_it():
    decided = decide(Candidate("1", ()), None, None)
    content = report.record(decided, "plateau", {"version": "1", **TAGS}, None, None, None, None)
    text = report.markdown(content)
    assert "champion (none)" in text
    assert "##" not in text


def test_the_metrics_are_numbers_only():
    _, compared, drift = make()
    found = report.metrics(compared, drift)
    assert {"effect", "effect_low", "effect_high", "champion_accuracy", "drift_auc"} <= set(found)
    assert all(isinstance(value, float) for value in found.values())
    assert report.metrics(None, None) == {}
