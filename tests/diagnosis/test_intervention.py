"""Which swaps are run, and what they show, in games whose values are known."""

from dataclasses import replace
from typing import ClassVar

import pytest
from games import EVIDENCE, FAULTS, MIN_EFFECT, Game, by_name


def additive(**gains):
    return lambda fixed: 0.5 + sum(gains[name] for name in fixed)


GAINS = {"head": 0.25, "loss_function": 0.15, "regularization": 0.0}


class TestAdditive:
    def test_every_factor_gets_its_value(self):
        game = Game(list(GAINS), additive(**GAINS))
        found = game.investigate()
        assert found.verdict == "plateau"
        assert found.gap.mean == pytest.approx(0.4)
        assert set(found.path) == {"head", "loss_function"}
        effects = {name: f.effect.mean for name, f in by_name(found).items() if not f.jointly}
        assert effects == {name: pytest.approx(GAINS[name], abs=1e-6) for name in effects}
        assert {"head", "loss_function"} <= set(effects)

    def test_both_directions_of_what_matters(self):
        found = by_name(Game(list(GAINS), additive(**GAINS)).investigate())
        for name in ("head", "loss_function"):
            assert found[name].forward is not None
            assert found[name].backward is not None

    def test_nothing_runs_twice(self):
        game = Game(list(GAINS), additive(**GAINS))
        game.investigate()
        assert len(game.labels) == len(set(game.labels))
        assert game.ledger.spent == len(game.labels)
        before = len(game.labels)
        game.investigate()
        assert len(game.labels) == before

    def test_cheap_swaps_run_first_in_both_directions(self):
        game = Game(list(GAINS), additive(**GAINS))
        game.ledger.estimate = lambda arm: 1.0 if arm == game.sound else 0.0
        found = by_name(game.investigate())
        assert all(f.forward is not None and f.backward is not None for f in found.values())
        assert found["regularization"].effect.mean == 0.0

    def test_every_seed_counts(self):
        game = Game(list(GAINS), additive(**GAINS), seeds=3)
        found = by_name(game.investigate())
        assert found["head"].effect.mean == pytest.approx(0.25)
        assert game.ledger.spent == 3 * len(game.labels)


class TestHurtsAlone:
    """Measured on 180 drawings: unfreezing in 15 steps destroys more than it learns, in 300 it cures."""

    values: ClassVar = {
        frozenset(): 0.66,
        frozenset({"head"}): 0.52,
        frozenset({"loss_function"}): 0.80,
        frozenset({"head", "loss_function"}): 0.92,
    }

    def value(self, fixed):
        return self.values[fixed - {"regularization"}]

    def test_it_counts_with_what_it_gains_once_the_other_is_fixed(self):
        game = Game(["head", "loss_function", "regularization"], self.value)
        found = by_name(game.investigate())
        assert found["head"].forward.mean == pytest.approx(-0.14)
        assert found["head"].effect.mean == pytest.approx(0.12)
        assert found["loss_function"].effect.mean > 0.13

    def test_what_helps_alone_comes_first(self):
        game = Game(["head", "loss_function", "regularization"], self.value)
        found = game.investigate()
        assert found.path[0] == "loss_function"


class TestMasked:
    """Two faults that each alone keep the accuracy down: fixing one shows nothing."""

    def value(self, fixed):
        return 0.9 if {"head", "loss_function"} <= fixed else 0.5

    def test_both_are_found(self):
        game = Game(["head", "loss_function", "regularization"], self.value)
        found = game.investigate()
        assert {"head", "loss_function"} <= set(found.path)
        for name in ("head", "loss_function"):
            finding = by_name(found)[name]
            assert not finding.jointly
            assert finding.effect.low > 0
            assert finding.backward.mean == pytest.approx(0.4)
        harmless = by_name(found)["regularization"]
        assert harmless.jointly or harmless.effect.mean == 0

    def test_the_joint_value_is_shared_fairly(self):
        found = by_name(Game(["head", "loss_function"], self.value).investigate())
        assert found["head"].effect.mean == pytest.approx(0.2)
        assert found["loss_function"].effect.mean == pytest.approx(0.2)


