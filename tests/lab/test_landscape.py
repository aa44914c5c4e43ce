"""The landscape starts and ends at the arms themselves, and is cheap where only the head moves."""

import numpy as np
import pytest
import torch
from tiny import STAGES, make_arm
from torch.nn import functional

from plateau_cause.lab import build, landscape, store
from plateau_cause.lab.arm import pieces_of
from plateau_cause.training import loop
from plateau_cause.training.inputs import CachedInputs

RECIPE = {"trainable": "all", "batch_norm": "train", "optimizer.learning_rate": 0.003}
REFERENCE = {
    "trainable": "all",
    "batch_norm": "frozen",
    "schedule.epochs": 3,
    "optimizer.learning_rate": 0.01,
}
OTHER_INPUTS = {"preprocessing.mean": None, "preprocessing.std": None}


@pytest.fixture
def trained(make_lab, tmp_path):
    """Returns a function: two recipes to the laboratory and their results, weights kept."""

    def train(recipe, reference, code=None):
        lab = make_lab(code, folder=tmp_path)
        arms = [arm if hasattr(arm, "recipe") else make_arm(arm) for arm in (recipe, reference)]
        return lab, *(lab.run(arm, keep_weights=True) for arm in arms)

    return train


def own_network(lab, result):
    return lab.trained(result).to(memory_format=torch.channels_last)


def own_loss(lab, result, rows, network=None):
    """Returns loss and accuracy of an arm as training measures them."""
    targets = torch.from_numpy(lab.dataset.targets[rows])
    outputs = loop.predict(network or own_network(lab, result), build.inputs(lab, result.arm), rows)
    return float(functional.cross_entropy(outputs, targets)), loop.accuracy(outputs, targets)


@pytest.mark.parametrize("changes", [{}, OTHER_INPUTS, {"preprocessing.channels": "bgr"}])
def test_the_line_ends_exactly_at_the_arms(trained, changes):
    lab, recipe, reference = trained({**RECIPE, **changes}, REFERENCE)
    found = landscape.survey(lab, recipe, reference)
    assert found["line_at"].tolist() == pytest.approx(np.linspace(0, 1, landscape.POINTS).tolist())
    assert bool(found["line_mixes_inputs"]) == bool(changes)
    for split, name in enumerate(("train", "val")):
        rows = landscape.choose(lab, name, landscape.LINE_IMAGES)
        for end, result in ((0, recipe), (-1, reference)):
            ends = found["line_loss"][split, end], found["line_accuracy"][split, end]
            assert ends == own_loss(lab, result, rows)
    assert found["line_loss"][0, 0] != found["line_loss"][0, -1]


def test_the_ends_are_the_losses_that_training_recorded(trained):
    lab, recipe, reference = trained(RECIPE, REFERENCE)
    found = landscape.survey(lab, recipe, reference)
    rows = lab.dataset.indices("val")
    assert len(rows) <= landscape.LINE_IMAGES  # all of them are on the line
    for end, result in ((0, recipe), (-1, reference)):
        last = result.outcome.history[-1]
        assert found["line_loss"][1, end] == pytest.approx(last["val_loss"], rel=1e-5)
        assert found["line_accuracy"][1, end] == last["val_accuracy"]


