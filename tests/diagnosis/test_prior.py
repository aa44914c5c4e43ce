"""Hypotheses: as many as there are ways, each losing exactly when its event happens."""

import itertools
import math

import numpy as np
import pytest

from plateau_cause.diagnosis import prior
from plateau_cause.diagnosis.natures import LUCKS
from plateau_cause.diagnosis.prior import BELIEFS, EVENTS, SIZES, Event, hypotheses, rows

A, B, C = 1, 2, 4


def loss(way, amounts, variant=0, count=None):
    """Returns a function: bits of what is broken -> what is lost, under a variant of a way."""
    factors, events = EVENTS[way]
    chosen = events([1 << i for i in range(factors)])[variant]
    assert len(chosen) == len(amounts)

    def lost(broken):
        return sum(amount for amount, event in zip(amounts, chosen, strict=True) if happens(event, broken))

    return lost


def happens(event, broken):
    """Whether an amount is lost, said a second time, by sets of bits."""
    broken, every, some, fixed = (bits(value) for value in (broken, event.every, event.some, event.fixed))
    return every <= broken and (not some or bool(some & broken)) and not fixed & broken


def bits(value):
    return {i for i in range(8) if value >> i & 1}


class TestWays:
    """What is lost with nothing broken, a alone, b alone, both."""

    def table(self, way, amounts, variant=0):
        return [loss(way, amounts, variant)(broken) for broken in (0, A, B, A | B)]

    def test_each_by_itself(self):
        assert self.table("sum", (0.1, 0.2)) == pytest.approx([0, 0.1, 0.2, 0.3])

    def test_mask(self):
        """Fixing one alone does not help."""
        assert self.table("mask", (0.1,)) == pytest.approx([0, 0.1, 0.1, 0.1])

    def test_spare(self):
        """Fixing any one suffices."""
        assert self.table("spare", (0.1,)) == pytest.approx([0, 0, 0, 0.1])

    def test_hurt(self):
        """Fixing the one without the other costs more than it gains, and pays once both are fixed."""
        found = [self.table("hurt", (0.2, 0.1, 0.15), variant) for variant in (0, 1)]
        # b alone broken: its own 0.2 and the 0.15 of a fixed while b is not.
        assert [0, 0.1, 0.35, 0.3] in [pytest.approx(table) for table in found]
        assert [0, 0.35, 0.1, 0.3] in [pytest.approx(table) for table in found]

    def test_bottleneck(self):
        """The worse one of a and b decides; fixing the milder alone shows nothing."""
        found = [self.table("bottleneck", (0.1, 0.2), variant) for variant in (0, 1)]
        assert pytest.approx([0, 0.3, 0.1, 0.3]) in found and pytest.approx([0, 0.1, 0.3, 0.3]) in found

    def test_part_spare(self):
        found = [self.table("part_spare", (0.1, 0.2), variant) for variant in (0, 1)]
        assert pytest.approx([0, 0.2, 0, 0.3]) in found and pytest.approx([0, 0, 0.2, 0.3]) in found

    def test_three(self):
        every = range(8)
        assert [loss("mask3", (0.1,))(broken) for broken in every] == pytest.approx([0, *[0.1] * 7])
        assert [loss("spare3", (0.1,))(broken) for broken in every] == pytest.approx([*[0] * 7, 0.1])
        assert [loss("sum3", (0.1, 0.2, 0.4))(broken) for broken in every] == pytest.approx(
            [0.1 * bool(b & A) + 0.2 * bool(b & B) + 0.4 * bool(b & C) for b in every]
        )
        masked = [loss("one_and_mask", (0.2, 0.1), variant)(C | A) for variant in range(3)]
        assert sorted(masked) == pytest.approx([0.3, 0.3, 0.1][::-1])
        spare = [loss("one_and_spare", (0.2, 0.1), variant)(C | A) for variant in range(3)]
        assert sorted(spare) == pytest.approx([0.1, 0.2, 0.2])

    @pytest.mark.parametrize("way", EVENTS)
    def test_nothing_is_lost_with_nothing_broken(self, way):
        factors, events = EVENTS[way]
        for variant in events([1 << i for i in range(factors)]):
            assert not any(happens(event, 0) for event in variant)

    @pytest.mark.parametrize("way", EVENTS)
    def test_no_two_variants_are_the_same_function(self, way):
        factors, events = EVENTS[way]
        amounts = (0.1, 0.23, 0.47)
        tables = []
        for variant in events([1 << i for i in range(factors)]):
            table = [
                sum(amount for amount, event in zip(amounts, variant, strict=False) if happens(event, broken))
                for broken in range(1 << factors)
            ]
            tables.append(tuple(round(value, 9) for value in table))
        assert len(set(tables)) == len(tables)


