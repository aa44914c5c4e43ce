"""Choosing what to run by what was seen, and when to stop, accuses nobody more often (simulated games)."""

import numpy as np
import pytest

from benchmarks.games.run import play
from benchmarks.games.simulator import MIN_EFFECT, NoisyGame, Structure
from plateau_cause.diagnosis.decision import corners
from plateau_cause.diagnosis.game import Game
from plateau_cause.diagnosis.posterior import posterior
from plateau_cause.diagnosis.prior import hypotheses
from plateau_cause.diagnosis.verdict import judge

GAMES = 40
LUCK = 0.015  # of one training, accuracy 0..1
CHANCE = 0.05  # of the games may have a false accusation
# Three standard errors of a share that is CHANCE, over so many games.
MOST_FALSE = GAMES * CHANCE + 3 * (GAMES * CHANCE * (1 - CHANCE)) ** 0.5


def noisy(number, names, loss):
    rng = np.random.default_rng(50_000 + number)
    return NoisyGame(Structure(names, float(rng.uniform(0.8, 0.95)), loss), rng, LUCK)


def accused(verdict):
    return {found.factor for found in verdict.causes}


@pytest.mark.slow
@pytest.mark.parametrize("nulls", [1, 4, 6])
def test_swaps_that_do_nothing_are_not_accused_more_often_the_more_there_are(nulls):
    """Among ever more of them the luckiest looks ever better: that must not be taken for an effect."""
    names = tuple(f"null{i}" for i in range(nulls))
    false = sum(bool(accused(play(noisy(i, names, lambda broken: 0.0), 4))) for i in range(GAMES))
    assert false <= MOST_FALSE


@pytest.mark.slow
@pytest.mark.parametrize("nulls", [1, 3, 5])
def test_nor_beside_one_that_matters(nulls):
    names = ("real", *(f"null{i}" for i in range(nulls)))
    runs = len(names)  # a cause is only named where a run isolates it
    found = [
        accused(play(noisy(i, names, lambda broken: 0.1 * ("real" in broken)), runs)) for i in range(GAMES)
    ]
    assert sum(bool(named - {"real"}) for named in found) <= MOST_FALSE
    assert np.mean(["real" in named for named in found]) > 0.6


class TestOptionalStopping:
    """The arms are run in turn; whoever stops as soon as a cause is named looks up to ten times."""

    LOOKS = 10

    def false(self, stops, names=("a", "b"), loss=lambda broken: 0.0):
        prior = hypotheses((0.25,) * len(names))
        count = 0
        for number in range(GAMES):
            played, game = noisy(number, names, loss), Game(names, (0.25,) * len(names))
            order = [frozenset(names), frozenset(), frozenset(names[:1]), frozenset(names[1:])]
            for turn in range(2 + self.LOOKS):
                broken = order[turn % len(order)]
                game = game.with_run(broken, played.run(broken))
                is_last = turn == 1 + self.LOOKS
                if turn >= 1 and (stops or is_last):
                    sets = corners(game)
                    named = judge(game, posterior(game, sets, prior), sets, MIN_EFFECT).causes
                    if named or is_last:
                        count += bool(named)
                        break
        return count

    @pytest.mark.slow
    def test_gives_no_more_false_accusations_than_a_fixed_number_of_runs(self):
        stopped, fixed = self.false(stops=True), self.false(stops=False)
        assert stopped <= MOST_FALSE and fixed <= MOST_FALSE
        assert stopped - fixed <= MOST_FALSE - GAMES * CHANCE
