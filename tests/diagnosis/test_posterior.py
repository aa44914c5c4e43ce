"""What runs say about sets: known structures are recovered, luck is learnt, a failed run is told."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from by_hand import believed, finding, game_of, hits, judged, played

from plateau_cause.diagnosis.decision import corners
from plateau_cause.diagnosis.natures import LUCKS
from plateau_cause.diagnosis.posterior import log_evidence, posterior, weigh
from plateau_cause.diagnosis.prior import hypotheses

NO_LUCK = (1.0, 0.0, 0.0)
EVERY = ["", "a", "b", "c", "ab", "ac", "bc", "abc"]
LOSSES = {
    "one": lambda broken: 0.1 * ("a" in broken),
    "sum": lambda broken: 0.1 * ("a" in broken) + 0.2 * ("b" in broken),
    "mask": lambda broken: 0.15 * bool(broken & {"a", "b"}),
    "spare": lambda broken: 0.15 * (broken >= {"a", "b"}),
    "hurt": lambda broken: (
        0.1 * ("a" in broken) + 0.1 * ("b" in broken) + 0.16 * ("b" in broken and "a" not in broken)
    ),
    "bottleneck": lambda broken: 0.25 if "a" in broken else 0.1 if "b" in broken else 0.0,
    "three": lambda broken: 0.2 * bool(broken),
    "nothing": lambda broken: 0.0,
}


def sets_of(words):
    return [frozenset(word) for word in words]


class TestKnownStructures:
    """Every set was run, and repeated, with no luck at all."""

    @pytest.mark.parametrize("name", LOSSES)
    def test_needs_and_gains_are_recovered(self, name):
        loss = LOSSES[name]
        verdict = judged(played(game_of("abc"), loss, EVERY * 2))
        everything = frozenset("abc")
        assert verdict.gap.mean == pytest.approx(loss(everything), abs=0.01)
        for letter in "abc":
            found = finding(verdict, letter)
            alone = loss(everything) - loss(everything - {letter})
            assert found.need.mean == pytest.approx(loss(frozenset(letter)), abs=0.012), letter
            assert found.alone.mean == pytest.approx(alone, abs=0.012), letter

    @pytest.mark.parametrize("name", ["one", "sum", "spare", "nothing"])
    def test_sets_that_were_not_run_are_foreseen(self, name):
        """Two of eight sets are left out; what is lost in them is told by the others."""
        game = played(game_of("abc"), LOSSES[name], ["", "abc", "a", "b", "bc", "ac"] * 2)
        found = posterior(game, sets_of(["ab", "c"]), hypotheses(game.active))
        for row, word in enumerate(["ab", "c"]):
            foreseen = float(found.weight @ found.center[:, row])
            assert foreseen == pytest.approx(0.9 - LOSSES[name](frozenset(word)), abs=0.02)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_the_factors_does_not_matter(order):
    words = ["", "abc", "a", "bc"]
    active = (0.4, 0.2, 0.1)
    names = "".join("abc"[i] for i in order)
    first = judged(played(game_of("abc", active), LOSSES["sum"], words))
    other = judged(played(game_of(names, tuple(active[i] for i in order)), LOSSES["sum"], words))
    assert other.gap.mean == pytest.approx(first.gap.mean)
    for letter in "abc":
        assert finding(other, letter).need.mean == pytest.approx(finding(first, letter).need.mean)
        assert finding(other, letter).probability == pytest.approx(finding(first, letter).probability)


def test_the_order_of_the_runs_does_not_matter():
    words = ["", "abc", "a", "bc", "abc"]
    first, other = (judged(played(game_of("abc"), LOSSES["hurt"], w)) for w in (words, words[::-1]))
    for letter in "abc":
        assert finding(other, letter).probability == pytest.approx(finding(first, letter).probability)


def test_probabilities_add_up():
    for words in (["", "ab"], ["", "ab", "a"], ["", "ab", "a", "a"]):
        game = played(game_of("ab"), LOSSES["sum"], words)
        found = believed(game)
        assert found.weight.sum() == pytest.approx(1.0) and (found.weight >= 0).all()
        assert sum(found.lucks) == pytest.approx(1.0)
        assert len(found.weight) == len(found.center) == len(found.loading) == len(found.noise)
        assert (found.noise > 0).all()


def test_equal_runs_shrink_intervals():
    widths = []
    for times in (1, 2, 4):
        low, high = judged(played(game_of("ab"), LOSSES["sum"], ["", "ab"] * times)).gap.interval()
        widths.append(high - low)
    assert widths[0] > 1.1 * widths[1] > 1.1 * widths[2]


def test_more_test_images_shrink_intervals():
    def width(images):
        game = played(game_of("a"), LOSSES["one"], ["", "a"], images=images)
        low, high = judged(replace(game, lucks=NO_LUCK)).gap.interval()
        return high - low

    assert width(50) > 1.7 * width(400) > 1.7**2 * width(4000)


def test_without_runs_of_it_a_factor_is_believed_as_before():
    """Two arms alike: what each factor is needed for is hardly believed to be anything."""
    verdict = judged(played(game_of("abc", (0.6, 0.3, 0.05)), LOSSES["nothing"], ["", "abc"]))
    likely = [finding(verdict, letter).probability for letter in "abc"]
    assert likely == sorted(likely, reverse=True) and likely[0] < 0.6


def test_a_gap_is_shared_out_by_what_was_likely_before():
    verdict = judged(played(game_of("ab", (0.6, 0.05)), lambda broken: 0.2 * bool(broken), ["", "ab"]))
    assert finding(verdict, "a").probability > 0.8 > 0.5 > finding(verdict, "b").probability


class TestLuck:
    def repeated(self, deviation, times=6):
        draws = np.random.default_rng(1).standard_normal(2 * times)
        draws -= draws.mean()
        draws /= draws.std()
        game = game_of("ab")
        for i, draw in enumerate(draws):
            game = game.with_run(
                frozenset("ab") if i % 2 else frozenset(), hits(0.8 + deviation * draw, 4000)
            )
        return believed(game).lucks

    def test_is_learnt_from_repetitions(self):
        expected = [np.dot(self.repeated(deviation), LUCKS) for deviation in (0.0, LUCKS[1], LUCKS[2])]
        assert expected[0] < expected[1] < expected[2]
        assert np.argmax(self.repeated(0.0)) == 0
        assert np.argmax(self.repeated(LUCKS[2])) == len(LUCKS) - 1

    def test_without_repetitions_nothing_is_known(self):
        game = played(game_of("a"), LOSSES["nothing"], ["a"])
        assert believed(game).lucks == pytest.approx((1 / 3,) * 3, abs=0.02)

    def test_what_was_believed_before_counts(self):
        game = played(game_of("a"), LOSSES["one"], ["", "a"])
        still = believed(replace(game, lucks=NO_LUCK)).lucks
        assert still[0] > 0.999

    def test_luckier_trainings_leave_more_open(self):
        game = played(game_of("a"), LOSSES["one"], ["", "a"], images=4000)
        widths = []
        for only in range(3):
            lucks = tuple(float(i == only) for i in range(3))
            low, high = judged(replace(game, lucks=lucks)).gap.interval()
            widths.append(high - low)
        assert widths == sorted(widths) and widths[2] > 2 * widths[0]


class TestFailedRun:
    """One of the runs broke down for no reason but its seed."""

    def game(self, words, failed):
        game = game_of("ab")
        for i, word in enumerate(words):
            accuracy = 0.9 - LOSSES["nothing"](frozenset(word))
            game = game.with_run(frozenset(word), hits(accuracy - 0.4 * (i == failed)))
        return judged(game)

    def test_is_recognised_by_its_repetitions(self):
        verdict = self.game(["", "ab", "ab", "ab", "", "a", "b"], failed=1)
        assert abs(verdict.gap.mean) < 0.02 and verdict.verdict == "healthy"
        assert all(found.standing != "cause" for found in verdict.findings)

    def test_a_swap_that_failed_accuses_nobody(self):
        verdict = self.game(["", "ab", "a", "a", "a", "b", "ab", ""], failed=2)
        assert all(found.standing != "cause" for found in verdict.findings)
        assert abs(finding(verdict, "a").need.mean) < 0.02

    def test_a_run_that_fitted_its_images_has_not_failed(self):
        """Training and evaluation read differently: the recipe recognises nothing, any repair mends it."""
        game = game_of("abc")
        for word, accuracy in (("abc", 0.18), ("", 0.97), ("bc", 0.97), ("a", 0.97)):
            game = game.with_run(frozenset(word), hits(accuracy), has_learned=True)
        assert judged(game).verdict == "plateau"

    def test_what_fails_every_time_is_no_accident(self):
        loss = lambda broken: 0.4 * ("a" in broken)  # noqa: E731
        verdict = judged(played(game_of("ab"), loss, ["", "ab", "ab", "a", "b"]))
        assert finding(verdict, "a").standing == "cause"


@pytest.mark.parametrize("lost", [0.05, 0.2, 0.5, 0.9])
def test_what_one_run_of_each_arm_shows_is_not_explained_away(lost):
    """Nothing but the two arms and one factor: the gap is what was measured, be it all there is."""
    game = played(game_of("a"), lambda broken: lost * ("a" in broken), ["", "a"])
    assert judged(game).gap.mean == pytest.approx(lost, abs=max(0.02, 0.1 * lost))


def test_the_likeliest_hypotheses_say_nearly_what_all_say():
    game = played(game_of("abc"), LOSSES["mask"], ["", "abc", "a", "b", "bc"])
    weighed, sets = weigh(game, hypotheses(game.active)), corners(game)
    every, some = weighed.at(sets), weighed.at(sets, 60)
    assert len(every.weight) > len(some.weight) == 60 and (np.diff(every.weight) <= 0).all()
    assert every.weight @ every.center == pytest.approx(some.weight @ some.center, abs=5e-3)


def test_the_evidence_prefers_what_is_true():
    game = played(game_of("ab"), LOSSES["mask"], ["", "a", "b", "ab"] * 2)
    prior = hypotheses(game.active)
    best = int(np.argmax(log_evidence(game, prior) - prior.log_weight))
    assert prior.some[best, 0] == 3 and not prior.size[best, 1:].any()  # lost where any of the two is broken


class TestSwings:
    """A training whose accuracy swings from epoch to epoch ends where it happens to be."""

    def judged(self, swing, repeated=1):
        game = game_of("a")
        for word, accuracy in (("a", 0.3), ("", 0.7)):
            for _ in range(repeated):
                game = game.with_run(frozenset(word), hits(accuracy), has_learned=True, swing=swing)
        return judged(game)

    def test_one_pair_of_runs_that_swing_accuses_nobody(self):
        assert finding(self.judged(0.0), "a").standing == "cause"
        assert finding(self.judged(0.2), "a").standing != "cause"

    def test_repetitions_do(self):
        assert finding(self.judged(0.12, repeated=6), "a").standing == "cause"

    def test_what_any_training_swings_changes_nothing(self):
        still, moving = (finding(self.judged(swing), "a") for swing in (0.0, LUCKS[-1]))
        assert still.need.interval() == moving.need.interval()
