"""A watched Keras script: its own figures, epoch by epoch, and the training that it has unwatched."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

SAVING = '\nimport numpy as _np; _np.savez("{file}.npz", *[_np.asarray(w) for w in model.get_weights()])\n'


def test_every_fit_and_evaluation_is_kept(prepare, capture):
    status, printed, out = capture("watch", prepare("sequential"))
    assert status == 0, printed
    record = json.loads((out / "watch.json").read_text())
    assert (record["status"], record["is_trained"], record["error"]) == ("ended", True, None)
    assert record["epochs_planned"] == len(record["epochs"]) == 2
    assert [len(epoch["evaluations"]) for epoch in record["epochs"]] == [1, 2]
    assert all(0 <= epoch["training"]["accuracy"] <= 1 for epoch in record["epochs"])
    moved = record["epochs"][-1]["moved"]
    assert moved["tiny/conv1"]["change"] > 0 and moved["tiny/bn1"]["statistics"] > 0
    assert f"{record['epochs'][-1]['evaluations'][1]['accuracy']:.4f}"[:5] in printed


def test_frozen_layers_are_seen_not_to_move(prepare, capture):
    folder = prepare("legacy", (("base.trainable = True", "base.trainable = False"),))
    _, _, out = capture("watch", folder)
    moved = json.loads((out / "watch.json").read_text())["epochs"][-1]["moved"]
    assert moved["tiny/conv1"]["change"] == 0 < moved["dense"]["change"]


def test_a_script_that_fails_after_its_training_has_been_watched(prepare, capture):
    folder = prepare("legacy")
    script = folder / "train.py"
    script.write_text(script.read_text() + "\nopen('missing/plot.png', 'w')\n")
    status, printed, out = capture("watch", folder)
    record = json.loads((out / "watch.json").read_text())
    assert (status, record["is_trained"], record["error"]["class"]) == (1, True, "FileNotFoundError")
    assert "plateau_cause" not in printed


@pytest.mark.slow
def test_watching_changes_no_bit_of_the_weights(prepare, capture, keras_python):
    folder = prepare("sequential")
    script = folder / "train.py"
    text = script.read_text()
    script.write_text(text + SAVING.format(file="watched"))
    assert capture("watch", folder)[0] == 0
    script.write_text(text + SAVING.format(file="bare"))
    subprocess.run([keras_python, "train.py"], cwd=folder, check=True, capture_output=True)
    with np.load(folder / "watched.npz") as watched, np.load(folder / "bare.npz") as bare:
        assert all(np.array_equal(watched[key], bare[key]) for key in bare.files)
