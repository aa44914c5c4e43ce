"""A script's pieces in plateau's own loop: the same images, model, loss and optimizer, so the same level."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from plateau_cause.capture import launch, transcription
from plateau_cause.config.params import Data
from plateau_cause.config.recipe import Recipe, put
from plateau_cause.errors import PlateauError
from plateau_cause.images.prepare import prepare as prepare_images
from plateau_cause.images.store import open_dataset
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.training.user_code import load_user_code


@pytest.fixture
def transcribe(capture, monkeypatch, tmp_path):
    """Returns a function that transcribes the script of a folder, captured in a fork of the zygote."""

    def run(folder, **given):
        def peek(script, out, takes_pieces):
            assert takes_pieces
            status, printed, found = capture("peek", folder, takes_pieces=True, cloudpickle="", **given)
            assert status == 0, printed
            return json.loads((found / "peek.json").read_text())

        monkeypatch.setattr(launch, "peek", peek)
        return transcription.transcribe(launch.Script("train.py", folder=folder), tmp_path / "peek")

    return run


@pytest.fixture
def train(tmp_path):
    """Returns a function that trains a transcription in a laboratory: accuracy on its test images."""

    def run(found, seed=0):
        prepare_images(Data(source="table", path=found.data["path"], stored_size=found.data["stored_size"]),
                       tmp_path / "prepared")  # fmt: skip
        values = {name: value for name, value in found.recipe.items() if not isinstance(value, dict)}
        nested = {f"{name}.{key}": one for name, value in found.recipe.items() if isinstance(value, dict)
                  for key, one in value.items()}  # fmt: skip
        torch.set_num_threads(1)
        dataset = open_dataset(tmp_path / "prepared")
        code = load_user_code(found.recipe["code"])
        lab = Laboratory(dataset, "resnet18", "none", code, torch.device("cpu"))
        arm = recipe_arm(lab, put(Recipe(), {**values, **nested}), seed)
        outputs = lab.run(arm, "recipe").outcome.test_outputs
        rows = dataset.indices("test")
        return float((np.asarray(outputs).argmax(1) == dataset.targets[rows]).mean())

    return run


LOW = ("lr=0.002", "lr=1e-6")


@pytest.mark.parametrize(("edits", "expected"), [([], "high"), ([LOW], "low")], ids=["healthy", "low rate"])
def test_a_transcription_reaches_what_the_script_reaches(
    edits, expected, prepare, transcribe, train, capture
):
    seeded = (
        "model = nn.Seq",
        "torch.manual_seed(1)\nmodel = nn.Seq",
    )  # some networks know colours untrained
    folder = prepare("module_level", ("range(2)", "range(6)"), seeded, *edits)
    status, printed, out = capture("watch", folder)
    assert status == 0, printed
    own = json.loads((out / "watch.json").read_text())["epochs"][-1]["evaluations"][0]["accuracy"]
    assert (own > 0.8) == (expected == "high")
    reached = train(transcribe(folder))
    assert reached == pytest.approx(own, abs=0.34)  # 6 test images: two of them
    assert (reached > 0.8) == (expected == "high")


@pytest.mark.parametrize("name", ["functions", "shadows", "by_hand", "accumulation", "averaged"])
def test_the_pieces_are_the_scripts_own(name, prepare, transcribe, tmp_path):
    found = transcribe(prepare(name))
    code = load_user_code(found.recipe["code"])
    model = code.build_model(3)
    first = torch.load(tmp_path / "peek/weights.pt")
    assert sum(value.numel() for state in first for value in state.values()) == sum(
        value.numel() for value in model.state_dict().values()
    )
    assert all(
        torch.equal(a, b)
        for a, b in zip([v for s in first for v in s.values()], model.state_dict().values(), strict=True)
    )
    held = code.optimizer(model).param_groups
    groups = found.peek["optimizers"][0]["groups"]
    assert [group["lr"] for group in held] == [group["lr"] for group in groups]
    assert sum(len(group["params"]) for group in held) == sum(group["parameters"] for group in groups)
    table = pd.read_csv(found.data["path"])
    assert table["split"].value_counts().to_dict() == {"train": 48, "val": 12, "test": 12}


def test_a_softmax_in_the_loop_comes_along(prepare, transcribe):
    found = transcribe(prepare("functions", ("out = net(x)", "out = net(x).softmax(1)")))
    code = load_user_code(found.recipe["code"])
    logits = torch.tensor([[9.0, 0.0, 0.0]])
    expected = torch.nn.functional.cross_entropy(logits.softmax(1), torch.tensor([0]))
    assert code.loss(logits, torch.tensor([0])) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "edit", "reason"),
    [
        ("in_memory", None, "its data set holds no transform"),
        ("functions", ("out = net(x)", "out = net(x) * 2"), "what stands between the model and the loss"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_one_line(name, edit, reason, prepare, transcribe):
    folder = prepare(name, *([edit] if edit else []))
    with pytest.raises(PlateauError, match=reason) as raised:
        transcribe(folder)
    assert "\n" not in str(raised.value)
