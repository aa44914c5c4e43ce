"""Many images: swaps on a part of them, one training on all that confirms, or does not."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import CLEAN, PREPROCESSING, tiny_dataset

from plateau_cause.config.params import OF_ALL, Params
from plateau_cause.config.recipe import put
from plateau_cause.diagnosis import confirmation
from plateau_cause.features.views import View
from plateau_cause.lab import effort, scale
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.lab.rates import Rates
from plateau_cause.pipeline import finetune, working
from plateau_cause.pipeline.bench import at_scale

SOUND = {
    "preprocessing.size": 16,
    "preprocessing.interpolation": "bilinear",
    "trainable": "all",
    "batch_norm": "frozen",
    "schedule.epochs": 6,
    "schedule.name": "cosine",
    "optimizer.learning_rate": 1e-2,
    "batch_size": 16,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the images and the finished runs of all tests lie: equal arms are trained once."""
    return tmp_path_factory.mktemp("working")


@pytest.fixture
def ask(make_lab, folder, monkeypatch):
    """Returns a function: edits of a sound recipe to its diagnosis, 720 images with swaps on 90 of them."""
    for name, value in {"LEAST_IMAGES": 90, "MOST_IMAGES": 90, "PER_CLASS": 10, "LEAST_STEPS": 20}.items():
        monkeypatch.setattr(scale, name, value)
    monkeypatch.setattr(scale, "JUDGED", {"val": 60, "test": 240})
    monkeypatch.setattr(effort, "FEWEST_IMAGES", 540)  # six epochs on the part, as on 1,500 images and more
    dataset = tiny_dataset(folder, 400)

    def make(edits=None, **limits):
        lab = make_lab(dataset=dataset, folder=folder / "runs")
        recipe = put(Params().recipe, {**SOUND, **(edits or {})})
        given = replace(Params(), recipe=recipe, diagnosis=replace(Params().diagnosis, **limits))
        own = [lab.run(recipe_arm(lab, given.recipe), keep_weights=True)]
        part, rates = at_scale(lab, Rates(lab))
        other = finetune.train_arm(part, rates, given, "reference")
        costs = [result.cost for result in other.tried]
        ends = working.Ends(own, other.results, costs, other.seconds, rates.seconds)
        views = {
            name: View(lab.features(PREPROCESSING, weights), weights, PREPROCESSING, {})
            for name, weights in (("recipe", "bundled"), ("canonical", "bundled"), ("random", "none"))
        }
        facts = working.Facts(CLEAN, views, 0.5, np.arange(len(dataset)))
        return working.diagnose(lab, Rates(lab), given, ends, facts), lab

    return make


def causes(record):
    return [item["cause"] for item in record["findings"] if item["standing"] == "cause"]


def test_a_planted_fault_is_found_on_a_part_and_confirmed_on_all(ask):
    asked, lab = ask({"optimizer.learning_rate": 1e-6})
    assert asked.record["verdict"] == "plateau"
    assert causes(asked.record)[0] == "learning_rate_low"
    said = asked.record["scale"]
    assert (said["images"], said["of"], said["confirmed"]) == (90, 720, True)
    assert asked.lab.part_of == 720 and len(asked.lab.dataset.indices("train")) == 90
    test = lab.dataset.targets[lab.dataset.indices("test")]
    after = next(result for name, result in asked.of_all.items() if name != OF_ALL)
    assert asked.record["recommended"]["after"] == pytest.approx(after.correct(test).mean())
    assert asked.record["recommended"]["before"] == said["before"]
    assert asked.record["test_images"] == len(test) == 240


def test_the_recommended_recipe_is_the_one_that_was_trained_on_all(ask):
    asked, lab = ask({"optimizer.learning_rate": 1e-6})
    after = next(result for name, result in asked.of_all.items() if name != OF_ALL)
    assert asked.record["recommended"]["recipe"]["schedule"]["epochs"] == after.arm.recipe.schedule.epochs
    assert len(lab.subsets[after.arm.images]) == 720


def test_a_sound_recipe_is_healthy_on_both(ask):
    asked, _ = ask()
    assert asked.record["verdict"] in ("healthy", "inconclusive")
    assert causes(asked.record) == []
    assert asked.record["recommended"]["after"] >= asked.record["recommended"]["before"]


def test_most_of_the_cost_is_the_confirmation(ask):
    asked, _ = ask({"optimizer.learning_rate": 1e-6})
    own = asked.of_all[OF_ALL].cost
    assert sum(result.cost for result in asked.diagnosed.runs.values()) < own


def test_where_all_images_disagree_a_larger_part_is_asked_and_no_cause_stated(ask, monkeypatch):
    seen = []

    def disagree(lab, part, *others):
        seen.append(part.images)
        return replace(confirmation.confirm(lab, part, *others), verdict="healthy")

    monkeypatch.setattr(working, "confirm", disagree)
    asked, _ = ask({"optimizer.learning_rate": 1e-6}, max_cost=20.0)
    assert seen == [90, 360]
    assert asked.record["verdict"] == "inconclusive"
    assert causes(asked.record) == []
    assert asked.record["scale"]["confirmed"] is False


def test_what_the_budget_does_not_pay_for_is_not_confirmed(ask):
    asked, _ = ask({"optimizer.learning_rate": 1e-6}, max_cost=0.5)
    assert asked.record["scale"]["confirmed"] is None
    assert list(asked.of_all) == [OF_ALL]


def test_flagged_images_of_the_part_keep_their_place():
    noise = {"train": {"rate": 0.1, "flagged": [{"row": 3}, {"row": 4}]}, "held_out": {"rate": 0.0}}
    facts = working.Facts(noise, {}, 0.5, np.arange(10) * 10)
    part = facts.of(np.array([1, 4, 9]))
    assert part.noise["train"] == {"rate": 0.1, "flagged": [{"row": 1}]}
    assert part.pictures.tolist() == [10, 40, 90]


@pytest.mark.parametrize(
    ("of_part", "of_all", "agreed", "final"),
    [
        ("plateau", "plateau", True, "plateau"),
        ("plateau", "healthy", False, "inconclusive"),
        ("plateau", None, True, "plateau"),
        ("healthy", "plateau", False, "plateau"),
        ("healthy", "inconclusive", False, "inconclusive"),
        ("inconclusive", "inconclusive", False, "inconclusive"),
        ("inconclusive", "plateau", False, "plateau"),
        ("inconclusive", None, False, "inconclusive"),
    ],
)
def test_both_words(of_part, of_all, agreed, final):
    assert confirmation.agreed(of_part, of_all) is agreed
    assert confirmation.final(of_part, of_all) == final
