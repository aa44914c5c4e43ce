"""What a run's curves ask for: only what is asked about, and nothing that the run has already."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from plateau_cause.capture.rules.observation import Peeked
from plateau_cause.pipeline.script_asks import Asks

PLACE = {"file": "train.py", "line": 1}
HELD_OUT = 0.6  # accuracy
FLAT, FALLING = [2.3, 2.29, 2.28], [2.3, 1.8, 1.2]


class Bench:
    def __init__(self):
        self.settings = {}

    def prepare(self, one):
        self.settings[one.name] = one.settings


def asks(tmp_path, causes="all", **given):
    groups = [{"lr": 0.1, "rates": [0.1], "weight_decay": 0.5}]
    data_set = {"transform": {"steps": [], "place": PLACE}, "place": None}
    train = {"role": "train", "at_random": ["RandomErasing()"], "data_set": data_set, "labels": {}}
    content = {
        "loaders": [train],
        "model": {"change_per_step": 1e-5, "dropout": {"p": 0.9, "place": PLACE}},
        "optimizers": [{"class": "optim.SGD", "place": PLACE, "groups": groups, "rates_by_hand": []}],
        "epochs": {"count": 3, "place": PLACE},
        "schedules": [],
        "script": {"arguments": []},
    }
    return Asks(Peeked(content, tmp_path), Bench(), causes, **given)


def run(losses, accuracy, *interventions):
    moved = {"fc": {"change": 1e-4, "norm": 1.0, "statistics": None}}
    rows = [{"training": {"loss": loss, "accuracy": accuracy}, "moved": moved} for loss in losses]
    evaluations = {"val": {"accuracy": 0.1, "images": 40, "classes": 10, "majority": 0.1}}
    content = {"epochs": rows, "evaluations": evaluations, "train_accuracy": accuracy, "steps": 60}
    return SimpleNamespace(
        content=content, all_hits=np.ones(40) * HELD_OUT, interventions=frozenset(interventions)
    )


def names(asking, *given, room=3.0):
    return [one.name for ask in asking.in_turn() for one in ask(run(*given), room)]


def test_a_training_that_fits_nothing_is_asked_for_everything(tmp_path):
    assert names(asks(tmp_path), FALLING, 0.4) == [
        "no_decay", "training_clean", "no_dropout", "training_length",
    ]  # fmt: skip
    assert names(asks(tmp_path), FLAT, 0.1) == ["no_decay", "rate", "training_clean", "no_dropout"]


def test_one_that_fits_its_images_for_nothing(tmp_path):
    assert names(asks(tmp_path), FALLING, 0.95) == []


def test_only_causes_that_are_asked_about(tmp_path):
    assert names(asks(tmp_path, ["augmentation"]), FLAT, 0.1) == ["training_clean"]


@pytest.mark.parametrize("given", [{"reads_all": False}, {"known": frozenset({"training_length"})}])
def test_a_longer_training_on_all_images_and_once(given, tmp_path):
    assert "training_length" not in names(asks(tmp_path, **given), FALLING, 0.4)
    assert "training_length" not in names(asks(tmp_path), FALLING, 0.4, room=1.9)


def test_what_a_run_has_keeps_its_settings(tmp_path):
    asking = asks(tmp_path)
    assert "rate" not in names(asking, FLAT, 0.1, "rate")
    assert "rate" not in asking.bench.settings
    assert "no_decay" in asking.bench.settings


@pytest.mark.parametrize(
    ("held_out", "acting", "is_asked"), [(0.1, 4, True), (0.6, 4, False), (0.1, 0, False)]
)
def test_batch_norms_of_keras_that_hardly_carry_over_are_asked_about(held_out, acting, is_asked, tmp_path):
    base = {"name": "tiny", "acting_norms": acting, "called_at": PLACE, "place": None}
    asking = asks(tmp_path)
    asking.peeked.content["framework"], asking.peeked.content["model"] = "keras", {"base": base}
    told = run(FALLING, 0.99)
    told.all_hits = np.ones(40) * held_out
    found = asking.lagging(told, 3.0)
    assert [(one.name, one.cause, one.location, one.settings) for one in found] == (
        [("norm_momentum", "batch_norm", PLACE, {"momentum": 0.9})] if is_asked else []
    )
    assert not any("60 steps" not in one.words for one in found)
