"""A watched run: what it measures is what the script prints, and the script trains as it does unwatched."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from capture_cases import CASES, line_of

from plateau_cause.capture import launch
from plateau_cause.capture.rules.every import observe

UNREAD = '\nextra = torch.utils.data.DataLoader(datasets.ImageFolder("data/test", transform(True)), 4)\n'
KEEPING = '\nimport torch as _t; _t.save({name}.state_dict(), "{file}.pt")\n'


@pytest.fixture
def watch(capture):
    """Returns a function that watches the script of a folder: (status, what it printed, the record)."""

    def run(folder, **given):
        status, printed, out = capture("watch", folder, **given)
        return status, printed, json.loads((out / "watch.json").read_text())

    return run


def printed_accuracies(printed):
    """Returns the accuracies that a script printed: numbers from 0 to 1 with a point, not in warnings."""
    said = "\n".join(line for line in printed.splitlines() if re.match(r"^(\w+ )*[\w@:, ]*[01]\.\d+$", line))
    return [float(found) for found in re.findall(r"(?<![\d.])[01]\.\d+", said)]


@pytest.mark.parametrize("name", [name for name in CASES if name != "tutorial"])
def test_the_accuracies_are_those_that_the_script_prints(name, prepare, watch):
    status, printed, record = watch(prepare(name), **CASES[name].run)
    assert (status, record["status"], record["is_trained"], record["error"]) == (0, "ended", True, None)
    assert record["problems"] == []
    epochs = [one for one in record["epochs"] if one["training"]]
    assert len(epochs) == record["epochs_planned"] == 2
    measured = [found["accuracy"] for one in epochs for found in one["evaluations"]]
    assert measured == pytest.approx(printed_accuracies(printed), abs=6e-4)
    assert all(one["training"]["accuracy"] is not None for one in epochs)
    assert all(one["training"]["loss"] > 0 for one in epochs)


def test_training_accuracy_is_what_the_script_adds_up_itself(prepare, watch):
    _, printed, record = watch(prepare("tutorial"))
    said = re.findall(r"(train|val) Acc: ([\d.]+)", printed)
    measured = [
        (phase, row["accuracy"])
        for epoch in record["epochs"]
        for phase, row in [("train", epoch["training"]), *(("val", one) for one in epoch["evaluations"])]
    ]
    assert [phase for phase, _ in said] == [phase for phase, _ in measured]
    assert [value for _, value in measured] == pytest.approx([float(value) for _, value in said], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "model", "before"),
    [
        ("functions", "net", ("    for epoch", "    globals().update(net=net)\n    for epoch")),
        ("in_memory", "net", None),
        ("averaged", "model", None),
    ],
)
def test_watching_changes_no_bit_of_the_weights(name, model, before, prepare, watch):
    import torch

    folder = prepare(name, *([before] if before else []))
    script = folder / "train.py"
    text = script.read_text() + (UNREAD if name == "averaged" else "")
    script.write_text(text + KEEPING.format(name=model, file="watched"))
    _, _, record = watch(folder)
    script.write_text(text + KEEPING.format(name=model, file="bare"))
    subprocess.run([sys.executable, "train.py"], cwd=folder, check=True, env=_single(), capture_output=True)
    watched, bare = (torch.load(folder / f"{file}.pt") for file in ("watched", "bare"))
    assert all(torch.equal(watched[key], bare[key]) for key in bare)
    if name == "averaged":
        by = [one["by"] for one in record["epochs"][-1]["evaluations"]]
        assert by == ["the script", "plateau"]


def test_what_never_moves_is_seen_not_to_move(prepare, watch):
    folder = prepare("tutorial", ("SGD(model_ft.parameters()", "SGD(model_ft.fc.parameters()"))
    _, _, record = watch(folder)
    moved = record["epochs"][-1]["moved"]
    assert moved["layer1.0.conv1"]["change"] == 0 < moved["fc"]["change"]
    assert moved["layer1.0.bn1"]["statistics"] > 0


def test_a_script_that_fails_after_its_training_has_been_watched(prepare, watch):
    folder = prepare("module_level")
    script = folder / "train.py"
    script.write_text(script.read_text() + "\nopen('missing/plot.png', 'w')\n")
    status, printed, record = watch(folder)
    assert status == 1
    assert "FileNotFoundError" in printed and "plateau_cause" not in printed
    assert (record["is_trained"], len(record["epochs"])) == (True, 2)
    assert record["error"]["place"] == {"file": "train.py", "line": line_of(script, "missing/plot.png")}


def test_a_script_that_fails_in_its_training_is_not_called_trained(prepare, watch):
    folder = prepare("module_level", ("    model.eval()\n", "    model.eval()\n    assert epoch == 1\n"))
    status, _, record = watch(folder)
    assert (status, record["is_trained"], len(record["epochs"])) == (1, False, 1)


def test_a_killed_run_leaves_whole_files_only(prepare, tmp_path):
    folder = prepare("module_level", ("range(2)", "range(100000)"))
    out = tmp_path / "out"
    out.mkdir()
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"mode": "watch", "target": "train.py", "is_module": False, "arguments": [],
                               "out": str(out)}))  # fmt: skip
    process = subprocess.Popen([sys.executable, str(launch.START), str(job)], cwd=folder, env=_single(),
                               stdout=subprocess.DEVNULL)  # fmt: skip
    while not (out / "watch.json").exists():
        time.sleep(0.05)
        assert process.poll() is None
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    record = json.loads((out / "watch.json").read_text())
    assert record["status"] == "running" and record["epochs"]


def _single():
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def test_layers_that_move_later_are_not_said_to_stand_still(prepare, watch, peek):
    """A script that unfreezes its first layer in the third epoch, by a line that no reader recognises."""
    folder = prepare(
        "module_level",
        ("range(2)", "range(3)"),
        ("optimizer = torch", "model[0].requires_grad_(False)\noptimizer = torch"),
        (
            "    model.train()\n",
            "    model.train()\n    setattr(model[0].weight, 'requires_grad', epoch > 1)\n",
        ),
    )
    content = peek(folder)
    assert [one.code for one in observe(content, folder)] == ["frozen_layers"]
    assert observe(content, folder, watch(folder)[2]) == []
