"""A data set, a network and arms small enough to train in a fraction of a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from plateau_cause.backbones.types import Backbone, LoadReport
from plateau_cause.config.recipe import Preprocessing, Recipe, put
from plateau_cause.images.expectation import Expectation
from plateau_cause.images.store import Dataset, ImageStore
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.store import Result
from plateau_cause.training.task import Outcome

CLASSES = ("blue", "green", "red")
PER_CLASS, SIZE = 30, 16
EXPECTS = Expectation(
    mean=(0.4, 0.5, 0.6),
    std=(0.2, 0.25, 0.3),
    size=SIZE,
    interpolation="bilinear",
    crop_frac=1.0,
    source="here",
)
PREPROCESSING = Preprocessing(size=SIZE, interpolation="bilinear", mean=EXPECTS.mean, std=EXPECTS.std)
SEEDS = {"bundled": 1, "none": 0, "elsewhere": 2}
STAGES = """
import torch
from torch import nn


def stages():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        nn.Sequential(nn.Conv2d(8, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU()),
        nn.Sequential(
            nn.Conv2d(12, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        ),
    )
"""
_names: dict[str, Any] = {}
exec(STAGES, _names)  # the users' files of the tests build the same network from the same text


def tiny_dataset(folder: Path, per_class: int = PER_CLASS) -> Dataset:
    """Returns noisy images of one colour per class."""
    random = np.random.default_rng(0)
    targets = np.repeat(np.arange(3), per_class)
    images = random.normal(110, 60, (len(targets), SIZE, SIZE, 3))
    images[np.arange(len(targets)), :, :, 2 - targets] += random.uniform(10, 60, (len(targets), 1, 1))
    pixels = images.clip(0, 255).astype(np.uint8)
    (folder / "pixels.bin").write_bytes(pixels.tobytes())
    n = len(targets)
    offsets, sizes = np.arange(n) * SIZE * SIZE * 3, np.full(n, SIZE)
    manifest = pd.DataFrame(
        {
            "image_id": [f"image-{i:03d}" for i in range(n)],
            "label": [CLASSES[t] for t in targets],
            "target": targets,
            "split": [["train", "train", "train", "val", "test"][i % 5] for i in range(n)],
            "group": None,
            "sha256": [f"{i:064d}" for i in range(n)],
            "width": SIZE,
            "height": SIZE,
            "stored_width": SIZE,
            "stored_height": SIZE,
            "offset": offsets,
        }
    )
    return Dataset(manifest, ImageStore(folder / "pixels.bin", offsets, sizes, sizes), CLASSES)


def tiny_backbone(name: str = "tiny", weights: str = "bundled", seed: int = 0) -> Backbone:
    """Returns three stages with batch norm, the same for the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(SEEDS[weights])
        built = _names["stages"]()
        for module in built.modules():
            if isinstance(module, nn.BatchNorm2d) and weights != "none":
                nn.init.uniform_(module.weight, 0.8, 1.2)
                nn.init.uniform_(module.bias, -0.1, 0.3)
    stages = nn.Sequential()
    for stage_name, stage in zip(("stem", "block1", "block2"), built, strict=True):
        stages.add_module(stage_name, stage)
    original = {key: key for key in stages.state_dict()}
    report = LoadReport(loaded_frac=float(weights != "none"))
    return Backbone(name, stages.eval(), ("stem", "block1", "block2"), 16, EXPECTS, None, report, original)


def make_arm(values: dict[str, Any] | None = None, **attributes: Any) -> Arm:
    """Returns an arm of a short, sound recipe with these dotted keys changed."""
    base = put(
        Recipe(preprocessing=PREPROCESSING), {"batch_size": 16, "schedule.epochs": 2, "trainable": "all"}
    )
    return Arm(**{"recipe": put(base, values or {}), "weights": "bundled", **attributes})


def make_result(arm: Arm, hit: np.ndarray, cost: float = 1.0, **outcome: Any) -> Result:
    """Returns a result that is right on the test images of `hit` (n,), where every label is 0."""
    outputs = np.stack([hit, 1 - hit], axis=1).astype(np.float32)
    values = {"test_outputs": outputs, "val_outputs": outputs, "kept_epoch": 1, "seconds": cost}
    history = [{"epoch": 1, "train_accuracy": float(hit.mean()), "train_loss": 1.0}]
    return Result(
        key=str(hash((arm, hit.tobytes()))),
        arm=arm,
        cost=cost,
        outcome=Outcome(**{"history": history, **values, **outcome}),
    )


OPTIMA = {"none": 1e-2, "head": 1e-2, "last_block": 4e-3, "all": 1e-3}


class FixedRates:
    """Learning rates whose optima are known: what the range test would find."""

    def optimum(self, arm: Arm) -> float:
        of_optimizer = {"sgd": 20.0}.get(arm.recipe.optimizer.name, 1.0)
        is_head = arm.recipe.optimizer.parameters == "head"
        return OPTIMA.get("head" if is_head else arm.recipe.trainable, 1e-3) * of_optimizer

    def ratio(self, arm: Arm) -> float:
        return arm.recipe.optimizer.learning_rate / self.optimum(arm)

    def carry(self, before: Arm, after: Arm, ratio: float | None = None) -> Arm:
        from dataclasses import replace

        rate = (self.ratio(before) if ratio is None else ratio) * self.optimum(after)
        return replace(after, recipe=put(after.recipe, {"optimizer.learning_rate": float(f"{rate:.3g}")}))


CLEAN = {"train": {"rate": 0.0, "flagged": []}, "held_out": {"rate": 0.0}}


def tiny_diagnosis(lab: Any, recipe: Arm, reference: Arm, noise: Any = CLEAN, **limits: Any) -> Any:
    """Returns the diagnosis of two recipes, both trained in the laboratory."""
    from plateau_cause.config.params import Diagnosis
    from plateau_cause.diagnosis.diagnose import diagnose
    from plateau_cause.features.views import View

    given = Diagnosis(**{"max_cost": 10.0, **limits})
    views = {
        name: View(lab.features(PREPROCESSING, weights), weights, PREPROCESSING, {})
        for name, weights in (("recipe", "bundled"), ("canonical", "bundled"), ("random", "none"))
    }
    trained = [[lab.run(arm.with_seed(seed)) for seed in given.seeds] for arm in (recipe, reference)]
    return diagnose(lab, FixedRates(), *trained, given, noise, views)
