"""Too few pixels."""

import pytest
from tiny import make_arm

from plateau_cause.causes.resolution import DATA_CAUSE, FACTOR
from plateau_cause.causes.trial import Larger


def test_is_swapped_alone(check_factor):
    swapped = check_factor(FACTOR, {"preprocessing.size": 8}, {"preprocessing.size"})
    assert swapped.recipe.preprocessing.size == 16


def test_says_both_sizes(evidence):
    (sentence,) = FACTOR.explain(make_arm({"preprocessing.size": 8}), make_arm(), evidence)
    assert "8 px" in sentence and "16 px" in sentence


TINY_OBJECTS = Larger(original_px=320, stored_px=96, expected_px=160, gained=0.06)
AT_64 = make_arm({"preprocessing.size": 64})


def test_half_the_size_shows_what_twice_the_size_would_give(make_facts, try_cause):
    facts = make_facts(AT_64, accuracy=0.4, larger=TINY_OBJECTS)
    assert DATA_CAUSE.prior(facts) > 0
    tried = try_cause(DATA_CAUSE, facts, 0.2)
    assert tried.trial.arms[0].recipe.preprocessing.size == 32 and not tried.trial.repairs
    assert tried.reported.mean == pytest.approx(0.1)
    assert "From 32 to 64 px test accuracy rose by +20 points" in tried.evidence[0]
    assert "128 px would add about +10 points" in tried.evidence[0]
    assert tried.fix == {"recipe.preprocessing.size": 160, "data.stored_size": None}


def test_what_is_stored_large_enough_stays_as_it_is(make_facts, try_cause):
    stored = Larger(original_px=320, stored_px=240, expected_px=160, gained=0.06)
    tried = try_cause(DATA_CAUSE, make_facts(AT_64, accuracy=0.4, larger=stored), 0.2)
    assert tried.fix == {"recipe.preprocessing.size": 160}


@pytest.mark.parametrize(
    ("arm", "values"),
    [
        (AT_64, {}),  # nothing larger can be had
        (AT_64, {"larger": Larger(320, 320, 160, gained=0.01)}),  # frozen features gain nothing from it
        (AT_64, {"larger": TINY_OBJECTS, "accuracy": 0.97}),  # nothing is missing
        (make_arm({"preprocessing.size": 16}), {"larger": TINY_OBJECTS}),  # half of it would show nothing
    ],
)
def test_is_not_asked(make_facts, arm, values):
    assert DATA_CAUSE.prior(make_facts(arm, **{"accuracy": 0.4, **values})) == 0
