"""Steps of a pipeline done again without chance: what else they do, they still do."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "src"
SCENE = """
import json
import tensorflow as tf
from plateau_cause.capture.keras_child.interventions.data import _cleaned
from plateau_cause.capture.keras_child.describe import origins
from plateau_cause.capture.keras_child.feeds import Feed
from plateau_cause.capture.keras_child.scene import Built, Scene

images = tf.reshape(tf.range(2 * 4 * 4 * 3, dtype=tf.float32), (2, 4, 4, 3)) * 2.5
source = tf.data.Dataset.from_tensor_slices((images, [0, 1]))
scene = Scene()

@GRAPH
def augmented(image, label):
    STEPS
    return image, label

made = source.map(augmented)
scene.steps.remember(made, Built("map", {"self": source, "map_func": augmented}, None))
found = _cleaned(Feed(made), scene)
read = None if found is None else [[float(x) for x in tf.reshape(one, -1)] for one, _ in found]
again = None if found is None else [[float(x) for x in tf.reshape(one, -1)] for one, _ in found]
given = [[float(x) for x in tf.reshape(one, -1)] for one in images]
print(json.dumps({"read": read, "again": again, "given": given}))
"""
RESCALED = "image = tf.image.random_flip_left_right(tf.image.random_brightness(image, 60.0)) / 255.0"
CROPPED = "image = tf.image.random_crop(image, (2, 2, 3)) / 255.0"
OWN = "image = tf.roll(image, tf.random.uniform((), 0, 1000, tf.int32), 0) + tf.random.uniform(())"
OWN_RESCALED = f"{OWN}; image = image / 255.0"


@pytest.fixture
def cleaned(keras_python):
    """Returns a function that gives what a pipeline of some steps reads without chance."""

    def run(steps, graph=""):
        code = SCENE.replace("STEPS", steps).replace("@GRAPH\n", graph)
        quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(SOURCES)}
        ended = subprocess.run([keras_python, "-c", code], capture_output=True, text=True, check=False,
                               env={**os.environ, **quiet})  # fmt: skip
        assert ended.returncode == 0, ended.stderr[-2000:]
        return json.loads(ended.stdout.splitlines()[-1])

    return run


@pytest.mark.parametrize("graph", ["", "@tf.function\n"])
def test_a_step_that_rescales_too_still_does(graph, cleaned):
    found = cleaned(RESCALED, graph)
    assert found["read"] == [pytest.approx([one / 255 for one in image]) for image in found["given"]]


def test_a_random_crop_is_the_middle(cleaned):
    found = cleaned(CROPPED)
    assert found["read"] == found["again"] and len(found["read"][0]) == 12
    middle = [5 * 3 + one for one in range(6)] + [9 * 3 + one for one in range(6)]
    assert found["read"][0] == pytest.approx([found["given"][0][one] / 255 for one in middle])


def test_chance_of_its_own_is_left_out_whole(cleaned):
    found = cleaned(OWN)
    assert found["read"] == found["given"]


def test_unless_something_else_would_be_lost(cleaned):
    assert cleaned(OWN_RESCALED)["read"] is None
