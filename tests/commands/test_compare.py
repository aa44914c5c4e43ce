"""plateau compare: differences, accuracies and the paired interval, as text and as JSON."""

import json

import numpy as np
import pytest

from plateau_cause import artifacts
from plateau_cause.lab.effect import effect

ARMS = "data/interventions/arm_predictions.parquet"


def test_two_arms(call, finished):
    ended = call("compare", "recipe", "reference")
    assert ended.status == 0
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["recipe.trainable", "head", "all"] in lines
    assert ["test", "accuracy", "50%", "90%"] in lines
    assert "preprocessing" not in ended.out
    assert "on 20 test images: +40 points [" in ended.out


def test_as_json(call, finished):
    found = json.loads(call("compare", "recipe", "reference", "--json").out)
    hits = [np.arange(20) < n for n in (10, 18)]
    expected = effect([(hits[0], hits[1])])
    assert found["paired"] == {
        "images": 20,
        "effect": pytest.approx(0.4),
        "ci": [expected.low, expected.high],
    }
    assert found["differences"] == {"recipe.trainable": ["head", "all"]}
    assert [run["accuracy"]["test"] for run in found["runs"]] == [0.5, 0.9]


def test_an_arm_with_itself_is_not_decided(call, finished):
    assert "0.0 points" in (out := call("compare", "recipe", "recipe").out)
    assert "not decided" in out


def test_test_images_that_differ_are_said_first(call, finished):
    table = artifacts.read_parquet(finished / ARMS)
    changed = (table["arm"] == "reference") & (table["image_id"] == "00.png")
    ids = table["image_id"].mask(changed, "new.png")
    artifacts.write_parquet(finished / ARMS, table.assign(image_id=ids))
    out = " ".join(call("compare", "recipe", "reference").out.split())
    assert "Warning: the test images are not the same: 1 only in 1, 1 only in 2." in out
    assert out.index("Warning") < out.index("on 19 test images")
    found = json.loads(call("compare", "recipe", "reference", "--json").out)
    assert found["test_images"] == {
        "same": False, "only_first": 1, "only_second": 1, "relabelled": 0, "other_pixels": 0,
    }  # fmt: skip


def test_the_same_test_images_need_no_warning(call, finished):
    assert "Warning" not in call("compare", "recipe", "reference").out
    assert json.loads(call("compare", "recipe", "reference", "--json").out)["test_images"]["same"] is True


def test_no_test_image_in_common_gives_no_change(call, finished):
    table = artifacts.read_parquet(finished / ARMS)
    ids = table["image_id"].mask(table["arm"] == "reference", "other/" + table["image_id"])
    artifacts.write_parquet(finished / ARMS, table.assign(image_id=ids))
    out = call("compare", "recipe", "reference").out
    assert "No interval: no test image in common. The accuracies above may be of different images." in out
    assert "points" not in out


def test_an_unknown_name_says_what_there_is(call, finished):
    ended = call("compare", "recipe", "refrence")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "did you mean reference?" in ended.err
    assert "arms here: recipe, reference" in ended.err


def test_outside_a_project(call):
    assert call("compare", "a", "b").status == 2
