"""Images held out of a Keras script without validation: the same in every run, none trained on."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "src"
SHARE = {"hold_out": {"share": 0.25, "loader": 0}}
SCENE = """
import json
import os
import tempfile
import keras
import numpy as np
import tensorflow as tf
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.keras_child.dividing import divided
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.feeds import Feed, batches
from plateau_cause.capture.keras_child.scene import Scene

import keras.src.legacy.preprocessing.image
scene = Scene()
hooks = Hooks()
hooks.paused = False
doors = Doors(hooks, scene)
doors.install(keras)
doors.install_data(tf)
images = np.arange(20 * 12, dtype="float32").reshape(20, 2, 2, 3)
numbers = np.arange(20)
def read(feed):
    return [int(one) for _, y in batches(feed) for one in np.asarray(y)]
data = tf.data.Dataset.from_tensor_slices((images, numbers))
room = tempfile.mkdtemp()
files = [os.path.join(room, f"{one:02d}.png") for one in range(20)]
for one in files:
    open(one, "w").close()
def position(path):
    return tf.strings.to_number(tf.strings.substr(path, -6, 2), tf.int32)
told = {}
for name, text in FEEDS.items():
    try:
        parts = divided(eval(text), 0.25, scene, keras)
        told[name] = [[read(one) for one in parts] for _ in range(2)]
    except ValueError as error:
        told[name] = str(error)
print(json.dumps(told))
"""
ALL = {
    "arrays": "Feed(images, numbers)",
    "a list of arrays": "Feed([images, images], list(numbers))",
    "a pipeline": "Feed(data.shuffle(20).map(lambda x, y: (tf.image.random_brightness(x, 9.0), y)).batch(4))",
    "files": "Feed(tf.data.Dataset.list_files(files).map(lambda path: (path, position(path))).batch(4))",
    "a cache": "Feed(data.cache().shuffle(20).batch(4).prefetch(1))",
    "a last batch dropped": "Feed(data.batch(4, drop_remainder=True))",
    "a generator of images": "Feed(keras.src.legacy.preprocessing.image.ImageDataGenerator(rotation_range=9)"
    ".flow(images, numbers, batch_size=4))",
}
OTHERS = {
    "more steps than batches": "Feed(data.batch(4), steps=5)",
    "without end": "Feed(data.repeat().batch(4), steps=5)",
    "an iterator": "Feed(iter([]))",
    "an order of its own": "Feed(tf.data.Dataset.zip((data.shuffle(20, seed=1), data.shuffle(20, seed=1)))"
    ".map(lambda one, other: one).batch(4))",
    "one image": "Feed(tf.data.Dataset.from_tensor_slices((images[:1], numbers[:1])))",
}
SCRIPTS = {
    "arrays": ("sequential", (
        ("validation_split=0.25", "verbose=0"), ("print(model.evaluate(x_test, y_test))", ""))),
    "a folder": ("functional", ((", validation_data=val_ds", ""),)),
    "a pipeline": ("pipeline", ((" validation_data=val,", ""),)),
    "a flow": ("generator", ((", validation_data=val_flow", ""),)),
    "two fits": ("subclassed", ((("epochs=1, validation_data=val)\n\nbase"), "epochs=1)\n\nbase"),
                                (", validation_data=val)", ")"))),
}  # fmt: skip


@pytest.fixture(scope="module")
def divisions(keras_python):
    """Returns what is read of the two parts of each feed, in two passes; or why it has none."""
    quiet = {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(SOURCES),
        "KERAS_BACKEND": "tensorflow",
    }
    code = SCENE.replace("FEEDS", repr(ALL | OTHERS))
    ended = subprocess.run([keras_python, "-c", code], capture_output=True, text=True, check=False,
                           env={**os.environ, **quiet})  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ALL)
def test_every_image_is_in_one_part_and_the_parts_stay(name, divisions):
    (kept, held), (kept_again, held_again) = divisions[name]
    assert len(held) == 5 and held == held_again  # in their order
    assert len(kept) == (12 if "dropped" in name else 15) and not {*kept} & {*held}
    assert "dropped" in name or {*kept, *held} == {*range(20)}
    assert sorted(kept_again) == sorted(kept)


def test_an_epoch_has_no_more_steps_than_there_are(divisions):
    (kept, _), _ = divisions["more steps than batches"]
    assert len(kept) == 15
    (kept, _), _ = divisions["without end"]
    assert len(kept) == 20


def test_what_cannot_be_divided_is_said(divisions):
    assert divisions["an iterator"] == "list_iterator reads its images in a way of its own"
    assert "in another order in every pass" in divisions["an order of its own"]
    assert divisions["one image"] == "1 images are too few to hold some out"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_without_validation_is_judged_on_images_held_out(name, prepare, replay):
    script, edits = SCRIPTS[name]
    folder = prepare(script, edits)
    (result, hits), (again, others) = (replay(folder, one) for one in
                                       (SHARE, {**SHARE, "rate": {"times": 0.1}}))  # fmt: skip
    assert result["interventions"]["hold_out"]["took"] and again["interventions"]["rate"]["took"]
    assert list(hits) == ["val"] and len(hits["val"]) == len(others["val"]) in (9, 12)
    assert all(not epoch["evaluations"] for epoch in result["epochs"])  # callbacks see no validation


TRAINED = {  # scripts that judge images that they train on
    "the same arrays": ("sequential", (
        ("validation_split=0.25", "verbose=0"), ("x_train[order], y_train[order]", "x_train, y_train"),
        ("evaluate(x_test, y_test)", "evaluate(x_train, y_train)"))),
    "a part of them": ("sequential", (
        ("validation_split=0.25", "verbose=0"), ("x_train[order], y_train[order]", "x_train, y_train"),
        ("evaluate(x_test, y_test)", "evaluate(x_train[8:20], y_train[8:20])"))),
    "a part of a pipeline": ("pipeline", (("validation_data=val", "validation_data=train.take(2)"),)),
    "the same folder": ("functional", (('load("data/val"', 'load("data/train"'),)),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAINED)
def test_evaluating_what_was_trained_on_is_no_evaluation(name, prepare, capture):
    script, edits = TRAINED[name]
    folder = prepare(script, edits)
    for interventions in ({}, {"shuffle": {}}):
        job = {"seed": 0, "interventions": [*interventions], "settings": interventions}
        status, printed, out = capture("replay", folder, **job)
        assert status == 0, printed
        assert not (out / "hits.npz").exists()
        assert json.loads((out / "replay.json").read_text())["is_trained"]
