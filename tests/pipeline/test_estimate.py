"""How long a diagnosis will take, said before it begins."""

import pytest
import yaml

from plateau_cause.config import params
from plateau_cause.pipeline import estimate, paths
from plateau_cause.pipeline.estimate import BESIDE_S, Pace, plan

PACE = Pace(step_s=0.01, pass_s=0.003)
SIZES = {"train": 1000, "val": 300, "test": 300}


@pytest.fixture
def given(tmp_path):
    """Returns a maker of parameters."""

    def make(**sections):
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(sections))
        return params.load(path)

    return make


def test_the_parts_add_up(given):
    made = given(recipe={"trainable": "all", "schedule": {"epochs": 6}}, diagnosis={"max_cost": 3.0})
    looked_at = estimate.MOST_TRAIN_EVALUATED + 300  # after each epoch
    one = 6 * (1000 * 0.01 + looked_at * 0.003)  # recipe and reference alike: six epochs of every layer
    expected = BESIDE_S + 3 * 1600 * 0.003 + 2 * one + estimate.SPENT * 2 * one
    assert plan(made, SIZES, PACE).seconds == pytest.approx(expected)
    assert plan(made, SIZES, PACE).runs == 4
    twice = given(recipe={"trainable": "all", "schedule": {"epochs": 6}}, diagnosis={"seeds": [0, 1]})
    assert plan(twice, SIZES, PACE).seconds == pytest.approx(2 * expected - BESIDE_S - 3 * 1600 * 0.003)


def test_a_head_alone_is_cheap_and_a_smaller_budget_too(given):
    everything, head = given(recipe={"trainable": "all"}), given(recipe={"trainable": "head"})
    assert plan(head, SIZES, PACE).seconds < plan(everything, SIZES, PACE).seconds
    less = given(recipe={"trainable": "all"}, diagnosis={"max_cost": 1.0})
    assert plan(less, SIZES, PACE).seconds < plan(everything, SIZES, PACE).seconds


def test_a_busy_machine_takes_longer(given):
    busy = Pace(0.02, 0.006, waits=2.0)
    assert plan(given(), SIZES, busy).seconds > 1.5 * plan(given(), SIZES, PACE).seconds


def test_two_steps_are_timed_and_said_once(given, tiny_dataset, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    timed = []
    monkeypatch.setattr(estimate, "measured", lambda *_: timed.append(1) or PACE)
    for recipe in ({"trainable": "head"}, {"trainable": "head"}, {"trainable": "all"}):
        estimate.announce(given(recipe=recipe), tiny_dataset)
    said = capsys.readouterr().err.splitlines()
    assert len(timed) == len(said) == 2 and (tmp_path / paths.ANNOUNCED).exists()
    assert said[0].startswith("estimate: this diagnosis: about ") and "trainings" in said[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_users_own_network_is_timed_on_what_its_transform_gives(given, tiny_dataset, tmp_path, channels):
    code = tmp_path / "train.py"
    code.write_text(
        "import torch\n"
        f"def transform(image, train):\n    return torch.zeros({channels}, 8, 8)\n"
        "def build_model(n):\n"
        f"    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64 * {channels}, n))\n"
    )
    pace = estimate.measured(given(recipe={"code": str(code), "batch_size": 4}), tiny_dataset)
    assert 0 < pace.pass_s < 1 and 0 < pace.step_s < 1 and pace.waits >= 1


def test_what_cannot_be_timed_is_not_guessed(given, tiny_dataset, tmp_path):
    code = tmp_path / "train.py"
    code.write_text("def build_model(n):\n    raise KeyError(n)\n")
    assert estimate.estimated(given(recipe={"code": str(code)}), tiny_dataset) is None
