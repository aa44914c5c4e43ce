"""Small versions of training code from public reports of stuck fine-tuning: what is at fault comes first.

Each goes from the user's file to the verdict; the words and files are tested where they are made.
"""

import numpy as np
import pandas as pd
import pytest
from tiny import CLASSES, CLEAN, PREPROCESSING, SIZE, FixedRates

from plateau_cause.config.params import Diagnosis
from plateau_cause.config.recipe import Recipe, put
from plateau_cause.diagnosis import reference
from plateau_cause.diagnosis.diagnose import diagnose
from plateau_cause.features.views import View
from plateau_cause.images.store import Dataset, ImageStore
from plateau_cause.lab.inspection import recipe_arm

pytestmark = pytest.mark.slow

PER_CLASS, EPOCHS = 100, 36
SPLITS = ("train", "train", "val", "test", "test")
SOUND = {
    "trainable": "all", "batch_norm": "frozen", "batch_size": 16, "optimizer.learning_rate": 0.003,
    "schedule.name": "cosine", "schedule.warmup": 0.1, "schedule.epochs": EPOCHS,
}  # fmt: skip
NET = """
import torch
from torch import nn
from tiny import tiny_backbone


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.body = nn.Sequential(*tiny_backbone().stages)
        self.fc = nn.Linear(16, classes)

    def forward(self, x):
        return self.fc(self.body(x))


def build_model(classes):
    return Net(classes)


def on_train_start(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
"""
FORWARD = "        return self.fc(self.body(x))\n"
NO_GRAD = NET.replace(
    FORWARD, "        with torch.no_grad():\n            z = self.body(x)\n        return self.fc(z)\n"
)
DETACHED = NET.replace(FORWARD, "        return self.fc(self.body(x).detach())\n")
TRAIN_NORM = """
import numpy as np, torch


def transform(image, train):
    x = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
    return x if train else (x / 255 - 0.5) / 0.5
"""
ZERO_GRAD = """
import torch


class Accumulating(torch.optim.SGD):
    def zero_grad(self, set_to_none=True):
        pass


def optimizer(model):
    return Accumulating(model.parameters(), lr=0.02, momentum=0.9)
"""
GROUP_LR = """
import torch


def optimizer(model):
    named = list(model.named_parameters())
    head = [p for name, p in named if name.startswith("head")]
    body = [p for name, p in named if not name.startswith("head")]
    groups = [{"params": body, "lr": 0.0}, {"params": head, "lr": 0.1}]
    return torch.optim.SGD(groups, momentum=0.9)
"""
HEAD_ATTR = (
    NET
    + """

def build_model(classes):
    net = Net(40)
    for p in net.parameters():
        p.requires_grad = False
    net.classifier = nn.Linear(16, classes)
    return net


def optimizer(model):
    return torch.optim.Adam(model.classifier.parameters(), lr=1e-3)
"""
)
OUTPUT = (
    NET
    + """
from types import SimpleNamespace


class Output(Net):
    def forward(self, x):
        return SimpleNamespace(loss=None, logits=super().forward(x))


def build_model(classes):
    return Output(classes)
"""
)
AUXILIARY = (
    NET
    + """

class Auxiliary(Net):
    def forward(self, x):
        scores = super().forward(x)
        return (scores, 0.5 * scores) if self.training else scores


def build_model(classes):
    return Auxiliary(classes)
"""
)
DROP_PATH = NET.replace(
    FORWARD,
    "        z = self.body(x)\n"
    "        z = z * (torch.rand(len(z), 1) > 0.5) * 2 if self.training else z\n"
    "        return self.fc(z)\n",
)
GRAY = """
from torch import nn
from torchvision import transforms as T

read = T.Compose([T.Grayscale(1), T.ToTensor(), T.Normalize([0.5], [0.5])])


def transform(image, train):
    return read(image)


def build_model(classes):
    body = nn.Conv2d(1, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(*body, nn.Linear(8, classes))
"""