def expected_count(k):
    sizes, pairs, triples = len(SIZES), math.comb(k, 2), math.comb(k, 3)
    of_two = sizes**2 + 2 * sizes + 2 * sizes**3 + 4 * sizes**2  # sum; mask, spare; hurt; the other two
    of_three = sizes**3 + 2 * sizes + 6 * sizes**2
    return 1 + k * sizes + pairs * of_two + triples * of_three


@pytest.mark.parametrize("k", [0, 1, 2, 3, 5])
def test_there_are_as_many_as_ways_sizes_and_choices(k):
    found = hypotheses((0.25,) * k)
    assert len(found.log_weight) == expected_count(k)
    assert len({tuple(np.round(row, 6)) for row in np.c_[found.size, found.every, found.some, found.fixed]})


def test_happens_says_what_the_events_say():
    found, every = rows((0.3, 0.2, 0.1)), hypotheses((0.3, 0.2, 0.1))
    asked = np.arange(8)
    happened = every.happens(asked)
    for i in np.random.default_rng(0).choice(len(found), 60, replace=False):
        for j, event in enumerate(found[i].events):
            assert happened[i, j].tolist() == [float(happens(event, broken)) for broken in asked]
        assert not happened[i, len(found[i].events) :].any()
        assert not every.size[i, len(found[i].events) :].any()


def test_the_likeliest_come_first_and_only_so_many(monkeypatch):
    every = hypotheses((0.3, 0.2, 0.1))
    assert (np.diff(every.log_weight) <= 0).all()
    monkeypatch.setattr(prior, "MOST_HYPOTHESES", 10)
    assert hypotheses((0.3, 0.2, 0.1)).log_weight.tolist() == every.log_weight[:10].tolist()


def test_a_way_weighs_by_the_odds_of_its_factors():
    """Sizes and variants share a way's weight; nothing that matters is the measure."""
    active = (0.4, 0.1)
    odds = [p / (1 - p) for p in active]
    weight = {way: sum(row.weight for row in rows(active) if row.way == way) for way in BELIEFS.ways}
    assert weight["none"] == pytest.approx(BELIEFS.ways["none"])
    assert weight["one"] == pytest.approx(BELIEFS.ways["one"] * sum(odds))
    for way in ("sum", "mask", "spare", "hurt", "bottleneck", "part_spare"):
        assert weight[way] == pytest.approx(BELIEFS.ways[way] * odds[0] * odds[1])
    assert weight["mask3"] == 0  # there are only two factors


def test_every_way_has_a_share_and_an_event():
    assert set(BELIEFS.ways) == set(EVENTS) and all(share > 0 for share in BELIEFS.ways.values())


def test_nothing_is_certain_beforehand():
    sure = hypotheses((0.0, 1.0))
    assert np.isfinite(sure.log_weight).all()


def test_what_is_believed_of_every_game_adds_up():
    assert sum(BELIEFS.lucks) == pytest.approx(1.0) and len(BELIEFS.lucks) == len(LUCKS)
    assert sum(common.chance for common in BELIEFS.commons) == pytest.approx(1.0)
    assert 0 < BELIEFS.fails < 0.2


def test_an_event_that_asks_nothing_happens_always():
    assert all(happens(Event(), broken) for broken in range(8))


def test_combinations_are_not_repeated():
    chosen = [row.events for row in rows((0.3,) * 4) if row.way == "mask"]
    pairs = {tuple(sorted(bits(events[0].some))) for events in chosen}
    assert pairs == set(itertools.combinations(range(4), 2))
