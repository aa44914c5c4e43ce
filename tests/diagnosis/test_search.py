"""Which run is asked for: none where all is decided, the free one first, what tells a masked pair."""

import pytest
from by_hand import MIN_EFFECT, finding, game_of, hits, judged, played

from plateau_cause.diagnosis.prior import hypotheses
from plateau_cause.diagnosis.search import ENUMERATED, MOST_REPETITIONS, candidates, look


def one(broken):
    return 1.0


def ahead_of(game, price=one, left=10.0, **others):
    return look(game, hypotheses(game.active), MIN_EFFECT, price, left, **others)


def searched(game, loss, runs, price=one):
    """Returns the game after the search spent so much, and the sets it asked for."""
    game = played(game, loss, ["".join(game.factors), ""])
    asked = []
    while True:
        ahead = ahead_of(game, price, runs)
        if ahead.broken is None:
            return game, asked
        assert price(ahead.broken) <= runs
        runs -= price(ahead.broken)
        asked.append(ahead.broken)
        game = played(game, loss, [ahead.broken])


def mask(broken):
    return 0.15 * bool(broken & {"a", "b"})


class TestStops:
    def test_where_nothing_is_undecided(self):
        game = played(game_of("ab"), lambda broken: 0.2 * ("a" in broken), ["", "ab", "a", "b"] * 3)
        ahead = ahead_of(game)
        assert ahead.broken is None and ahead.value == 0.0

    def test_where_one_factor_explains_everything(self):
        game = played(game_of("a"), lambda broken: 0.3 * ("a" in broken), ["", "a"])
        assert ahead_of(game).broken is None

    def test_without_a_factor(self):
        assert ahead_of(played(game_of(""), lambda broken: 0.0, ["", ""])).broken is None

    def test_where_nothing_is_affordable(self):
        game = played(game_of("abc"), mask, ["", "abc"])
        assert ahead_of(game, left=0.5).broken is None
        assert ahead_of(game, left=1.0).broken is not None

    def test_a_set_is_run_only_so_often(self):
        game = played(game_of("a"), lambda broken: 0.03, ["", "a"] * MOST_REPETITIONS, images=30)
        assert ahead_of(game).broken is None


class TestARunThatMayHaveFailed:
    """The recipe loses 40 points that no swap explains: for its seed, or because any repair suffices."""

    def game(self, names, **others):
        words = [names, "", *names, *(names.replace(name, "") for name in names)]
        game = game_of(names)
        for word in dict.fromkeys(words):
            accuracy = 0.9 - self.loss(names)(frozenset(word))
            game = game.with_run(frozenset(word), hits(accuracy), **others)
        return game

    def loss(self, names):
        return lambda broken: 0.4 * (len(broken) == len(names))

    @pytest.mark.parametrize("names", ["ab", "abc", "abcd"])
    def test_is_repeated_before_anything_is_settled(self, names):
        game = self.game(names)
        assert judged(game).verdict == "inconclusive"
        assert ahead_of(game, price=lambda broken: 1 + len(broken)).broken == frozenset(names)
        again = judged(played(game, self.loss(names), [names]))
        assert again.verdict == "plateau" and all(found.standing == "cause" for found in again.findings)
        assert {found.alternatives for found in again.findings if found.factor == "a"} == {tuple(names[1:])}

    def test_a_repetition_that_is_fine_clears_the_recipe(self):
        game = self.game("abc").with_run(frozenset("abc"), hits(0.9))
        verdict = judged(game)
        assert verdict.verdict == "healthy" and not verdict.causes
        assert ahead_of(game).broken is None

    def test_it_is_not_repeated_where_it_cannot_be_paid(self):
        assert ahead_of(self.game("abc"), left=0.5).broken is None

    def test_a_run_that_fitted_its_images_is_not_in_doubt(self):
        assert judged(self.game("abc", has_learned=True)).verdict == "plateau"


class TestCost:
    def test_a_free_run_is_taken_first(self):
        game = played(game_of("abc"), mask, ["", "abc"])
        for free in ("a", "bc", "ac"):
            ahead = ahead_of(game, price=lambda broken, free=free: float(broken != frozenset(free)))
            assert ahead.broken == frozenset(free)

    def test_of_runs_that_tell_alike_the_cheaper_one(self):
        """Breaking a alone and fixing a alone tell the same of one factor among two."""
        game = played(game_of("abc"), lambda broken: 0.1 * ("a" in broken), ["", "abc"])
        for dear in "abc":
            ahead = ahead_of(game, price=lambda broken, dear=dear: 5.0 if dear in broken else 1.0)
            assert dear not in ahead.broken

    def test_what_costs_more_than_is_left_is_not_asked_for(self):
        dear = {"a": 4.0, "b": 1.0, "c": 2.5}
        price = lambda broken: sum(dear[name] for name in broken) or 1.0  # noqa: E731
        _, asked = searched(game_of("abc"), mask, 6.0, price)
        assert sum(map(price, asked)) <= 6.0 and asked

    def test_its_value_is_what_it_removes_per_cost(self):
        game = played(game_of("abc"), mask, ["", "abc"])
        cheap, dear = ahead_of(game), ahead_of(game, price=lambda broken: 2.0)
        assert cheap.broken == dear.broken
        assert cheap.value == pytest.approx(2 * dear.value)


class TestFinds:
    @pytest.mark.parametrize("names", ["ab", "abc", "abcd"])
    def test_a_masked_pair_in_the_runs_it_takes(self, names):
        game, asked = searched(game_of(names), mask, len(names) + 1)
        assert len(asked) <= len(names) + 1
        verdict = judged(game)
        assert {found.factor for found in verdict.causes} == {"a", "b"}

    def test_one_cause_among_four_in_as_many_runs(self):
        for cause in "abcd":
            game, asked = searched(game_of("abcd"), lambda broken, cause=cause: 0.2 * (cause in broken), 4)
            assert len(asked) <= 4
            assert [found.factor for found in judged(game).causes] == [cause]

    def test_nothing_where_nothing_is_wrong(self):
        game, _ = searched(game_of("abcd"), lambda broken: 0.0, 4)
        verdict = judged(game)
        assert verdict.verdict == "healthy" and not verdict.causes

    def test_among_more_than_six(self):
        names = "abcdefghi"
        game, asked = searched(game_of(names, 0.1), lambda broken: 0.2 * ("h" in broken), 9)
        assert len(asked) <= 9
        verdict = judged(game)
        assert [found.factor for found in verdict.causes] == ["h"]
        assert finding(verdict, "a").standing != "cause"


class TestCandidates:
    def test_every_set_of_few_factors(self):
        assert len(candidates(game_of("abcd"))) == len(set(candidates(game_of("abcd")))) == 16

    def test_those_near_the_corners_of_many(self):
        names = "abcdefghij"
        found = candidates(game_of(names))
        assert len(names) > ENUMERATED and len(found) == len(set(found)) < 120
        everything = frozenset(names)
        assert {frozenset(), everything} <= set(found)
        assert {frozenset(letter) for letter in names} <= set(found)
        assert {everything - {letter} for letter in names} <= set(found)

    def test_pairs_of_the_likeliest(self):
        chances = tuple(0.9 if letter in "hi" else 0.1 for letter in "abcdefghij")
        assert frozenset("hi") in candidates(game_of("abcdefghij", chances))