LABELS = np.repeat(np.arange(3), 2 * PER_CLASS // 5)  # of the test images


def colours(folder, in_test=lambda target: target):
    """Returns noisy images of one colour per class; a test label may be told otherwise."""
    random, targets = np.random.default_rng(0), np.repeat(np.arange(3), PER_CLASS)
    n, splits = len(targets), [SPLITS[row % 5] for row in range(3 * PER_CLASS)]
    images = random.normal(110, 60, (n, SIZE, SIZE, 3))
    images[np.arange(n), :, :, 2 - targets] += random.uniform(10, 60, (n, 1, 1))
    (folder / "pixels.bin").write_bytes(images.clip(0, 255).astype(np.uint8).tobytes())
    told = [in_test(int(t)) if split == "test" else int(t) for t, split in zip(targets, splits, strict=True)]
    offsets, sizes = np.arange(n) * SIZE * SIZE * 3, np.full(n, SIZE)
    names = {"image_id": [f"i{row:04d}" for row in range(n)], "sha256": [f"{row:064d}" for row in range(n)]}
    pixels = dict.fromkeys(("width", "height", "stored_width", "stored_height"), SIZE)
    labels = {"label": [CLASSES[t] for t in told], "target": told, "split": splits, "group": None}
    manifest = pd.DataFrame({**names, **labels, **pixels, "offset": offsets})
    return Dataset(manifest, ImageStore(folder / "pixels.bin", offsets, sizes, sizes), CLASSES)


@pytest.fixture
def diagnosed(make_lab, tmp_path):
    """Returns a function: a user's file, and what is declared beside it, to the diagnosis."""

    def make(code, declared=None, max_cost=3.0, **data):
        path = tmp_path / "train.py"
        path.write_text(code)
        lab, rates = make_lab(path, dataset=colours(tmp_path, **data)), FixedRates()
        arm = recipe_arm(lab, put(Recipe(preprocessing=PREPROCESSING), {**SOUND, **(declared or {})}))
        recipe, tried = lab.run(arm), reference.train(lab, rates, arm)
        best = reference.choose(lab, tried)
        views = {
            name: View(lab.features(PREPROCESSING, weights), weights, PREPROCESSING, {})
            for name, weights in (("recipe", "bundled"), ("canonical", "bundled"), ("random", "none"))
        }
        others = [result.cost for result in tried if result.key != best.key]
        limits = Diagnosis(max_cost=max_cost)
        return diagnose(lab, rates, [recipe], [best], limits, CLEAN, views, candidates=others)

    return make


@pytest.mark.parametrize(
    ("code", "right"),
    [
        pytest.param(TRAIN_NORM, {"evaluation", "preprocessing"}, id="train_norm"),
        pytest.param(NO_GRAD, {"weights_update", "frozen_layers"}, id="no_grad_forward"),
        pytest.param(DETACHED, {"weights_update", "frozen_layers"}, id="detached"),
        pytest.param(ZERO_GRAD, {"training_loop"}, id="zero_grad"),
        pytest.param(GROUP_LR, {"optimizer_parameters", "frozen_layers"}, id="group_lr"),
        # frozen_layers is reported as optimizer_parameters where nothing that the optimizer holds is called
        pytest.param(HEAD_ATTR, {"weights_update", "optimizer_parameters", "frozen_layers"}, id="head_attr"),
    ],
)
def test_what_is_at_fault_comes_first(diagnosed, code, right):
    # A lower rate hides gradients that pile up: to tell that from a rate at fault takes a run more.
    found = diagnosed(code, max_cost=4.0 if code == ZERO_GRAD else 3.0)
    assert found.verdict.verdict == "plateau"
    assert found.verdict.causes[0].factor in right
    outputs = [found.runs[name].outcome.test_outputs.argmax(1) for name in ("recipe", "reference")]
    recipe, reached = ((predicted == LABELS).mean() for predicted in outputs)
    assert reached - recipe > 0.2


@pytest.mark.parametrize(
    "code", [OUTPUT, AUXILIARY, DROP_PATH], ids=["hf_output", "inception_aux", "drop_path"]
)
def test_what_is_sound_is_accused_of_nothing(diagnosed, code):
    found = diagnosed(code)
    assert (found.verdict.verdict, found.verdict.causes) == ("healthy", [])
    assert all(abs(finding.effect.mean) < 0.1 for finding in found.verdict.findings)


def test_gray_images_and_a_network_for_them_run_to_a_verdict(diagnosed):
    found = diagnosed(GRAY)  # gray1; here colour is what tells the classes apart
    assert found.runs["recipe"].outcome.diverged_step is None and len(found.verdict.findings) > 0


def test_test_labels_that_are_one_off_are_named(diagnosed):
    found = diagnosed(NET, in_test=lambda target: (target + 1) % 3)  # off_by_one
    (mapped,) = [judged for asked, judged in found.data if asked.cause.name == "label_mapping"]
    assert mapped.findings[0].standing == "cause" and mapped.findings[0].need.mean > 0.8
