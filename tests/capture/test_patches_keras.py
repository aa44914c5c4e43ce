"""Diffs of Keras scripts: layers are unfrozen, their batch norms are not."""

import subprocess

import pytest

from plateau_cause.capture.patches_keras import preprocessed, unfrozen_but_norms

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


@pytest.mark.parametrize("text", ["freeze(base)\n", "base.trainable = flag\n", "Dense(3, trainable=False)\n"])
def test_what_does_not_stand_in_plain_sight_has_no_patch(text, tmp_path):
    (tmp_path / "train.py").write_text(text)
    assert unfrozen_but_norms(tmp_path, {"file": "train.py", "line": 1}) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Gen(rescale=1 / 255, preprocessing_function=prepare)\n", "Gen(preprocessing_function=prepare)\n"),
        ("Gen(preprocessing_function=prepare, rescale=1 / 255)\n", "Gen(preprocessing_function=prepare)\n"),
        ("Gen(\n    9,\n    rescale=1 / 255,\n    preprocessing_function=prepare,\n)\n",
         "Gen(\n    9,\n    preprocessing_function=prepare,\n)\n"),
    ],
)  # fmt: skip
def test_images_that_are_prepared_twice_lose_the_rescaling(before, after, tmp_path):
    (tmp_path / "train.py").write_text(before)
    patch = preprocessed(tmp_path, {"file": "train.py", "line": 1}, "MobileNet", "tf")
    subprocess.run(["patch", "-p1"], cwd=tmp_path, input=patch, text=True, check=True, capture_output=True)
    assert (tmp_path / "train.py").read_text() == after
