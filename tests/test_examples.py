"""The shipped examples are valid, and their code loads; docs/fault_suite.md says what is found in them."""

import pytest

from plateau_cause.config import params
from plateau_cause.training.user_code import load_user_code


@pytest.fixture
def examples(root):
    return sorted((root / "examples").glob("*.yaml"))


def test_there_are_the_classic_ones(examples):
    assert {path.stem for path in examples} >= {
        "frozen_dense_head",
        "last_layer_too_short",
        "normalisation_matters",
        "normalisation_harmless",
    }


def test_each_is_valid_and_says_what_it_shows(examples, monkeypatch):
    for path in examples:
        monkeypatch.chdir(path.parent)
        assert path.read_text().startswith("# ")
        code = params.load(path).recipe.code
        assert code is None or load_user_code(code).defined
