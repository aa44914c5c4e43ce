"""What known values of runs say about one factor."""

import numpy as np
import pytest
from tiny import FixedRates, make_arm, make_result

from plateau.causes import RECIPE_FACTORS
from plateau.finding import finding
from plateau.ledger import Ledger

N = 400
MIN_EFFECT = 0.03
FAULTS = {"head.activation": "softmax", "shuffle": False}
NAMES = ("head", "data_order")
NOTHING, HEAD, ORDER, BOTH = (frozenset(names) for names in ((), ("head",), ("data_order",), NAMES))


def say(values, name, path):
    """Returns the finding on one factor where these sets of fixed factors were run."""
    results = {
        taken: [make_result(make_arm(), (np.arange(N) < value * N).astype(float))]
        for taken, value in values.items()
    }
    ledger = Ledger(
        recipe=[make_result(make_arm(FAULTS), results[NOTHING][0].correct(np.zeros(N, np.int64)))],
        reference=results[BOTH],
        factors=[factor for factor in RECIPE_FACTORS if factor.name in NAMES],
        rates=FixedRates(),
        run=lambda arm, name: [],
        estimate=lambda arm: 1.0,
        targets=np.zeros(N, np.int64),
        budget=0.0,
        asked=frozenset(NAMES),
    )
    ledger.runs |= results
    factor = next(factor for factor in ledger.swapped if factor.name == name)
    return finding(ledger, factor, path, MIN_EFFECT)


def test_both_directions_are_averaged():
    found = say({NOTHING: 0.5, HEAD: 0.7, ORDER: 0.6, BOTH: 0.9}, "head", ("head", "data_order"))
    assert (found.forward.mean, found.backward.mean) == (pytest.approx(0.2), pytest.approx(0.3))
    assert found.effect.mean == pytest.approx(0.25)


def test_what_helps_only_while_another_is_broken_is_spare():
    values = {NOTHING: 0.5, HEAD: 0.9, ORDER: 0.7, BOTH: 0.9}
    assert say(values, "data_order", ("data_order", "head")).effect.mean == pytest.approx(0.0)
    assert say(values, "head", ("data_order", "head")).effect.mean == pytest.approx(0.3)


def test_what_hurts_alone_counts_by_what_it_gains_last():
    found = say({NOTHING: 0.5, HEAD: 0.3, ORDER: 0.6, BOTH: 0.9}, "head", ("head", "data_order"))
    assert found.effect.mean == pytest.approx(0.3)
    assert found.forward.mean < 0


def test_what_was_never_run_is_bounded_by_what_is_left():
    found = say({NOTHING: 0.895, BOTH: 0.9}, "data_order", ())
    assert found.jointly
    assert found.effect.mean == pytest.approx(0.005)
