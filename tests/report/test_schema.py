"""The summary's schema admits the hand-written summaries and names what is wrong with others."""

from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from plateau_cause.report.schema import cause_names, schema, validate

FAULTS = [
    (("verdict",), "fine", "$.verdict"),
    (("headline",), "", "$.headline"),
    (("schema_version",), 2, "$.schema_version"),
    (("plateau", "metric"), "loss", "$.plateau.metric"),
    (("plateau", "test_accuracy"), None, "$.plateau.test_accuracy"),
    (("plateau", "level"), 72.2, "$.plateau.level"),
    (("levels", "knn"), "high", "$.levels.knn"),
    (("causes", 0, "cause"), "bad_luck", "$.causes[0].cause"),
    (("causes", 0, "kind"), "user", "$.causes[0].kind"),
    (("causes", 0, "ci"), [0.1], "$.causes[0].ci"),
    (("causes", 0, "ci"), [0.3, 0.1], "$.causes[0].ci"),
    (("causes", 0, "ci"), [float("nan"), 0.1], "$.causes[0].ci"),
    (("causes", 0, "probability"), 1.2, "$.causes[0].probability"),
    (("harmless", 0, "effect"), "none", "$.harmless[0].effect"),
    (("verified", "after"), 98, "$.verified.after"),
    (("cost", "recipe_seconds"), -1, "$.cost.recipe_seconds"),
]


def test_schema_is_valid_json_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_cause_names_are_those_of_the_contract() -> None:
    assert len(cause_names()) == 25
    assert {"frozen_layers", "label_noise", "learning_rate_high"} < set(cause_names())


def test_admits_every_kind_of_summary(content) -> None:
    validate(content.summary)


@pytest.mark.parametrize(("path", "value", "place"), FAULTS)
def test_names_the_key_that_is_wrong(load, path, value, place) -> None:
    with pytest.raises(ValueError, match=r"^plateau_cause\.json: ") as caught:
        validate(_with(load("plateau"), path, value))
    assert place in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["verdict", "causes", "levels", "verified", "cost", "run_id"])
def test_misses_a_key_that_is_not_there(load, key) -> None:
    summary = load("plateau")
    del summary[key]
    with pytest.raises(ValueError, match=key):
        validate(summary)


def test_a_healthy_recipe_has_no_causes(load) -> None:
    summary = load("plateau") | {"verdict": "healthy"}
    with pytest.raises(ValueError, match=r"\$\.causes"):
        validate(summary)


@pytest.mark.parametrize("path", [(), ("plateau",), ("levels",), ("causes", 0), ("verified",), ("cost",)])
def test_every_object_may_carry_more_keys(load, path) -> None:
    validate(_with(load("plateau"), (*path, "more"), 0.5))


def _with(summary: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = deepcopy(summary)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed
