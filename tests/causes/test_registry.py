"""Every file that holds a cause is found; it has a test, a name of the contract, words, pieces that exist."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny import make_arm

from plateau_cause import causes
from plateau_cause.causes import data_causes, recipe_factors
from plateau_cause.config.recipe import Recipe, get
from plateau_cause.diagnosis.questions import Swaps
from plateau_cause.lab.arm import OWN_PIECES
from plateau_cause.report.schema import cause_names

HERE = Path(__file__).parent
DEFINES = re.compile(r"^(FACTOR|DATA_CAUSE) = ", re.M)


def files() -> set[str]:
    """Returns the names of the files that say that they hold a cause."""
    folder = Path(causes.__file__).parent
    return {path.stem for path in folder.glob("*.py") if DEFINES.search(path.read_text())}


def every_words():
    """Returns (name, words) of every cause that can be reported."""
    factors = [(name, factor.said(name)) for factor in recipe_factors() for name in names_of(factor)]
    return factors + [(cause.name, cause.words) for cause in data_causes()]


def names_of(factor):
    return tuple(factor.cause_words) or (factor.name,)


def test_every_file_is_found_and_tested():
    found = {cause.name for cause in (*recipe_factors(), *data_causes())}
    assert found == files() and len(found) >= 18
    assert {path.stem for path in HERE.glob("test_*.py")} >= {f"test_{name}" for name in found}


def test_no_two_are_called_the_same():
    for found in (recipe_factors(), data_causes()):
        names = [cause.name for cause in found]
        assert len(names) == len(set(names))
    orders = [factor.order for factor in recipe_factors()]
    assert orders == sorted(set(orders))


def test_names_are_those_of_the_contract(rates):
    low, high = make_arm({"optimizer.learning_rate": 1e-5}), make_arm({"optimizer.learning_rate": 1.0})
    names = {factor.reported(arm, make_arm(), rates) for factor in recipe_factors() for arm in (low, high)}
    names |= {name for name, _ in every_words()}
    assert names <= set(cause_names())
    assert names == {name for name, _ in every_words()}  # what can be reported has words


@pytest.mark.parametrize(("name", "words"), every_words(), ids=lambda value: str(value)[:20])
def test_words_are_sentences_in_plain_words(name, words):
    assert all(text == text.strip() and "_" not in text and "  " not in text for text in words)
    assert all(text[0].isupper() for text in words)
    assert len(words.title.split()) >= 4 and not words.title.endswith(".")
    assert 2 <= len(words.repair.split()) <= 6 and not words.repair.endswith(".")
    assert words.explanation.endswith(".") and len(words.explanation) > 60


def test_keys_and_pieces_exist():
    pieces = {piece for group in OWN_PIECES.values() for piece in group} | {"batch_norm"}
    for factor in recipe_factors():
        assert factor.pieces <= pieces
        for key in factor.keys + factor.carried:
            get(Recipe(), key)


def test_equal_arms_differ_in_nothing(rates):
    assert not [
        factor.name for factor in recipe_factors() if factor.is_different(make_arm(), make_arm(), rates)
    ]


NEW_FACTOR = """
from plateau_cause.causes.factor import RecipeFactor
from plateau_cause.causes.words import Words

FACTOR = RecipeFactor(
    name="batch_of_one",
    order=99,
    words=Words("Batches hold one image", "Enlarge the batch", "One image says little about all of them."),
    keys=("batch_size",),
    prior=lambda arm, other, evidence: 0.35,
    explain=lambda arm, other, evidence: ["The batch holds one image."],
)
"""
NEW_DATA_CAUSE = """
from plateau_cause.causes.trial import DataCause, Trial
from plateau_cause.causes.words import Words

DATA_CAUSE = DataCause(
    name="blurred",
    words=Words("Many images are blurred", "Sharpen the images", "What is blurred shows no edges."),
    prior=lambda facts: 0.4,
    trial=lambda facts: Trial(facts.best, "best", "best, sharpened", after=facts.hits(facts.best)),
    explain=lambda facts, trial, measured: ["Sharpened images were recognised no better."],
    fix=lambda facts, trial: {"data": "take sharper images"},
)
"""


@pytest.fixture
def further_causes(tmp_path, monkeypatch):
    """Adds a folder with two causes to the package's path, and nothing else."""
    (tmp_path / "batch_of_one.py").write_text(NEW_FACTOR)
    (tmp_path / "blurred.py").write_text(NEW_DATA_CAUSE)
    monkeypatch.setattr(causes, "__path__", [*causes.__path__, str(tmp_path)])
    yield
    for name in ("batch_of_one", "blurred"):
        sys.modules.pop(f"{causes.__name__}.{name}", None)
        vars(causes).pop(name, None)
    importlib.invalidate_caches()


def test_a_cause_is_added_by_its_file_alone(further_causes, rates, evidence, make_facts):
    """It is found, swapped against the reference, asked with its own prior, and worded."""
    factor = recipe_factors()[-1]
    assert factor.name == "batch_of_one" and factor.said("batch_of_one").title == "Batches hold one image"
    recipe, reference = make_arm({"batch_size": 1}), make_arm()
    assert factor.is_different(recipe, reference, rates)
    swaps = Swaps(recipe, reference, (factor,), frozenset({factor.name}), rates)
    assert (swaps.names, swaps.active(evidence)) == (("batch_of_one",), (0.35,))
    assert swaps.arm(frozenset()) == reference and swaps.arm(frozenset({"batch_of_one"})) == recipe
    assert factor.fix(recipe, reference) == {"recipe.batch_size": 16}
    (cause,) = [cause for cause in data_causes() if cause.name == "blurred"]
    facts = make_facts()
    assert cause.prior(facts) == 0.4 and np.array_equal(cause.trial(facts).after, facts.hits(facts.best))
    assert cause.words.repair == "Sharpen the images"


def test_what_was_added_is_gone_again():
    assert "batch_of_one" not in {factor.name for factor in recipe_factors()}
    assert "blurred" not in {cause.name for cause in data_causes()}
