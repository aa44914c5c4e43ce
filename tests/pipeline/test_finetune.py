"""The reference is the same whatever the recipe says that data/inputs/reference.json does not list."""

from dataclasses import replace

import pytest

from plateau_cause.config.params import Params
from plateau_cause.config.recipe import put
from plateau_cause.lab.rates import Rates
from plateau_cause.pipeline import finetune

GIVEN = Params(recipe=put(Params().recipe, {"preprocessing.size": 16, "schedule.epochs": 1}))
EDITS = {
    "nothing": {},
    "layers": {"trainable": "all", "batch_norm": "frozen"},
    "rate": {"optimizer.learning_rate": 1e-6, "optimizer.weight_decay": 0.5, "schedule.epochs": 2},
    "head": {"head.dropout": 0.5, "head.activation": "softmax", "loss.name": "mse"},
    "images": {"augmentation": "strong", "preprocessing.scale": "byte", "preprocessing.resize": "crop"},
    "order": {"shuffle": False, "sampler": "balanced", "batch_size": 7, "optimizer.parameters": "head"},
}


def reference(lab, edits):
    given = replace(GIVEN, recipe=put(GIVEN.recipe, edits))
    found = finetune.train_arm(lab, Rates(lab), given, "reference")
    return [result.key for result in [*found.results, *found.tried]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where finished runs lie: an equal reference is trained once."""
    return tmp_path_factory.mktemp("runs")


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_recipe_has_the_reference_of_a_fresh_clone(make_lab, folder, edit):
    expected = reference(make_lab(folder=folder), {})
    assert reference(make_lab(folder=folder), EDITS[edit]) == expected


def test_what_is_listed_changes_it(make_lab, folder):
    expected = reference(make_lab(folder=folder), {})
    assert reference(make_lab(folder=folder), {"optimizer.name": "sgd"}) != expected