class TestSpare:
    """More epochs make up for a rate that is too low, and gain nothing once it is right."""

    def value(self, fixed):
        return 0.95 if "head" in fixed else 0.62 if "loss_function" in fixed else 0.5

    def test_is_no_cause_beside_what_it_makes_up_for(self):
        game = Game(["head", "loss_function", "regularization"], self.value)
        game.ledger.estimate = lambda arm: 1.0 if arm == game.sound else 0.0  # everything is measured
        found = by_name(game.investigate())
        assert found["head"].effect.mean > 0.3
        assert found["loss_function"].forward.mean == pytest.approx(0.12)
        assert found["loss_function"].effect.mean == pytest.approx(0.0)

    def test_nor_where_it_was_tried_first(self):
        game = Game(["head", "loss_function"], self.value)
        game.ledger.factors = [
            replace(factor, suspicion=lambda *_, rank=rank: rank)
            for rank, factor in zip(
                (0.1, 0.9), sorted(game.ledger.factors, key=lambda f: f.name), strict=True
            )
        ]
        found = game.investigate()
        assert found.path[0] == "loss_function"
        assert by_name(found)["loss_function"].effect.mean < MIN_EFFECT
        assert by_name(found)["head"].effect.low > 0.25

    def test_where_either_is_enough_the_first_is_named(self):
        either = Game(["head", "loss_function"], lambda fixed: 0.9 if fixed else 0.5)
        found = either.investigate()
        assert len(found.path) == 1
        named = [name for name, finding in by_name(found).items() if finding.effect.mean >= MIN_EFFECT]
        assert named == list(found.path)


class TestOneThatCloses:
    """A strong suspicion took what the budget held and explains a part; a cheap fix was seen to do it all."""

    def test_is_believed(self):
        values = {"data_order": 0.9, "head": 0.8}
        game = Game(
            ["head", "data_order", "regularization"],
            lambda fixed: max((values.get(name, 0.5) for name in fixed), default=0.5),
            budget=1.5,
            cost=0.5,
        )
        game.ledger.factors = [
            replace(f, suspicion=lambda *_, high=f.name == "head": 0.25 if high else 0.01)
            for f in game.ledger.factors
        ]
        cheap = game.ledger.arm(frozenset({"data_order"}))
        game.ledger.estimate = lambda arm: 0.0 if arm == cheap else 1.0
        found = game.investigate()
        assert game.labels == ["recipe + data_order", "recipe + head"]
        assert found.path == ("data_order",)
        assert by_name(found)["data_order"].effect.mean == pytest.approx(0.4)
        assert by_name(found)["head"].effect.mean < MIN_EFFECT


class TestCheapCure:
    """Freezing costs nothing to try and cures what a hot learning rate did; the rate is the cause."""

    def game(self):
        game = Game(["head", "data_order"], lambda fixed: 0.95 if fixed else 0.2)  # either is enough
        game.ledger.factors = [
            replace(f, suspicion=lambda *_, high=f.name == "head": 0.25 if high else 0.01)
            for f in game.ledger.factors
        ]
        free = game.ledger.arm(frozenset({"data_order"}))
        game.ledger.estimate = lambda arm: 0.0 if arm == free else 1.0
        return game

    def test_a_strong_suspicion_is_asked_before_a_cheap_cure_is_believed(self):
        found = self.game().investigate()
        assert found.path == ("head",)
        assert by_name(found)["head"].effect.mean == pytest.approx(
            0.375
        )  # the other half is the cheap cure's
        assert by_name(found)["data_order"].effect.mean < MIN_EFFECT


class TestHarmless:
    def test_is_not_blamed(self):
        game = Game(
            ["head", "data_order", "augmentation"], additive(head=0.4, data_order=0.0, augmentation=0.0)
        )
        found = game.investigate()
        assert found.path == ("head",)
        for name in ("data_order", "augmentation"):
            finding = by_name(found)[name]
            assert finding.effect.mean < MIN_EFFECT
            assert finding.jointly or finding.effect.low <= 0

    def test_what_one_run_settles_is_left_alone(self):
        names, harmless = ["head", "data_order", "augmentation"], {"data_order": 0.0, "augmentation": 0.0}
        large, small = (Game(names, additive(head=gain, **harmless)) for gain in (0.4, 0.04))
        large.investigate()
        assert large.labels == ["recipe + head"]
        small.investigate()
        assert {"recipe + head", "reference - head"} <= set(small.labels)

    def test_one_that_hurts_in_the_reference_is_put_aside(self):
        game = Game(["head", "data_order"], additive(head=0.4, data_order=-0.1))
        found = game.investigate()
        assert "data_order" not in found.path


