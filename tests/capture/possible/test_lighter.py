"""What may keep a training from fitting its images is told with its line; what everybody uses is not."""

from __future__ import annotations

import pytest

from plateau_cause.capture.possible.lighter import lighter, undecayed
from plateau_cause.capture.rules.observation import Peeked

SCRIPT = """\
model = nn.Sequential(body, nn.Dropout(0.9), nn.Linear(8, 3))
parser.add_argument("--wd", type=float, default=0.5)
optimizer = optim.SGD(model.parameters(), lr=0.1, weight_decay=args.wd)
train_transform = transforms.Compose([transforms.RandomErasing(1.0)])
"""


def at(line):
    return {"file": "train.py", "line": line}


def peeked(folder, dropout=0.0, decay=0.0, optimizer="optim.SGD", at_random=(), arguments=()):
    (folder / "train.py").write_text(SCRIPT)
    data_set = {"transform": {"steps": [], "place": at(4)}, "place": None}
    loader = {"role": "train", "at_random": list(at_random), "data_set": data_set}
    content = {
        "loaders": [{"role": "evaluation"}, loader],
        "model": {"dropout": {"p": dropout, "place": at(1)} if dropout else None},
        "optimizers": [{"class": optimizer, "place": at(3), "groups": [{"weight_decay": decay}]}],
        "script": {"arguments": list(arguments)},
    }
    return Peeked(content, folder)


def test_random_changes_of_training_images(tmp_path):
    (one,) = lighter(peeked(tmp_path, at_random=["RandomErasing(p=1.0)"]))
    assert (one.name, one.cause, one.location, one.settings) == (
        "training_clean", "augmentation", at(4), {"loader": 1},
    )  # fmt: skip
    assert "RandomErasing (train.py:4)" in one.words


def test_a_dropout_with_its_patch(tmp_path):
    (one,) = lighter(peeked(tmp_path, dropout=0.9))
    assert (one.name, one.location) == ("no_dropout", at(1))
    assert "+model = nn.Sequential(body, nn.Dropout(0.0), nn.Linear(8, 3))" in one.patch


def test_a_decay_where_it_is_written(tmp_path):
    (one,) = undecayed(peeked(tmp_path, decay=0.5))
    assert (one.name, one.location) == ("no_decay", at(2))
    assert '+parser.add_argument("--wd", type=float, default=0)' in one.patch


def test_a_decay_of_the_command_line_has_no_patch(tmp_path):
    (one,) = undecayed(peeked(tmp_path, decay=0.5, arguments=["--wd", "0.5"]))
    assert (one.location, one.patch) == (at(3), None)


@pytest.mark.parametrize(
    "usual", [{"dropout": 0.5}, {"decay": 5e-4}, {"decay": 0.1, "optimizer": "optim.AdamW"}, {}]
)
def test_what_is_in_use_everywhere_is_not_asked(usual, tmp_path):
    given = peeked(tmp_path, **usual)
    assert [*lighter(given), *undecayed(given)] == []


def test_random_layers_of_a_keras_model(tmp_path):
    given = peeked(tmp_path)
    layers = [{"class": "RandomRotation", "place": at(2)}]
    content = {**given.content, "framework": "keras", "keras": {"augmentation": layers}}
    (one,) = lighter(Peeked(content, tmp_path))
    assert (one.name, one.location) == ("training_clean", at(2))
