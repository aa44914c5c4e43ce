"""Features computed once, before training: network and head are seen, and trained, as one model."""

from __future__ import annotations

import pytest

from plateau_cause.capture.possible.script import possible
from plateau_cause.capture.rules.every import observe

HEAD = "head = nn.Linear(512, 3)"
LOADERS = "train_loader, val_loader ="
FROZEN = ("backbone.eval()\n", "backbone.eval()\nbackbone.requires_grad_(False)\n")
COMPUTED = "(backbone(x), y)"
WRAPPED = """
class Wrapped(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def extract_features(self, x):
        return self.net(x)
"""
SPELLINGS = {
    "as it is": [],
    "the network frozen": [FROZEN],
    "in inference mode": [("@torch.no_grad()", "@torch.inference_mode()")],
    "by way of NumPy": [(COMPUTED, "(torch.tensor(backbone(x).squeeze().numpy()), y)")],
    "by way of a file": [
        (LOADERS, 'torch.save(train, "train.pt")\n'
         f'train = torch.load("train.pt", weights_only=False)\n{LOADERS}'),
    ],
    "of unit length": [(COMPUTED, "(nn.functional.normalize(backbone(x)), y)")],
    "in half precision": [
        (COMPUTED, "(backbone(x).half(), y)"), ("head(x), y).backward()", "head(x.float()), y).backward()"),
        ("head(x).argmax(1)", "head(x.float()).argmax(1)"),
    ],
    "pooled": [
        ("backbone.fc = nn.Identity()", "backbone = nn.Sequential(*list(backbone.children())[:-2])"),
        (COMPUTED, "(backbone(x).mean([2, 3]), y)"),
    ],
    "another method of the network": [
        ("backbone.eval()\n", f"{WRAPPED}\n\nbackbone = Wrapped(backbone).eval()\n"),
        (COMPUTED, "(backbone.extract_features(x), y)"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_network_stands_still_and_its_line_is_named(name, prepare, peek):
    folder = prepare("features", *SPELLINGS[name])
    content = peek(folder)
    assert content["problems"] == []
    (found,) = observe(content, folder)
    assert (found.code, found.cause) == ("computed_beforehand", "frozen_layers")
    assert "backbone" in (folder / "train.py").read_text().splitlines()[found.location["line"] - 1]
    assert [one["role"] for one in content["loaders"]] == ["train", "evaluation"]
    train = content["loaders"][0]
    assert (train["shuffle"], train["data_set"]["length"]) == (True, 48)
    assert train["image"]["tensor"]["shape"] == [48, 3, 32, 32]
    assert "Normalize" in str(train["data_set"]["transform"]["steps"])
    assert train["labels"]["by_folder"] == {"amber": 0, "blue": 1, "green": 2}


@pytest.mark.parametrize("name", ["as it is", "the network frozen"])
def test_the_repair_trains_it(name, prepare, peek, repaired):
    folder = prepare("features", *SPELLINGS[name])
    content = peek(folder)
    (asked,) = possible(content, folder, observe(content, folder))
    assert (asked.name, asked.cause) == ("train_network", "frozen_layers")
    (judged,) = repaired(folder, asked)["evaluations"].values()  # not what computed the features
    assert (judged["loader"], judged["images"], judged["classes"]) == ("val_loader", 24, 3)


def test_images_that_chance_changed_several_times_are_no_evaluation(prepare, peek):
    again = (
        "tf = transforms.Compose([transforms.RandomHorizontalFlip(), tf])\n"
        'train = torch.utils.data.ConcatDataset([extract("data/train") for _ in range(2)])\n'
    )
    folder = prepare("features", (LOADERS, f"{again}{LOADERS}"))
    content = peek(folder)
    assert [one["role"] for one in content["loaders"]] == ["train", "evaluation"]
    assert [one.code for one in observe(content, folder)] == ["computed_beforehand"]


def test_images_in_another_range_are_found_where_they_enter_the_network(prepare, peek, repaired):
    other = "transforms.Compose([transforms.Resize((32, 32)), transforms.ToTensor()])"
    folder = prepare("features", ("def extract(folder):", "def extract(folder, tf=tf):"),
                     ('extract("data/val")', f'extract("data/val", {other})'))  # fmt: skip
    content = peek(folder)
    found = observe(content, folder)
    assert [one.code for one in found] == ["evaluation_normalised_otherwise", "computed_beforehand"]
    repaired(folder, {one.name: one for one in possible(content, folder, found)}["evaluation_normalised"])


OTHERS = {
    "features of every batch in the loop": [
        ("        nn.functional.cross_entropy(head(x), y)",
         "        with torch.no_grad():\n            f = backbone(x)\n"
         "        nn.functional.cross_entropy(head(f), y)"),
        ('train, val = extract("data/train"), extract("data/val")',
         'train, val = (datasets.ImageFolder(one, tf) for one in ("data/train", "data/val"))'),
        ("head(x).argmax(1)", "head(backbone(x)).argmax(1)"),
    ],
    "an evaluation before training": [
        (LOADERS, 'extract("data/val")\ntrain, val = (datasets.ImageFolder(one, tf) for one in '
         f'("data/train", "data/val"))\nhead = nn.Sequential(nn.Flatten(), nn.Linear(3072, 3))\n'
         f"optimizer = torch.optim.SGD(head.parameters(), 0.001)\n{LOADERS}"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_else_is_taken_for_it(name, prepare, peek):
    folder = prepare("features", *OTHERS[name])
    content = peek(folder)
    assert content["computed_at"] is None and content["problems"] == []
    assert "computed_beforehand" not in [one.code for one in observe(content, folder)]


def test_the_loader_of_features_is_the_one_that_is_changed(prepare, peek, repaired):
    folder = prepare("features", ("DataLoader(train, 8, shuffle=True)", "DataLoader(train, 8)"))
    content = peek(folder)
    asked = {one.name: one for one in possible(content, folder, observe(content, folder))}["shuffle"]
    assert asked.settings["loader"] == content["loaders"][0]["number"] == 2
    repaired(folder, asked)
