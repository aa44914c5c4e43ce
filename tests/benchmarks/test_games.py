"""Noisy games: their truth is what was drawn, the ideal finds it, answers are scored right."""

import numpy as np
import pytest

from benchmarks.games import ideal, run, score
from benchmarks.games.simulator import (
    FAILED,
    KINDS,
    MUST,
    Key,
    NoisyGame,
    Structure,
    key,
    structure,
)


def drawn(kind, number, factors=4):
    return structure(kind, factors, np.random.default_rng(number))


class TestSimulator:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("factors", [4, 6])
    def test_a_game_repeats_and_loses_nothing_with_nothing_broken(self, kind, factors):
        one, same = drawn(kind, 3, factors), drawn(kind, 3, factors)
        everything = frozenset(one.names)
        assert len(one.names) == factors
        assert one.value(frozenset()) == one.top and 0.8 <= one.top <= 0.97
        assert one.value(everything) == same.value(everything)

    @pytest.mark.parametrize(
        ("kind", "must", "spare"),
        [
            ("single", 1, 0), ("double", 2, 0), ("mask", 2, 0), ("mask3", 3, 0), ("spare", 0, 2),
            ("hurts", 2, 0), ("null", 0, 0), ("grey", 0, 0), ("failing", 2, 0), ("costs", 2, 0),
        ],
    )  # fmt: skip
    def test_the_right_answer_is_what_was_planted(self, kind, must, spare):
        for number in range(20):
            right = key(drawn(kind, number))
            assert (len(right.must), len(right.any_of)) == (must, spare)
            assert right.must | right.any_of <= right.may or kind == "grey"

    def test_many_small_differences_may_be_named_by_nobody(self):
        truth = drawn("grey", 0)
        gap = truth.top - truth.value(frozenset(truth.names))
        assert gap > MUST and not key(truth).must and not key(truth).may

    def test_runs_have_the_accuracy_and_the_luck_that_was_asked_for(self):
        truth = Structure(("a",), 0.9, lambda broken: 0.2 * ("a" in broken))
        rng = np.random.default_rng(0)
        for broken, accuracy in ((frozenset(), 0.9), (frozenset("a"), 0.7)):
            means = [NoisyGame(truth, rng, 0.015, images=20_000).run(broken).mean() for _ in range(150)]
            assert np.mean(means) == pytest.approx(accuracy, abs=0.005)
            assert np.std(means) == pytest.approx(0.015, abs=0.004)

    def test_images_are_as_hard_for_one_training_as_for_another(self):
        game = NoisyGame(Structure(("a",), 0.8, lambda broken: 0.0), np.random.default_rng(0), 0.0, 20_000)
        one, other = game.run(frozenset()), game.run(frozenset())
        assert 0.05 < (one != other).mean() < 0.16 < 2 * 0.8 * 0.2  # independent images: 0.32

    def test_seeds_fail_as_often_as_is_said(self):
        truth = Structure(("a",), 0.9, lambda broken: 0.0, fails=0.2)
        game = NoisyGame(truth, np.random.default_rng(0), 0.0, 2000)
        low = [game.run(frozenset()).mean() < 0.9 - FAILED[0] + 0.03 for _ in range(300)]
        assert np.mean(low) == pytest.approx(0.2, abs=0.07)

    def test_prices_multiply(self):
        truth = Structure(("a", "b"), 0.9, lambda broken: 0.0, prices={"a": 0.5})
        assert [truth.price(frozenset(word)) for word in ("", "a", "b", "ab")] == [1.0, 0.5, 1.0, 0.5]


@pytest.mark.parametrize("player", ["ideal", "rule"])
def test_a_large_cause_is_found_and_nobody_else_accused(player):
    truth = Structure(tuple(f"f{i}" for i in range(4)), 0.9, lambda broken: 0.3 * ("f2" in broken))
    for number in range(3):
        noisy = NoisyGame(truth, np.random.default_rng(number), 0.004)
        named = (
            ideal.play(noisy, 4)[0]
            if player == "ideal"
            else frozenset(found.factor for found in run.play(noisy, 4).causes)
        )
        assert named == {"f2"}


def test_a_cell_is_measured():
    row = run.measure(run.Cell("single", 4, 0.004, 6, 4))
    assert (row.kind, row.factors, row.games) == ("single", 4, 4)
    assert 0 <= row.recall <= 1 and 0 <= row.false <= 1
    assert all(0 <= stated <= 1 for stated, _ in row.stated) and len(row.stated) == 16
    assert "single" in score.line(row)


class TestScore:
    right = Key(must=frozenset("ab"), any_of=frozenset(), may=frozenset("abc"))
    spare = Key(must=frozenset(), any_of=frozenset("ab"), may=frozenset("ab"))

    @pytest.mark.parametrize(("named", "recall"), [("ab", 1.0), ("a", 0.5), ("", 0.0), ("cd", 0.0)])
    def test_recall_counts_what_must_be_named(self, named, recall):
        assert self.right.recall(frozenset(named)) == recall

    @pytest.mark.parametrize(("named", "recall"), [("a", 1.0), ("ab", 1.0), ("", 0.0)])
    def test_of_repairs_that_suffice_one_is_enough(self, named, recall):
        assert self.spare.recall(frozenset(named)) == recall

    def test_where_nothing_must_be_named_nothing_is_missed(self):
        assert Key(frozenset(), frozenset(), frozenset()).recall(frozenset("a")) is None

    def row(self, named, bound, **changes):
        answers, bounds = (
            [
                score.Answer(frozenset(name), self.right, [(0.9, "a"), (0.2, "c"), (0.1, "d")])
                for name in names
            ]
            for names in (named, bound)
        )
        return score.row("double", 4, 0.004, answers, bounds)

    def test_a_row(self):
        found = self.row(["ab", "ad"], ["ab", "ab"])
        assert (found.recall, found.ideal_recall) == (0.75, 1.0)
        assert (found.false, found.ideal_false) == (0.5, 0.0)
        assert found.stated == [(0.9, True), (0.1, False)] * 2  # c may be named and need not: it is neither

    def test_bars(self):
        good, deaf, rash = (self.row([named] * 4, ["ab"] * 4) for named in ("ab", "a", "abd"))
        assert not [words for words in score.failures([good]) if "calibration" not in words]
        assert any(words.startswith("recall 0.50") for words in score.failures([deaf]))
        assert any("100.0% falsely accused" in words for words in score.failures([rash]))

    def test_calibration(self):
        assert score.calibration_error([(0.75, True)] * 3 + [(0.75, False)]) == pytest.approx(0.0)
        assert score.calibration_error([(0.95, False)] * 10) == pytest.approx(0.95)
        assert score.calibration_error([(1.0, True)] * 10) == 0.0
        assert any("calibration" in words for words in score.failures([self.row(["ab"], ["ab"])]))
