"""Every cause of the contract has plain words, and a cause's own words come first."""

import pytest

from plateau_cause.report.schema import cause_names
from plateau_cause.report.wording import WORDS, words


def test_every_cause_has_words() -> None:
    assert set(WORDS) == set(cause_names())


@pytest.mark.parametrize("name", sorted(WORDS))
def test_words_fit_their_place(name) -> None:
    plain = words({"cause": name})
    assert len(plain.repair) <= 26  # a label of the waterfall on a phone
    assert len(plain.title) <= 50
    assert plain.explanation.endswith(".")


def test_own_words_come_first() -> None:
    plain = words({"cause": "head", "title": "Softmax before the loss", "explanation": "Twice."})
    assert (plain.title, plain.explanation) == ("Softmax before the loss", "Twice.")


def test_a_new_cause_is_spelt_out() -> None:
    assert words({"cause": "bad_luck"}).repair == "Fix bad luck"
