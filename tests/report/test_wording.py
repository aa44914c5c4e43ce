"""A cause's own words come first; one that brings none is spelt out."""

import pytest

from plateau_cause.causes import data_causes, recipe_factors
from plateau_cause.report.schema import cause_names
from plateau_cause.report.wording import spoken, words

OWN = [words for factor in recipe_factors() for words in (factor.words, *factor.cause_words.values())]
OWN += [cause.words for cause in data_causes()]


@pytest.mark.parametrize("plain", OWN, ids=lambda plain: plain.repair)
def test_words_fit_their_place(plain) -> None:
    assert len(plain.repair) <= 26  # a label of the waterfall on a phone
    assert len(plain.title) <= 50


@pytest.mark.parametrize("name", cause_names())
def test_every_cause_has_words_also_without_its_own(name) -> None:
    plain = words({"cause": name})
    assert plain.title and plain.repair and "_" not in plain.title + plain.repair


def test_own_words_come_first() -> None:
    own = {
        "cause": "head",
        "title": "Softmax before the loss",
        "repair": "Cut it off",
        "explanation": "Twice.",
    }
    assert words(own) == ("Softmax before the loss", "Cut it off", "Twice.")


def test_a_new_cause_is_spelt_out() -> None:
    assert words({"cause": "bad_luck"}).repair == "Fix bad luck"


def test_levels_are_read_aloud() -> None:
    assert [spoken(name) for name in ("knn", "linear_probe")] == ["nearest neighbours", "linear probe"]
