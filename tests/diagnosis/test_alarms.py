"""What contradicts a verdict: each planted, and silence where nothing is."""

import numpy as np
import pytest

from plateau_cause.diagnosis.alarms import Seen, alarms, balanced_accuracy

CLASSES = ("a", "b", "c", "d")
LABELS = np.tile(np.arange(4), 50)


def seen(**changes):
    sound = {
        "classes": CLASSES, "predictions": LABELS, "labels": LABELS, "val_accuracy": 1.0, "val_images": 100,
        "leaked": {"val": 0.0, "test": 0.0}, "split_auc": 0.5, "probe_val": 0.9, "best_val": 1.0,
        "min_effect": 0.03,
    }  # fmt: skip
    return Seen(**{**sound, **changes})


def codes(**changes):
    return [alarm.code for alarm in alarms(seen(**changes))]


def test_silence_where_nothing_is_wrong():
    assert codes() == []
    wrong = LABELS.copy()
    wrong[:10] = (wrong[:10] + 1) % 4
    assert codes(predictions=wrong, val_accuracy=0.93) == []
    assert codes(wrong_labels={"train": (0.3, 0.2, 0.7), "held_out": (0.1, 0.05, 0.9)}) == []
    assert codes(wrong_labels={"train": (0.23, 0.18, 0.0), "held_out": (0.49, 0.4, 0.0)}) == []  # rare ones


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"predictions": (LABELS + 1) % 4}, "splits_apart"),
        ({"predictions": (LABELS + 1) % 4}, "below_chance"),
        ({"predictions": np.zeros(200, int)}, "at_chance"),
        ({"wrong_labels": {"train": (0.17, 0.12, 0.8), "held_out": (0.19, 0.14, 0.8)}}, "wrong_labels"),
        ({"predictions": np.zeros(200, int), "val_accuracy": 0.25}, "one_class"),
        ({"predictions": np.where(LABELS == 3, 0, LABELS), "val_accuracy": 0.75}, "never_recognised"),
        ({"probe_val": 0.95, "best_val": 0.8}, "probe_ahead"),
        ({"leaked": {"val": 0.98, "test": 0.0}}, "leaked_val"),
        ({"leaked": {"val": 0.0, "test": 0.2}}, "leaked_test"),
        ({"split_auc": 0.9986}, "split_shift"),
    ],
)
def test_each_that_is_planted_is_said_in_one_sentence(changes, code):
    found = {alarm.code: alarm for alarm in alarms(seen(**changes))}
    assert code in found
    assert found[code].words.endswith(".") and "\n" not in found[code].words


def test_a_majority_that_is_always_predicted_is_told_by_the_mean_over_classes():
    labels = np.array([0] * 190 + [1] * 10)
    found = codes(
        classes=("other", "three"), labels=labels, predictions=np.zeros(200, int), val_accuracy=0.95,
        best_val=0.95,
    )  # fmt: skip
    assert found == ["one_class", "never_recognised", "unbalanced"]
    assert balanced_accuracy(np.zeros(200, int), labels) == 0.5


def test_few_images_say_nothing():
    few = np.array([0, 1, 2, 3])
    assert codes(labels=few, predictions=np.array([0, 1, 2, 0]), val_accuracy=0.9, val_images=5) == []


def test_what_a_probe_gains_by_chance_is_no_alarm():
    assert codes(probe_val=0.84, best_val=0.8, val_images=50) == []
