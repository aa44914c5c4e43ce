"""Images held out by plateau: none of them is trained on, and they are judged without random changes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset, WeightedRandomSampler
from torchvision.transforms import v2

from plateau_cause.capture.child.describe.cleaning import without_chance
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.interventions import made

SETTINGS = {"hold_out": {"loader": 0, "share": 0.25}}


@pytest.fixture
def holding(monkeypatch):
    """Returns an intervention that is installed, and the course that it adds to."""
    monkeypatch.setattr(DataLoader, "__init__", DataLoader.__init__)
    change = made("hold_out", SETTINGS["hold_out"])
    course = SimpleNamespace(loaders=[], kept_back=[])
    change.changes = SimpleNamespace(doors=SimpleNamespace(course=course, hooks=Hooks()))
    change.install(torch)
    return change, course


def numbers(count=40):
    return TensorDataset(torch.arange(count))


def read(loader):
    return [int(one) for (batch,) in loader for one in batch]


@pytest.mark.parametrize("how", [
    {"shuffle": True}, {}, {"sampler": WeightedRandomSampler(torch.ones(40), 40, replacement=False)},
])  # fmt: skip
def test_what_is_held_out_is_not_trained_on(how, holding):
    change, course = holding
    loader = DataLoader(numbers(), 8, **how)
    trained, held = read(loader), read(course.kept_back[0].loader)
    assert len(held) == 10 and sorted({*trained, *held}) == list(range(40))
    assert not {*trained} & {*held} and change.times == 1
    assert "shuffle" in how or "sampler" in how or trained == sorted(trained)


def test_no_last_batch_of_one_image(holding):
    DataLoader(numbers(44), 8, shuffle=True)  # 33 of 44 would be four batches of eight and one image
    assert len(read(holding[1].kept_back[0].loader)) == 12


def test_a_loader_that_is_built_anew_holds_out_the_same(holding):
    held = []
    for _ in range(2):
        loader = DataLoader(numbers(), 8, shuffle=True)
        holding[1].loaders.append(loader)
        held.append(read(holding[1].kept_back[0].loader))
    DataLoader(numbers(), 8)  # another line: not of training
    assert held[0] == held[1] and holding[0].times == 2


@pytest.mark.parametrize("how", [{"batch_sampler": [[0], [1]]}, {"sampler": [3, 1, 2]}])
def test_an_order_of_its_own_is_left_alone(how, holding):
    change, course = holding
    DataLoader(numbers(4), **how)
    assert course.kept_back == [] and change.times == 0


def test_a_part_of_the_images_is_held_out_of_in_turn(holding, monkeypatch):
    part = made("part", {"images": 16, "judged": 16})
    part.install(torch)
    loader = DataLoader(numbers(), 4, shuffle=True)
    trained, held = read(loader), read(holding[1].kept_back[0].loader)
    assert (len(trained), len(held)) == (12, 4) and not {*trained} & {*held}


def test_chance_is_taken_out_of_a_copy():
    class Images(torch.utils.data.Dataset):
        def __init__(self):
            self.transform = v2.Compose([v2.RandomHorizontalFlip(1.0)])

        def __getitem__(self, index):
            return self.transform(torch.arange(3.0).view(1, 1, 3))

        def __len__(self):
            return 1

    given = Subset(ConcatDataset([Images()]), [0])
    assert without_chance(given)[0].flatten().tolist() == [0, 1, 2]
    assert given[0].flatten().tolist() == [2, 1, 0]


def test_a_training_that_the_script_ends_early_is_finished(prepare, capture):
    """By its exit, or by a failure of what follows: one of three epochs that were planned."""
    ends = ('    print(f"epoch', '    if epoch == 1:\n        raise SystemExit\n    print(f"epoch')
    folder = prepare("no_validation", ends)
    _, printed, out = capture("replay", folder, seed=0, interventions=[])
    result = json.loads((out / "replay.json").read_text())
    assert (len(result["epochs"]), result["is_trained"], result["error"]) == (2, True, None), printed


def test_a_script_without_validation_is_judged(prepare, capture):
    folder = prepare("no_validation")
    _, printed, out = capture("replay", folder, seed=0, interventions=["hold_out"], settings=SETTINGS)
    result = json.loads((out / "replay.json").read_text())
    hits = dict(np.load(out / "hits.npz"))
    assert (result["error"], result["problems"]) == (None, []), printed
    assert {split: len(found) for split, found in hits.items()} == {"val": 12}
    assert result["epochs"][-1]["training"]["images"] == 36
    assert result["evaluations"]["val"]["accuracy"] == hits["val"].mean()
