"""One recipe trained twice: by the plain script that stands for it, and as plateau's recipe arm."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from plateau_cause.config.recipe import Recipe, put
from plateau_cause.images.store import Dataset, open_dataset
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.training.user_code import load_user_code

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
BACKBONE, WEIGHTS = "test_resnet", HERE.parent / "diagnosis/weights/resnet.pt"


@dataclass(frozen=True)
class Trial:
    """Test accuracies (0..1), one per seed, of the script and of the recipe arm."""

    name: str
    script: tuple[float, ...]
    arm: tuple[float, ...]

    @property
    def difference(self) -> float:
        """Returns how much higher the arm's mean is."""
        return float(np.mean(self.arm) - np.mean(self.script))

    @property
    def spread(self) -> float:
        """Returns the larger of the two ranges over the seeds."""
        return float(max(np.ptp(self.script), np.ptp(self.arm)))

    @property
    def agrees(self) -> bool:
        """Returns whether the means differ by no more than the seeds do."""
        return abs(self.difference) <= self.spread + 1e-9


def recipes() -> dict[str, Recipe]:
    """Returns what each script is in the words of params.yaml; `recipe.code` as an absolute path."""
    told: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "recipes.yaml").read_text(encoding="utf-8"))
    base = put(Recipe(), _dotted(told.pop("base")))
    return {name: put(base, _dotted(values)) for name, values in told.items()}


def run(name: str, recipe: Recipe, images: Path, prepared: Path, seeds: Sequence[int]) -> Trial:
    """Returns what script and recipe arm reach on the same images under each seed."""
    script = _script(name)
    dataset = open_dataset(prepared)
    return Trial(
        name,
        script=tuple(script(images, seed) for seed in seeds),
        arm=tuple(_arm_accuracy(dataset, recipe, seed) for seed in seeds),
    )


def _arm_accuracy(dataset: Dataset, recipe: Recipe, seed: int) -> float:
    lab = Laboratory(dataset, BACKBONE, str(WEIGHTS), load_user_code(recipe.code), torch.device("cpu"))
    result = lab.run(recipe_arm(lab, recipe, seed))
    return float(result.correct(dataset.targets[dataset.indices("test")]).mean())


def _script(name: str) -> Any:
    with _importable(SCRIPTS):
        return importlib.import_module(name).main


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Has `import common` mean the file beside the scripts, as it does when one is run by hand."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns nested values under dotted keys, lists as tuples."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _dotted(value, f"{prefix}{key}.")
        elif key == "code":
            found[key] = str(HERE / value)
        else:
            found[f"{prefix}{key}"] = tuple(value) if isinstance(value, list) else value
    return found
