"""What stands out becomes an intervention with its line; what cannot be undone becomes none."""

from __future__ import annotations

import numpy as np
import pytest

from plateau_cause.capture.possible import affine
from plateau_cause.capture.possible.change import listed
from plateau_cause.capture.possible.rate import rate
from plateau_cause.capture.possible.script import possible
from plateau_cause.capture.rules.observation import Observation, Peeked

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "channels": "rgb"}
PLAIN = {"mean": [0.0] * 3, "std": [1.0] * 3, "channels": "rgb"}


def loader(role, normalisation, steps=("ToTensor()",), **more):
    tensor = {"mean": [0.4] * 3, "std": [0.2] * 3, "shape": [3, 8, 8], "least": 0.0, "most": 1.0}
    image = {"normalisation": normalisation, "tensor": tensor}
    data_set = {"transform": {"steps": list(steps), "place": None}, "place": None}
    labels = {"class_to_idx": {"a": 0, "b": 1}, "by_folder": None}
    made = {"role": role, "name": role, "image": image, "data_set": data_set, "labels": labels}
    return {**made, **more}


def peek(*loaders, **more):
    model = {"parts": [{}], "change_per_step": 0.3, "weights": []}
    return {"loaders": list(loaders), "model": model, "script": {"arguments": []}, "schedules": [], **more}


def seen(code, cause="evaluation"):
    return Observation(code, cause, "it stands out", {"file": "train.py", "line": 3})


def test_the_normalisation_of_training_is_given_to_evaluation(tmp_path):
    content = peek(loader("train", IMAGENET), loader("evaluation", PLAIN))
    one = possible(content, tmp_path, [seen("evaluation_normalised_otherwise")])[0]
    raw = np.array([0.2, 0.5, 0.9])
    wanted = (raw - IMAGENET["mean"]) / IMAGENET["std"]
    assert raw * one.settings["scale"] + one.settings["shift"] == pytest.approx(wanted)
    assert (one.name, one.location["line"], one.is_sure) == ("evaluation_normalised", 3, True)


def test_loaders_that_give_the_same_leave_it_to_what_reaches_the_model(tmp_path):
    """Images in memory are normalised in the loop, those of evaluation are not."""
    raw = {"mean": [0.4] * 3, "std": [0.2] * 3}
    content = peek(
        loader("train", None),
        loader("evaluation", None),
        training={"input": {"mean": [-0.2] * 3, "std": [0.4] * 3}},
        evaluation={"input": raw},
    )
    one = possible(content, tmp_path, [seen("evaluation_normalised_otherwise")])[0]
    assert one.settings["scale"] == pytest.approx([2.0] * 3)
    assert one.settings["shift"] == pytest.approx([-1.0] * 3)


def test_channels_that_are_exchanged_are_exchanged_back():
    other = {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.4, 0.3], "channels": "bgr"}
    settings = affine.from_to(other, IMAGENET)
    raw = np.array([0.2, 0.5, 0.9])  # red, green, blue
    loaded = (raw[::-1] - other["mean"]) / other["std"]
    wanted = (raw - IMAGENET["mean"]) / IMAGENET["std"]
    assert loaded[::-1] * settings["scale"] + settings["shift"] == pytest.approx(wanted)


def test_a_normalisation_is_taken_from_the_transform_where_the_images_agree():
    said = "Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])"
    measured = {"mean": [0.47, 0.45, 0.41], "std": [0.24, 0.22, 0.23], "channels": "rgb"}
    assert affine.normalisation(loader("train", measured, ["ToTensor()", said])) == IMAGENET
    assert affine.normalisation(loader("train", PLAIN, ["ToTensor()", said])) == PLAIN


def test_labels_are_mapped_by_the_names_of_the_classes(tmp_path):
    other = loader("evaluation", PLAIN)
    other["labels"] = {"class_to_idx": {"b": 0, "a": 1}, "by_folder": None}
    content = peek(loader("train", PLAIN), other)
    one = possible(content, tmp_path, [seen("labels_in_another_order", "label_mapping")])[0]
    assert one.settings == {"mapping": {"1": 0, "0": 1}}


