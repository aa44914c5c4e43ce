"""The registry lists every cause, each with a test, a name in the contract and pieces that exist."""

from pathlib import Path

from tiny import make_arm

from plateau_cause import causes
from plateau_cause.causes import DATA_HYPOTHESES, RECIPE_FACTORS
from plateau_cause.config.recipe import Recipe, get
from plateau_cause.lab.arm import OWN_PIECES
from plateau_cause.report.schema import cause_names
from plateau_cause.report.wording import WORDS

HERE = Path(__file__).parent
NO_CAUSE = {"__init__", "factor", "hypothesis"}


def test_every_module_is_listed_and_tested():
    modules = {path.stem for path in Path(causes.__file__).parent.glob("*.py")} - NO_CAUSE
    listed = {factor.name for factor in RECIPE_FACTORS} | {hypothesis.name for hypothesis in DATA_HYPOTHESES}
    assert listed == modules
    assert {path.stem for path in HERE.glob("test_*.py")} >= {f"test_{name}" for name in modules}


def test_names_are_those_of_the_contract(rates):
    low, high = make_arm({"optimizer.learning_rate": 1e-5}), make_arm({"optimizer.learning_rate": 1.0})
    names = {factor.reported(arm, make_arm(), rates) for factor in RECIPE_FACTORS for arm in (low, high)}
    names |= {hypothesis.name for hypothesis in DATA_HYPOTHESES}
    assert names <= set(cause_names())
    assert names <= set(WORDS)


def test_keys_and_pieces_exist():
    pieces = {piece for group in OWN_PIECES.values() for piece in group} | {"batch_norm"}
    for factor in RECIPE_FACTORS:
        assert factor.pieces <= pieces
        for key in factor.keys + factor.carried:
            get(Recipe(), key)


def test_equal_arms_differ_in_nothing(rates):
    assert not [
        factor.name for factor in RECIPE_FACTORS if factor.is_different(make_arm(), make_arm(), rates)
    ]
