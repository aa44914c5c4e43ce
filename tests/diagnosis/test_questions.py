"""What can be asked: the arms between recipe and reference, and one trial per suspicion about the data."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import FixedRates, make_arm, make_result

from plateau_cause.causes import data_order, frozen_layers, regularization
from plateau_cause.causes.trial import DataCause, Trial
from plateau_cause.causes.words import Words
from plateau_cause.diagnosis.game import Game
from plateau_cause.diagnosis.natures import LUCKS
from plateau_cause.diagnosis.questions import REST, Question, Swaps, data_question

N = 60
FACTORS = (frozen_layers.FACTOR, regularization.FACTOR, data_order.FACTOR)
RECIPE = make_arm({"trainable": "head", "loss.label_smoothing": 0.2, "shuffle": False})


class Bench:
    """Gives every arm the accuracy that a function says, at a price."""

    def __init__(self, accuracy=lambda arm: 0.8, price=1.0, seeds=(0,)):
        self.accuracy, self.cost, self.seeds = accuracy, price, seeds
        self.ran, self.subsets = [], {}

    def run_all(self, wanted):
        self.ran += [(name, arm.seed) for arm, name in wanted]
        return [make_result(arm, np.arange(N) < self.accuracy(arm) * N, self.cost) for arm, _ in wanted]

    def price(self, arm):
        return self.cost

    def add_subset(self, name, rows):
        self.subsets[name] = rows


def swaps(asked=("frozen_layers", "regularization", "data_order")):
    return Swaps(RECIPE, make_arm(), FACTORS, frozenset(asked), FixedRates())


class TestSwaps:
    def test_the_ends(self):
        everything = frozenset(swaps().names)
        assert swaps().arm(frozenset()) == make_arm() and swaps().label(frozenset()) == "reference"
        assert swaps().arm(everything) == RECIPE and swaps().label(everything) == "recipe"

    def test_one_broken_is_the_reference_without_it(self):
        arm = swaps().arm(frozenset({"data_order"}))
        assert not arm.recipe.shuffle and arm.recipe.trainable == "all"
        assert swaps().label(frozenset({"data_order"})) == "reference - data_order"

    def test_one_fixed_is_the_recipe_with_it(self):
        broken = frozenset({"frozen_layers", "data_order"})
        arm = swaps().arm(broken)
        assert arm.recipe.loss.label_smoothing == make_arm().recipe.loss.label_smoothing
        assert arm.recipe.trainable == "head" and not arm.recipe.shuffle
        assert swaps().label(broken) == "recipe + regularization"

    def test_what_nobody_asks_about_goes_together(self):
        some = swaps(asked=("data_order",))
        assert some.names == ("data_order", REST)
        arm = some.arm(frozenset({REST}))
        assert arm.recipe.trainable == "head" and arm.recipe.shuffle


class TestQuestion:
    def question(self, bench):
        between = swaps()
        return Question(
            game=Game(between.names, (0.3,) * 3), min_effect=0.03, bench=bench, label=between.label,
            arm=lambda broken, n: between.arm(broken), seen=lambda result: result.correct(np.zeros(N, int)),
        )  # fmt: skip

    def test_every_seed_that_is_asked_for_is_run(self):
        bench = Bench(seeds=(3, 4))
        question = self.question(bench)
        assert question.ask(frozenset()) == 2.0
        assert bench.ran == [("reference", 3), ("reference, seed 4", 4)]
        assert question.price(frozenset()) == 1.0 and question.price(frozenset({"data_order"})) == 2.0

    def test_a_repetition_has_a_seed_of_its_own(self):
        bench = Bench(seeds=(0,))
        question = self.question(bench)
        for _ in range(3):
            question.ask(frozenset())
        assert [seed for _, seed in bench.ran] == [0, 1, 2]
        assert question.game.repetitions(frozenset()) == 3

    def test_what_was_run_decides(self):
        question = self.question(Bench(lambda arm: 0.9 if arm.recipe.trainable == "all" else 0.4))
        for broken in ("recipe", "reference"):
            question.ask(question.game.everything if broken == "recipe" else frozenset())
        for name in question.game.factors:
            question.ask(frozenset({name}))
        assert [found.factor for found in question.verdict().causes] == ["frozen_layers"]


def cause(trial, prior=0.5):
    return DataCause("label_noise", Words("t", "r", "e"), lambda f: prior, lambda f: trial, None, None)


class Facts:
    min_effect = 0.03

    def hits(self, result):
        return result.correct(np.zeros(N, int))


def base(accuracy=0.6):
    return make_result(make_arm(), np.arange(N) < accuracy * N)


class TestDataQuestion:
    def test_nothing_is_asked_without_a_suspicion(self):
        trial = Trial(base=base(), base_name="best", name="x", arms=(make_arm(images="some"),))
        assert data_question(Bench(), cause(trial, prior=0.0), Facts(), (1.0,) * len(LUCKS)) is None
        assert data_question(Bench(), cause(None), Facts(), (1.0,) * len(LUCKS)) is None

    @pytest.mark.parametrize("repairs", [True, False])
    def test_the_base_stands_where_the_data_are_worse_or_better(self, repairs):
        rows = np.arange(3)
        trial = Trial(
            base=base(), base_name="best", name="changed", arms=(make_arm(images="some"),),
            subsets={"some": rows}, repairs=repairs,
        )  # fmt: skip
        bench = Bench(lambda arm: 0.95 if repairs else 0.3)
        asked = data_question(bench, cause(trial), Facts(), (1.0 / len(LUCKS),) * len(LUCKS))
        assert bench.subsets["some"] is rows
        (run,) = asked.question.game.runs
        assert bool(run.broken) is repairs
        changed = frozenset() if repairs else frozenset({"label_noise"})
        assert asked.question.label(changed) == "changed"
        asked.question.ask(changed)
        asked.question.ask(changed)
        assert asked.question.verdict().findings[0].need.mean > 0.2

    def test_outputs_read_otherwise_need_no_run_and_have_no_luck(self):
        trial = Trial(base=base(), base_name="best", name="x", after=np.arange(N) < 0.9 * N)
        asked = data_question(Bench(), cause(trial), Facts(), (1.0 / len(LUCKS),) * len(LUCKS))
        verdict = asked.question.verdict()
        assert [found.factor for found in verdict.causes] == ["label_noise"]
        assert verdict.findings[0].need.mean == pytest.approx(0.3, abs=0.03)

    def test_only_the_images_that_tell_count(self):
        counted = np.arange(N) >= N // 2
        trial = Trial(base=base(), base_name="best", name="x", after=np.ones(N, bool), counted=counted)
        asked = data_question(Bench(), cause(trial), Facts(), (1.0 / len(LUCKS),) * len(LUCKS))
        assert all(len(run.hits) == N // 2 for run in asked.question.game.runs)


def test_a_cause_needs_a_run_that_isolates_it():
    game = replace(Game(("a", "b"), (0.5, 0.5)))
    hits = np.ones(N)
    for broken in (frozenset("ab"), frozenset(), frozenset("a")):
        game = game.with_run(broken, hits)
    assert game.isolates("a") and game.isolates("b")
    game = Game(("a", "b", "c"), (0.5,) * 3).with_run(frozenset("abc"), hits).with_run(frozenset(), hits)
    assert not any(game.isolates(name) for name in "abc")
    assert game.with_run(frozenset("ab"), hits).isolates("c")
