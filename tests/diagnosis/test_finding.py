"""What known values of runs say about one factor."""

import numpy as np
import pytest
from tiny import FixedRates, make_arm, make_result

from plateau_cause.causes import RECIPE_FACTORS
from plateau_cause.diagnosis.finding import finding
from plateau_cause.diagnosis.ledger import Ledger

N = 400
MIN_EFFECT = 0.03
FAULTS = {
    "head": {"head.activation": "softmax"},
    "data_order": {"shuffle": False},
    "batch_norm": {"batch_norm": "train"},
}
NOTHING, HEAD, ORDER = frozenset(), frozenset({"head"}), frozenset({"data_order"})
BOTH = HEAD | ORDER


def say(values, name, path):
    """Returns the finding on one factor where these sets of fixed factors were run."""
    everything = frozenset().union(*values)
    broken = {key: fault for name in everything for key, fault in FAULTS[name].items()}
    hits = {taken: (np.arange(N) < value * N).astype(float) for taken, value in values.items()}
    ledger = Ledger(
        recipe=[make_result(make_arm({"batch_norm": "frozen", **broken}), hits[NOTHING])],
        reference=[make_result(make_arm({"batch_norm": "frozen"}), hits[everything])],
        factors=[factor for factor in RECIPE_FACTORS if factor.name in everything],
        rates=FixedRates(),
        run=lambda arm, name: [],
        estimate=lambda arm: 1.0,
        targets=np.zeros(N, np.int64),
        budget=0.0,
        asked=everything,
    )
    ledger.runs |= {taken: [make_result(make_arm(), hit)] for taken, hit in hits.items()}
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


def test_what_is_taken_later_counts_once_the_first_is_fixed():
    mode = frozenset({"batch_norm"})
    values = {NOTHING: 0.5, HEAD: 0.8, mode: 0.65, HEAD | mode: 0.82, BOTH | mode: 0.9}
    found = say(values, "batch_norm", ("head", "batch_norm", "data_order"))
    assert found.forward.mean == pytest.approx(0.15)
    assert found.effect.mean == pytest.approx(0.02)


def test_beside_a_path_that_closes_nothing_gains_more_than_is_left():
    mode = frozenset({"batch_norm"})
    values = {NOTHING: 0.5, ORDER: 0.89, ORDER | mode: 0.7, BOTH | mode: 0.9}
    found = say(values, "head", ("data_order",))
    assert found.backward.mean == pytest.approx(0.2)  # the reference misses it because of its batch norm
    assert found.effect.mean == pytest.approx(0.01)


def test_the_runs_behind_an_effect_are_those_it_compares():
    both_ways = {NOTHING: 0.5, HEAD: 0.7, ORDER: 0.6, BOTH: 0.9}
    assert set(say(both_ways, "head", ("head", "data_order")).behind) == set(both_ways)
    spare = say({NOTHING: 0.5, HEAD: 0.9, ORDER: 0.7, BOTH: 0.9}, "data_order", ("data_order", "head"))
    assert set(spare.behind) == {HEAD, BOTH}
    after_the_first = say({NOTHING: 0.5, ORDER: 0.6, BOTH: 0.9}, "head", ("data_order", "head"))
    assert set(after_the_first.behind) == {ORDER, BOTH}


@pytest.mark.parametrize(("after_the_first", "effect"), [(0.84, 0.07), (0.82, 0.02)])
def test_what_still_pays_after_the_first_counts_in_both_places(after_the_first, effect):
    values = {NOTHING: 0.5, HEAD: 0.6, ORDER: 0.8, BOTH: after_the_first, BOTH | {"batch_norm"}: 0.9}
    assert say(values, "head", ("data_order", "head")).effect.mean == pytest.approx(effect, abs=1e-6)