class TestBudget:
    def test_nothing_left_runs_nothing(self):
        game = Game(["head", "loss_function"], additive(head=0.3, loss_function=0.1), budget=0.5)
        found = game.investigate()
        assert game.labels == []
        assert found.path == ()
        assert found.verdict == "plateau"
        assert all(finding.jointly for finding in found.findings)
        assert all(finding.effect == found.gap for finding in found.findings)

    @pytest.mark.parametrize("budget", [1.0, 2.0, 3.0, 4.5])
    def test_is_never_overdrawn(self, budget):
        gains = {"head": 0.1, "loss_function": 0.1, "regularization": 0.1, "data_order": 0.1}
        game = Game(list(gains), additive(**gains), budget=budget)
        game.investigate()
        assert game.ledger.spent <= budget
        assert game.labels

    @pytest.mark.parametrize("budget", [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    def test_masked_faults_end_in_a_measured_path_whatever_is_left(self, budget):
        names = ["head", "loss_function", "regularization", "data_order"]
        game = Game(names, lambda fixed: 0.9 if {"head", "loss_function"} <= fixed else 0.5, budget=budget)
        found = game.investigate()
        assert frozenset(found.path) in game.ledger.runs
        assert game.ledger.spent <= budget

    def test_what_is_too_dear_to_fix_is_broken_in_the_reference(self):
        game = Game(
            ["head", "data_order", "augmentation"], additive(head=0.4, data_order=0.0, augmentation=0.0)
        )
        dear = game.ledger.arm(frozenset({"head"})).recipe.head
        game.ledger.estimate = lambda arm: 9.0 if arm.recipe.head == dear and arm != game.sound else 1.0
        game.ledger.budget = 5.0
        found = game.investigate()
        assert by_name(found)["head"].forward is None
        assert by_name(found)["head"].effect.mean == pytest.approx(0.4)

    def test_what_is_free_runs_without_one(self):
        game = Game(["head", "loss_function"], additive(head=0.3, loss_function=0.1), cost=0.0, budget=0.0)
        assert set(game.investigate().path) == {"head", "loss_function"}


class TestHealthy:
    def test_nothing_is_run(self):
        game = Game(["head", "loss_function"], additive(head=0.0, loss_function=0.0))
        found = game.investigate()
        assert found.verdict == "healthy"
        assert game.labels == []
        assert found.path == ()

    def test_a_recipe_above_the_reference(self):
        game = Game(["data_order"], additive(data_order=-0.2))
        assert game.investigate().verdict == "healthy"
        assert game.labels == []

    def test_no_difference_at_all(self):
        game = Game([], additive())
        found = game.investigate()
        assert (found.verdict, found.findings, game.labels) == ("healthy", (), [])


class TestAsked:
    """A list of factors to test: the others keep their share of the gap."""

    def test_is_not_blamed_for_the_rest(self):
        game = Game(["head", "data_order"], additive(head=0.4, data_order=0.0))
        game.ledger.asked = frozenset({"data_order"})
        found = game.investigate()
        assert list(by_name(found)) == ["data_order"]
        assert by_name(found)["data_order"].effect.mean == 0.0
        assert not by_name(found)["data_order"].jointly

    def test_keeps_its_own_effect(self):
        game = Game(["head", "data_order"], additive(head=0.3, data_order=0.1))
        game.ledger.asked = frozenset({"head"})
        found = game.investigate()
        assert found.gap.mean == pytest.approx(0.4)
        assert by_name(found)["head"].effect.mean == pytest.approx(0.3)


def test_one_factor_needs_no_run_of_its_own():
    game = Game(["head"], additive(head=0.4))
    found = game.investigate()
    assert game.labels == []
    assert by_name(found)["head"].effect.mean == pytest.approx(0.4)
    assert not by_name(found)["head"].jointly


def test_labels_say_what_was_changed():
    game = Game(
        ["head", "loss_function", "regularization"], additive(head=0.1, loss_function=0.1, regularization=0.1)
    )
    label = game.ledger.label
    assert (label(frozenset()), label(game.ledger.everything)) == ("recipe", "reference")
    assert label(frozenset({"head"})) == "recipe + head"
    assert label(frozenset({"head", "loss_function"})) == "reference - regularization"
    game = Game(list(FAULTS), additive(**dict.fromkeys(FAULTS, 0.0)))
    names = [factor.name for factor in game.ledger.factors]
    labels = {game.ledger.label(frozenset(names[:i])) for i in range(1, len(names))}
    assert len(labels) == len(names) - 1


def test_arms_have_exactly_the_factors_taken():
    game = Game(list(FAULTS), additive(**dict.fromkeys(FAULTS, 0.0)))
    for taken in ({"head"}, {"head", "batch_norm"}, set(FAULTS) - {"data_order"}):
        assert game.fixed(game.ledger.arm(frozenset(taken))) == taken
    assert game.ledger.arm(frozenset()) == game.broken
    assert game.ledger.arm(game.ledger.everything) == game.sound


def test_the_runs_behind_a_finding():
    game = Game(["head", "loss_function"], additive(head=0.3, loss_function=0.1))
    game.investigate()
    assert set(game.ledger.run_keys("head")) <= set(game.labels)
    assert game.ledger.run_keys("head")


def test_suspicion_decides_the_order():
    gains = {"head": 0.0, "data_order": 0.4}
    game = Game(list(gains), additive(**gains))
    game.investigate(replace(EVIDENCE, sorted_share=1.0))
    assert "data_order" in game.labels[0] or game.labels[0] == "reference - head"
