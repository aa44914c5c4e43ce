"""Diffs of Keras scripts: layers are unfrozen, their batch norms are not."""

import subprocess

import pytest

from plateau_cause.capture.patches.keras_data import preprocessed
from plateau_cause.capture.patches.keras_model import frozen_last, unfrozen_but_norms
from plateau_cause.capture.patches.keras_training import compiled_again, logits_told

NORMS = '"BatchNormalization" not in type({}).__name__'
CASES = {
    "a base": (
        "base.trainable = False\n",
        "base.trainable = True\nfor layer in base.layers:\n    layer.trainable = "
        + NORMS.format("layer")
        + "\n",
    ),
    "an indented base": (
        "if True:\n    m.base.trainable = False\n",
        "if True:\n    m.base.trainable = True\n    for layer in m.base.layers:\n        layer.trainable = "
        + NORMS.format("layer")
        + "\n",
    ),
    "a loop": (
        "for one in base.layers:\n    one.trainable = False\n",
        "for one in base.layers:\n    one.trainable = " + NORMS.format("one") + "\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_all_but_batch_norms_are_unfrozen(name, tmp_path):
    before, after = CASES[name]
    (tmp_path / "train.py").write_text(before)
    line = next(n for n, text in enumerate(before.splitlines(), 1) if "False" in text)
    patch = unfrozen_but_norms(tmp_path, {"file": "train.py", "line": line})
    subprocess.run(["patch", "-p1"], cwd=tmp_path, input=patch, text=True, check=True, capture_output=True)
    assert (tmp_path / "train.py").read_text() == after


def test_what_is_frozen_again_before_another_fit_is_unfrozen_there_too(tmp_path):
    text = "base.trainable = False\nmodel.fit(x, y)\nother.trainable = False\nbase.trainable = False\n"
    (tmp_path / "train.py").write_text(text)
    first = {"file": "train.py", "line": 1}
    assert frozen_last(tmp_path, first) == {"file": "train.py", "line": 4}
    assert frozen_last(tmp_path, {"file": "train.py", "line": 2}) == {"file": "train.py", "line": 2}
    assert frozen_last(tmp_path, None) is None
    patch = unfrozen_but_norms(tmp_path, first)
    assert patch.count("+base.trainable = True") == 2 and "+other" not in patch


def test_a_compile_on_several_lines_is_repeated_on_one(tmp_path):
    text = "model.compile(\n    optimizer=make(1e-3),  # as before\n    loss='mse',\n)\nmodel.fit(x, y)\n"
    (tmp_path / "train.py").write_text(text)
    fit, compiled = ({"file": "train.py", "line": line} for line in (5, 1))
    patch = compiled_again(tmp_path, fit, compiled, thaws=False)
    assert "+model.compile(optimizer=make(0.001), loss='mse')\n" in patch


LOSSES = """\
model.compile("adam", BinaryCrossentropy(from_logits=True))
model.fit(x, y)
model.compile("sgd", BinaryCrossentropy(from_logits={second}))
"""


@pytest.mark.parametrize(
    ("second", "others", "changed"),
    [("True", False, 2), ("True", True, 1), ("False", False, 0), ("flag", False, 0)],
)
def test_the_losses_of_all_fits_are_told_or_none(second, others, changed, tmp_path):
    (tmp_path / "train.py").write_text(LOSSES.format(second=second))
    patch = logits_told(tmp_path, {"file": "train.py", "line": 1}, False, others)
    assert (patch or "").count("+model.compile") == changed


@pytest.mark.parametrize("text", ["freeze(base)\n", "base.trainable = flag\n", "Dense(3, trainable=False)\n"])
def test_what_does_not_stand_in_plain_sight_has_no_patch(text, tmp_path):
    (tmp_path / "train.py").write_text(text)
    assert unfrozen_but_norms(tmp_path, {"file": "train.py", "line": 1}) is None


@pytest.mark.parametrize(
    ("optimizer", "again"),
    [
        ("keras.optimizers.Adam(1e-2)", "keras.optimizers.Adam(0.0001)"),
        ("keras.optimizers.SGD(momentum=0.9, learning_rate=0.001)",
         "keras.optimizers.SGD(momentum=0.9, learning_rate=1e-05)"),
        ("keras.optimizers.Adam(1e-6)", "keras.optimizers.Adam(1e-6)"),
        ('"adam"', "keras.optimizers.Adam(1e-05)"),
        ("made", "made"),
    ],
)  # fmt: skip
def test_what_is_unfrozen_is_compiled_at_a_lower_rate(optimizer, again, tmp_path):
    text = f'import keras\nmodel.compile({optimizer}, "mse")\nbase.trainable = True\nmodel.fit(x, y)\n'
    (tmp_path / "train.py").write_text(text)
    places = ({"file": "train.py", "line": line} for line in (4, 2))
    patch = compiled_again(tmp_path, *places, thaws=True)
    (added,) = [line for line in patch.splitlines() if line.startswith("+model")]
    assert added == f'+model.compile({again}, "mse")'


def test_every_generator_prepares_as_the_network_wants(tmp_path):
    (tmp_path / "train.py").write_text(
        "import tensorflow as tf\na = Gen(rescale=1 / 255, zoom_range=0.1)\nb = Gen(rescale=1 / 255)\n"
    )
    patch = preprocessed(tmp_path, {"file": "train.py", "line": 2}, "MobileNetV2", "tf")
    added = [line for line in patch.splitlines() if line.startswith("+") and "Gen" in line]
    function = "preprocessing_function=tf.keras.applications.mobilenet_v2.preprocess_input"
    assert added == [f"+a = Gen({function}, zoom_range=0.1)", f"+b = Gen({function})"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Gen(rescale=1 / 255, preprocessing_function=prepare)\n", "Gen(preprocessing_function=prepare)\n"),
        ("Gen(preprocessing_function=prepare, rescale=1 / 255)\n", "Gen(preprocessing_function=prepare)\n"),
        ("Gen(\n    9,\n    rescale=1 / 255,\n    preprocessing_function=prepare,\n)\n",
         "Gen(\n    9,\n    preprocessing_function=prepare,\n)\n"),
        ("a = Gen(rescale=1 / 255, preprocessing_function=one)\n"
         "b = Gen(9, rescale=1 / 255, preprocessing_function=one)\n",
         "a = Gen(preprocessing_function=one)\nb = Gen(9, preprocessing_function=one)\n"),
        ("x = Rescaling(1 / 255)(x)\nx = preprocess_input(x)\n", "x = preprocess_input(x)\n"),
        ("x = Rescaling(1 / 255)(images)\nx = preprocess_input(x)\n",
         "x = images\nx = preprocess_input(x)\n"),
    ],
)  # fmt: skip
def test_images_that_are_prepared_twice_lose_the_rescaling(before, after, tmp_path):
    (tmp_path / "train.py").write_text(before)
    patch = preprocessed(tmp_path, {"file": "train.py", "line": 1}, "MobileNet", "tf")
    subprocess.run(["patch", "-p1"], cwd=tmp_path, input=patch, text=True, check=True, capture_output=True)
    assert (tmp_path / "train.py").read_text() == after
