"""The fidelity benchmark: every key and function has a recipe, every recipe a script, agreement is honest."""

import ast
import re
from dataclasses import fields, is_dataclass

import pytest
import torch
import yaml
from PIL import Image

from benchmarks.fidelity import data, run, trial
from plateau_cause.config.params import Data
from plateau_cause.config.recipe import Recipe
from plateau_cause.images.prepare import prepare

FUNCTIONS = ("transform", "build_model", "loss", "optimizer", "on_train_start")
SCRIPTS = sorted(trial.SCRIPTS.glob("*.py"))


def keys(section, prefix=""):
    """Returns every key of `recipe:`, dotted."""
    for item in fields(section):
        value = getattr(section, item.name)
        if is_dataclass(value):
            yield from keys(value, f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}"


def test_every_recipe_has_a_script_and_every_script_a_recipe():
    names = {path.stem for path in SCRIPTS} - {"common"}
    assert names == set(trial.recipes())
    assert len(names) >= 24


OF_A_SCRIPT = {"script", "arguments", "folder", "python"}  # a script is replayed, not transcribed


def test_every_key_of_the_recipe_differs_from_the_default_in_some_recipe():
    told = yaml.safe_load((trial.HERE / "recipes.yaml").read_text(encoding="utf-8"))
    given = {key for values in told.values() for key in trial._dotted(values)}
    assert given == set(keys(Recipe())) - OF_A_SCRIPT


def test_every_function_of_the_users_file_takes_part():
    defined = {
        node.name
        for path in (trial.HERE / "functions").glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert set(FUNCTIONS) <= defined


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_know_nothing_of_plateau(path):
    assert not re.search(r"^\s*(import|from) (plateau|benchmarks)", path.read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize(
    ("script", "arm", "agrees"),
    [
        ((0.8, 0.81, 0.82), (0.82, 0.83, 0.82), True),
        ((0.8, 0.81, 0.82), (0.84, 0.84, 0.84), False),
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), True),
        ((0.5, 0.5, 0.5), (0.51, 0.51, 0.51), False),
    ],
)
def test_means_agree_within_what_the_seeds_differ_by(script, arm, agrees):
    found = trial.Trial("some", script, arm)
    assert found.agrees is agrees
    assert ("**differs**" in run.line(found)) is not agrees


@pytest.mark.parametrize(
    ("wrong", "of", "passes"), [(0, 24, True), (1, 24, True), (2, 24, False), (1, 12, False)]
)
def test_one_in_twenty_four_may_disagree(wrong, of, passes):
    assert run.passes([False] * wrong + [True] * (of - wrong)) is passes


def test_the_images_are_the_same_every_time(tmp_path):
    first, again = data.write(tmp_path / "one"), data.write(tmp_path / "two")
    counts = {split: len(list((first / split).glob("*/*.png"))) for split in ("train", "val", "test")}
    assert counts == {"train": sum(data.PER_CLASS), "val": data.VAL, "test": data.TEST}
    some = sorted(path.relative_to(first) for path in first.glob("*/*/*.png"))[::97]
    assert all((first / path).read_bytes() == (again / path).read_bytes() for path in some)
    assert Image.open(first / some[0]).size == data.SHAPE_PX


@pytest.mark.slow
def test_a_head_that_never_learns_gives_the_same_answers_in_both(tmp_path):
    torch.set_num_threads(1)
    images = data.write(tmp_path / "images")
    prepare(Data(source="imagefolder", path=str(images)), tmp_path / "prepared")
    found = trial.run("nothing", trial.recipes()["nothing"], images, tmp_path / "prepared", [0])
    assert found.script == found.arm