def test_weights_are_given_what_they_expect_only_where_they_were_loaded(tmp_path):
    content = peek(loader("train", PLAIN), expected=IMAGENET)
    assert possible(content, tmp_path, []) == []
    content["model"]["weights"] = [{"matched": 100, "tensors": 102}]
    found = possible(content, tmp_path, [])
    assert [(one.name, one.is_sure) for one in found] == [("preprocessing", False)]
    content["loaders"][0]["image"]["normalisation"] = IMAGENET
    assert possible(content, tmp_path, []) == []


@pytest.mark.parametrize(("by_hand", "line"), [(2.0, 2), (0.015, 1)])
def test_a_rate_written_by_hand_is_named_where_it_is_another(by_hand, line, tmp_path):
    (tmp_path / "train.py").write_text("opt = SGD(p, lr=0.02)\ngroup['lr'] = rate\n")
    places = [{"file": "train.py", "line": number} for number in (1, 2)]
    written = [{"place": places[1], "rate": by_hand}]
    optimizer = {"place": places[0], "groups": [{"lr": by_hand}], "rates_by_hand": written}
    one = rate(Peeked(peek(optimizers=[optimizer]), tmp_path), "learning_rate_high", is_sure=True)
    assert one.location == places[line - 1]
    assert (one.patch is None) == (line == 2)
    assert one.settings == {"times": 0.01}


def test_what_nothing_undoes_is_no_factor(tmp_path):
    assert possible(peek(), tmp_path, [seen("something_new")]) == []


def test_entries_of_other_children_have_defaults():
    one = listed([{"name": "unfreeze", "cause": "frozen_layers", "words": "w", "difference": "d"}])[0]
    assert (one.is_sure, one.settings, one.location) == (True, {}, None)


@pytest.mark.parametrize(
    ("cause", "fit", "line"), [("learning_rate_high", 1, 56), ("learning_rate_low", 0, 50)]
)
def test_of_several_fits_of_keras_the_one_that_is_furthest_off(cause, fit, line, tmp_path):
    fits = [{"rate": 0.002, "compiled_at": {"file": "train.py", "line": 50}},
            {"rate": 0.1, "compiled_at": {"file": "train.py", "line": 56}}]  # fmt: skip
    optimizer = {"place": {"file": "train.py", "line": 50}, "groups": [{"lr": 0.002}]}
    content = peek(framework="keras", keras={"fits": fits}, optimizers=[optimizer])
    one = rate(Peeked(content, tmp_path), cause, is_sure=False)
    assert (one.settings["fit"], one.location["line"]) == (fit, line)
    assert f"{fits[fit]['rate']:g}" in one.words


@pytest.mark.parametrize(
    ("counts", "sampler", "options", "is_asked"),
    [
        ([40, 4, 4], "RandomSampler", {}, True),
        ([16, 16, 16], "RandomSampler", {}, False),
        ([9, 5, 3], "RandomSampler", {}, False),  # of few images that were looked at, by chance
        ([40, 4, 4], "WeightedRandomSampler", {}, False),
        ([40, 4, 4], "RandomSampler", {"weight": [1.0, 9.0, 9.0]}, False),
    ],
)
def test_classes_far_apart_in_frequency_are_balanced_where_nothing_does(
    counts, sampler, options, is_asked, tmp_path
):
    place = {"file": "train.py", "line": 7}
    labels = {"class_to_idx": None, "by_folder": None, "seen": dict(enumerate(counts))}
    train = loader("train", None, labels=labels, sampler={"class": sampler}, place=place)
    found = possible(peek(train, loss={"options": options}), tmp_path, [])
    assert [(one.name, one.cause, one.location, one.settings, one.is_sure) for one in found] == (
        [("balanced", "class_imbalance", place, {"loader": 0}, False)] if is_asked else []
    )


@pytest.mark.parametrize(("lr", "is_rate"), [(1e-6, True), (0.01, False)])
def test_a_rate_that_no_recipe_has_is_a_sign_of_something_else(lr, is_rate, tmp_path):
    (tmp_path / "train.py").write_text(f"o = SGD(p, lr={lr!r})\n")
    place = {"file": "train.py", "line": 1}
    optimizer = {"place": place, "groups": [{"lr": lr, "rates": [lr]}], "rates_by_hand": [], "class": "SGD"}
    content = peek(optimizers=[optimizer])
    content["model"]["change_per_step"] = 1e-6  # of the weights: a thousandth of what trainings bear
    one = rate(Peeked(content, tmp_path), "learning_rate_low", is_sure=True)
    assert (one.patch is not None, one.title == "") == (is_rate, is_rate)
