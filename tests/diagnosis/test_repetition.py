"""What is open is run again under further seeds, what is decided is not, and the budget holds."""

import numpy as np
import pytest
from games import MIN_EFFECT, Game, N, by_name
from tiny import make_result

from plateau_cause.diagnosis import repetition
from plateau_cause.diagnosis.repetition import further_seeds, repeat

GAINS = {"head": 0.3, "loss_function": 0.035}


class Lucky(Game):
    """A game in which single images flip between any two runs, and in which a further seed moves accuracy."""

    def __init__(self, gains=GAINS, luck=None, **options):
        self.gains, self.luck, self.again = gains, luck or {}, []
        super().__init__(list(gains), lambda fixed: 0.5 + sum(gains[name] for name in fixed), **options)

    def results(self, arm):
        return [self.result(arm.with_seed(seed)) for seed in range(self.seeds)]

    def result(self, arm):
        fixed = self.fixed(arm)
        luck = self.luck.get(arm.seed, 0.0) if fixed else 0.0
        hit = np.arange(N) < (self.value(fixed) + luck) * N
        hit[(np.arange(12) + 12 * len(fixed)) % N] = False  # every run misses some of its own
        return make_result(arm, hit.astype(float), self.cost)

    def run_once(self, arm, name):
        self.again.append(name)
        return self.result(arm)

    def repeat(self):
        return repeat(self.investigate(), self.run_once, MIN_EFFECT)


def test_what_is_decided_is_left_alone():
    game = Lucky({"head": 0.3})
    assert by_name(game.repeat())["head"].effect.mean == pytest.approx(0.3)
    assert game.again == []


def test_a_healthy_recipe_is_left_alone():
    game = Lucky({"head": 0.025})
    assert game.repeat().verdict == "healthy"
    assert game.again == []


def test_the_luck_of_one_training_is_averaged_out():
    game = Lucky({"head": 0.05}, luck={1: -0.06, 2: -0.06})
    assert game.investigate().verdict == "plateau"
    found = game.repeat()
    assert sorted(game.again) == [
        "recipe, seed 1",
        "recipe, seed 2",
        "reference, seed 1",
        "reference, seed 2",
    ]
    assert found.verdict == "healthy"
    assert found.gap.mean == pytest.approx(0.01, abs=0.005)


def test_a_factor_of_the_path_that_is_open_is_run_again():
    game = Lucky()
    found = game.repeat()
    assert "loss_function" in found.path
    behind = {game.ledger.label(taken) for taken in by_name(found)["loss_function"].behind}
    assert {name.rsplit(", seed", 1)[0] for name in game.again} == behind
    assert all(len(results) <= repetition.MOST_SEEDS for results in game.ledger.runs.values())


def test_the_budget_holds():
    game = Lucky(budget=5.0)
    game.repeat()
    assert game.ledger.spent <= 5.0
    assert 0 < len(game.again) < 4


def test_further_seeds_follow_those_that_are_asked_for():
    assert further_seeds((0,)) == [1, 2]
    assert further_seeds((4, 7)) == [8]
    assert further_seeds((0, 1, 2)) == []
