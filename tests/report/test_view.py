"""The words and values that both templates share."""

import pytest
import yaml

from plateau_cause.report.view import fact, fix_yaml, plateau_sentence, safe_url, view


def test_a_fix_is_the_nested_yaml_of_params() -> None:
    fix = {
        "recipe.optimizer.learning_rate": 0.0008,
        "recipe.trainable": "all",
        "recipe.preprocessing.mean": [0.5] * 3,
    }
    text = fix_yaml(fix)
    assert yaml.safe_load(text)["recipe"]["optimizer"] == {"learning_rate": 0.0008}
    assert "mean: [0.5, 0.5, 0.5]" in text
    assert fix_yaml({}) == ""


def test_the_recommended_recipe_comes_back_from_its_yaml(make) -> None:
    content = make("plateau")
    assert yaml.safe_load(view(content)["recipe_yaml"])["recipe"] == content.summary["recommended_recipe"]


def test_what_has_to_be_changed_in_a_file_stands_above_the_recipe(make) -> None:
    content = make("plateau")
    content.summary["recommended_in_file"] = ["Change what transform() decides there."]
    text = view(content)["recipe_yaml"]
    assert text.startswith("# Change what transform() decides there.\nrecipe:\n")
    assert yaml.safe_load(text)["recipe"] == content.summary["recommended_recipe"]


def test_a_file_beside_the_project_is_said_to_be_seen_from_there(make) -> None:
    content = make("plateau")
    content.summary["recommended_recipe"]["code"] = "../own.py"
    text = view(content)["recipe_yaml"]
    assert text.startswith("# code: as seen from the project that these reports are of.\nrecipe:\n")


def test_the_plateau_in_one_sentence(load) -> None:
    assert plateau_sentence(load("plateau")) == (
        "Training accuracy stays between 71.8% and 72.5% from epoch 3 on; test accuracy is 69.4%, "
        "the level of a linear probe (71.1%)."
    )
    assert plateau_sentence(load("inconclusive")) == (
        "Validation accuracy ends at 81.7%; test accuracy is 83.3%, the level of a linear probe (83.3%)."
    )


def test_a_curve_that_varies_is_not_said_to_stay_at_one_level(load) -> None:
    summary = load("data_cause")
    summary["plateau"]["curve"] = {"name": "val_accuracy", "level": 0.8, "range": [0.525, 0.925]}
    assert plateau_sentence(summary).startswith("Validation accuracy stays between 52.5% and 92.5% from")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "http://a b", "http://a<b>", "", None]
)
def test_only_web_addresses_are_followed(url) -> None:
    assert safe_url(url) is None
    assert safe_url("http://127.0.0.1:5000/#/runs/1") is not None


def test_facts_as_text() -> None:
    assert fact({"train": 1077, "val": 360}) == "train 1,077 · val 360"
    assert fact([str(i) for i in range(25)]).endswith("19 and 5 more")
    assert [fact(None), fact(True), fact(0.25)] == ["—", "yes", "0.25"]


def test_levels_are_ranked_with_the_recipe_among_them(make) -> None:
    levels = view(make("plateau"))["levels"]
    assert [level for _, level in levels] == sorted(level for _, level in levels)
    assert ("your recipe", 0.694) in levels