def test_halfway_lie_the_mean_weights_statistics_and_inputs(trained):
    lab, recipe, reference = trained({**RECIPE, **OTHER_INPUTS}, REFERENCE)
    found = landscape.survey(lab, recipe, reference)
    rows = landscape.choose(lab, "train", landscape.LINE_IMAGES)
    network, other = (own_network(lab, result) for result in (recipe, reference))
    states = network.state_dict(), other.state_dict()
    network.load_state_dict({name: (states[0][name] + states[1][name]) / 2 for name in states[0]})
    read = [build.inputs(lab, r.arm).evaluation(torch.from_numpy(rows)) for r in (recipe, reference)]
    outputs = loop.predict(network, CachedInputs((read[0] + read[1]) / 2), np.arange(len(rows)))
    expected = functional.cross_entropy(outputs, torch.from_numpy(lab.dataset.targets[rows]))
    assert found["line_loss"][0, landscape.POINTS // 2] == pytest.approx(float(expected), rel=1e-5)


def test_where_only_heads_differ_the_backbone_runs_once(trained, monkeypatch):
    lab, recipe, reference = trained(
        {"trainable": "head"}, {"trainable": "head", "optimizer.learning_rate": 0.1}
    )
    seen = []
    lab.backbone().stages[0].register_forward_hook(lambda _m, _i, output: seen.append(len(output)))
    found = landscape.survey(lab, recipe, reference)
    train, val = (len(lab.dataset.indices(split)) for split in ("train", "val"))
    assert sum(seen) == min(train, landscape.LINE_IMAGES) + val + 2 * min(train, landscape.HEAD_IMAGES)
    rows = landscape.choose(lab, "train", landscape.LINE_IMAGES)
    for end, result in ((0, recipe), (-1, reference)):
        assert found["line_loss"][0, end] == own_loss(lab, result, rows)[0]
    assert found["blocks_recipe"].tolist() == [1, 4]


def test_a_head_moves_in_a_bowl_around_the_arm_itself(trained):
    lab, recipe, reference = trained({"trainable": "head"}, REFERENCE)
    found = landscape.survey(lab, recipe, reference)
    middle = landscape.STEPS // 2
    rows = landscape.choose(lab, "train", landscape.HEAD_IMAGES)
    assert found["plane_steps"][middle] == 0
    assert found["plane_recipe"].shape == (landscape.STEPS, landscape.STEPS)
    assert found["plane_recipe"][middle, middle] == own_loss(lab, recipe, rows)[0]
    for line in (found["plane_recipe"][middle], found["plane_recipe"][:, middle]):
        assert (np.diff(line, 2) > 0).all()  # cross-entropy is convex in a linear head


@pytest.mark.parametrize("batch_norm", ["train", "frozen"])
def test_the_middle_of_a_plane_is_the_network_that_the_report_judges(trained, batch_norm):
    lab, recipe, reference = trained(RECIPE, {**REFERENCE, "batch_norm": batch_norm})
    found = landscape.survey(lab, recipe, reference)
    rows = landscape.choose(lab, "train", landscape.PLANE_IMAGES)
    middle = landscape.STEPS // 2
    expected = own_loss(lab, reference, rows)[0]
    assert found["plane_reference"][middle, middle] == pytest.approx(expected, rel=1e-3)
    assert found["blocks_reference"].tolist() == [4, 4]


def test_a_map_around_another_network_is_not_drawn():
    plane = np.full((3, 3), 2.23)
    assert landscape.is_centred(plane, 2.231) and not landscape.is_centred(plane, 0.001)


def test_directions_are_as_long_as_the_filters():
    weight = torch.randn(6, 3, 2, 2) * torch.arange(6).view(6, 1, 1, 1)
    first, second = (
        landscape.filter_normalised(weight, torch.Generator().manual_seed(seed)) for seed in (0, 1)
    )
    for direction in (first, second):
        torch.testing.assert_close(direction.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))
    assert not torch.equal(first[1:], second[1:])


def test_other_kinds_of_network_have_no_line_but_each_its_plane(trained):
    lab, recipe, reference = trained({**RECIPE, "head.activation": "softmax"}, REFERENCE)
    found = landscape.survey(lab, recipe, reference)
    assert not any(name.startswith("line") for name in found)
    assert {"plane_recipe", "plane_reference"} <= set(found)


def test_a_users_model_is_surveyed_whole(trained, tmp_path):
    code = tmp_path / "mine.py"
    code.write_text(STAGES + "def build_model(n): return nn.Sequential(stages(), nn.Linear(16, n))\n")
    own = pieces_of(("build_model",))
    lab, recipe, reference = trained(make_arm(RECIPE, own=own), make_arm(REFERENCE, own=own), code)
    found = landscape.survey(lab, recipe, reference)
    rows = landscape.choose(lab, "train", landscape.LINE_IMAGES)
    assert found["line_loss"][0, 0] == own_loss(lab, recipe, rows)[0]
    assert found["blocks_recipe"][0] == found["blocks_recipe"][1] > 1


def test_what_nobody_moved_has_no_plane(trained):
    lab, recipe, reference = trained({**RECIPE, "trainable": "none"}, REFERENCE)
    found = landscape.survey(lab, recipe, reference)
    assert "plane_recipe" not in found
    assert "line_loss" in found


def test_without_kept_weights_there_is_nothing(make_lab, tmp_path):
    lab = make_lab(folder=tmp_path)
    assert landscape.survey(lab, lab.run(make_arm(RECIPE)), lab.run(make_arm(REFERENCE))) == {}


def test_weights_that_diverged_are_left_out(trained, tmp_path):
    lab, recipe, reference = trained(RECIPE, REFERENCE)
    path = store.weights_path(tmp_path, recipe.key)
    state = torch.load(path, weights_only=True)
    torch.save({name: entry * float("nan") for name, entry in state.items()}, path)
    found = landscape.survey(lab, recipe, reference)
    assert set(found) == {"plane_steps", "plane_reference", "blocks_reference"}


def test_the_images_are_a_fixed_share_of_every_class(make_lab):
    lab = make_lab()
    rows = landscape.choose(lab, "train", 12)
    assert np.array_equal(rows, landscape.choose(lab, "train", 12))
    assert np.bincount(lab.dataset.targets[rows]).tolist() == [4, 4, 4]
    assert set(rows) <= set(lab.dataset.indices("train"))
    assert np.array_equal(landscape.choose(lab, "train", 999), lab.dataset.indices("train"))


def test_again_it_is_the_same(trained):
    lab, recipe, reference = trained(RECIPE, REFERENCE)
    first, second = (landscape.survey(lab, recipe, reference) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
