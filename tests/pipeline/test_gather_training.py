"""What the stages leave on disk comes back as the content of the pictures."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tiny import make_arm, tiny_dataset, tiny_diagnosis

from plateau_cause import artifacts
from plateau_cause.diagnosis import record
from plateau_cause.lab import landscape, store
from plateau_cause.pipeline import intervene
from plateau_cause.pipeline.arms import LOST
from plateau_cause.pipeline.gather_training import before_after, gather_training, tuned

GOOD = {"schedule.epochs": 8, "optimizer.learning_rate": 0.01, "schedule.name": "cosine"}
HALF = "best - half of the images"
LIMITED = {
    "cause": "limited_data",
    "effect": 0.05,
    "levels": {"more_data": 0.95},
    "runs": [HALF],
    "subsets": {"half": 27},
}


@pytest.fixture
def written(make_lab, tmp_path):
    """Returns the folder that the stages left, the laboratory, the diagnosis and its record."""
    dataset = tiny_dataset(_made(tmp_path / "data/prepared"))
    artifacts.write_parquet(tmp_path / "data/prepared/manifest.parquet", dataset.manifest)
    artifacts.write_json(tmp_path / "data/prepared/classes.json", list(dataset.classes))
    lab = make_lab(dataset=dataset, folder=tmp_path / "runs")
    arms = {"recipe": make_arm({"trainable": "none"}), "reference": make_arm(GOOD)}
    for name, arm in arms.items():
        result = lab.run(arm, keep_weights=True)
        store.save(tmp_path / "data/arms" / name, result)
        artifacts.write_json(tmp_path / f"data/arms/{name}/arm.json", {"keys": [result.key]})
    diagnosed = tiny_diagnosis(lab, *arms.values())
    targets, val, test = dataset.targets, dataset.indices("val"), dataset.indices("test")
    found = record.record(diagnosed, targets, val, test, 0.03)
    surface = landscape.survey(lab, diagnosed.runs["recipe"], diagnosed.runs["reference"])
    intervene.write(tmp_path, intervene.Found(lab, diagnosed, found), surface)
    return tmp_path, lab, diagnosed, found


def _made(folder):
    folder.mkdir(parents=True)
    return folder


def test_everything_comes_back(written):
    root, lab, diagnosed, found = written
    content = gather_training(root, found)
    table = content["predictions"]
    test = lab.dataset.indices("test")
    assert table["image_id"].tolist() == lab.dataset.manifest["image_id"].iloc[test].tolist()
    for column, name in (("before", "recipe"), ("after", found["recommended"]["name"])):
        hits = diagnosed.runs[name].correct(lab.dataset.targets[test])
        assert (table[column] == table["label"]).tolist() == hits.tolist()
    assert content["fix"] == found["recommended"]["name"] != "recipe"
    assert len(content["changed"]) > 0
    first = content["changed"][0]
    assert first.after == first.label != first.before
    signals = content["signals"]["reference"]
    assert signals.to_dict("records") == diagnosed.runs["reference"].outcome.signals
    expected = landscape.survey(lab, diagnosed.runs["recipe"], diagnosed.runs["reference"])
    assert set(content["landscape"]) == set(expected)
    assert all(np.array_equal(content["landscape"][name], expected[name]) for name in expected)


def test_without_a_landscape_there_is_none(written):
    root, lab, diagnosed, found = written
    intervene.write(root, intervene.Found(lab, diagnosed, found), {})
    assert gather_training(root, found)["landscape"] == {}


def test_what_a_diverged_network_sees_is_no_class(written):
    _, lab, diagnosed, found = written
    outcome = diagnosed.runs["recipe"].outcome
    outputs = outcome.test_outputs.copy()
    outputs[3] = np.nan
    lost = replace(diagnosed.runs["recipe"], outcome=replace(outcome, test_outputs=outputs))
    seen = replace(diagnosed, runs={**diagnosed.runs, "recipe": lost})
    table = intervene.all_predictions(intervene.Found(lab, seen, found))
    seen = before_after(table, found["recommended"]["name"])
    assert np.flatnonzero(seen["before"] == LOST).tolist() == [3]
    assert LOST not in set(seen["after"])


def test_the_best_recipe_over_images(tiny_dataset):
    runs = [
        {"name": "recipe", "test_accuracy": 0.2},
        {"name": HALF, "test_accuracy": 0.8},
    ]
    found = tuned(tiny_dataset, {"data": [LIMITED], "runs": runs})
    expected = {"n": [27, 54, 216], "accuracy": [0.8, 0.9, 0.95], "measured": [True, True, False]}
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected))
    assert tuned(tiny_dataset, {"data": [], "runs": runs}) is None
    assert tuned(tiny_dataset, {"data": [{**LIMITED, "levels": {}}], "runs": runs}) is None
