"""Rates by hand: too high, too low, apart."""

from pathlib import Path

import pytest

from plateau_cause.capture.rules.observation import Peeked
from plateau_cause.capture.rules.rate import rate, rates_apart

PLACE = {"file": "train.py", "line": 7}


class TestLayersWithoutRate:
    def said(self, *groups, schedules=()):
        given = [{"holds": name, "lr": rate, "numbers": 100} for name, rate in groups]
        optimizer = {"groups": given, "place": PLACE}
        return rates_apart(Peeked({"optimizers": [optimizer], "schedules": schedules}, None))

    def test_are_named_with_their_rate(self):
        found = self.said(("blocks.0", 1e-9), ("blocks.1", 1e-8), ("blocks.2", 1e-3), ("head", 1e-3))
        assert (found.code, found.cause) == ("rates_apart", "frozen_layers")
        said = "blocks.0, blocks.1 as good as never move: a rate of 1e-08 at most, beside 0.001"
        assert said in found.words

    def test_lower_rates_for_earlier_layers_are_usual(self):
        assert self.said(("body", 1e-6), ("head", 1e-3)) is None
        assert self.said(("all", 1e-3)) is None and self.said(("all", 0.0)) is None

    def test_a_schedule_may_raise_what_is_zero_now(self):
        assert self.said(("body", 0.0), ("head", 1e-3), schedules=[{}]) is None
        assert self.said(("body", 0.0), ("head", 1e-3)) is not None


class TestRateUnderWarmUp:
    def content(self, **group):
        optimizer = {"groups": [{"lr": 0.005, **group}], "place": PLACE, "rates_by_hand": []}
        model = {"change_per_step": 0.04, "trains": {"matrices": 5}}
        return Peeked({"model": model, "optimizers": [optimizer], "schedules": []}, None)

    def test_the_rate_to_come_decides(self):
        peeked = self.content(rates=[0.0, 0.005], initial_lr=0.1)
        assert peeked.change_per_step == pytest.approx(1.6)
        found = rate(peeked)
        assert found.code == "step_too_high" and "0.1, to which it warms up" in found.words

    @pytest.mark.parametrize("group", [{}, {"rates": [0.1, 0.1], "initial_lr": 0.1}, {"rates": [0.0, 0.0]}])
    def test_without_one_the_rate_at_work_does(self, group):
        peeked = self.content(**group)
        assert peeked.change_per_step == 0.04 and rate(peeked) is None

    @pytest.mark.parametrize(("decay", "is_known"), [(400.0, False), (1e-2, True)])
    @pytest.mark.parametrize("lr", [2e-3, 10.0])
    def test_what_decay_takes_says_nothing_of_the_rate(self, decay, is_known, lr):
        groups = [{"lr": lr, "rates": [lr], "weight_decay": decay}]
        optimizers = [{"class": "optim.AdamW", "groups": groups, "place": PLACE, "rates_by_hand": []}]
        model = {"change_per_step": 0.8, "trains": {"matrices": 5}}
        peeked = Peeked({"model": model, "optimizers": optimizers, "schedules": []}, None)
        assert (peeked.change_per_step is not None) is is_known
        assert (rate(peeked) is not None) is is_known


class TestTooFar:
    """What one step may change depends on what trains: loaded weights, random ones, a new head."""

    def said(self, change, trains, loaded):
        optimizer = {"groups": [{"lr": 0.01}], "place": PLACE, "rates_by_hand": []}
        weights = [{"matched": loaded, "tensors": 122}]
        model = {"change_per_step": change, "trains": trains, "numbers": 100, "weights": weights}
        return rate(Peeked({"model": model, "optimizers": [optimizer], "schedules": []}, None))

    @pytest.mark.parametrize(
        ("numbers", "matrices", "loaded", "limit"),
        [(100, 50, 120, 0.15), (60, 50, 120, 0.15), (100, 50, 0, 0.5), (4, 2, 120, 0.5), (4, 1, 120, 3.0)],
        ids=["loaded", "most of what was loaded", "random", "a new head", "its only layer"],
    )
    def test_is_said_beyond_what_trains(self, numbers, matrices, loaded, limit):
        trains = {"numbers": numbers, "matrices": matrices}
        assert self.said(0.9 * limit, trains, loaded) is None
        assert self.said(1.1 * limit, trains, loaded).code == "step_too_high"


def test_a_layer_of_the_hub_brings_its_weights():
    peeked = Peeked({"model": {"weights": [], "base": {"is_hub": True}}}, None)
    assert peeked.is_pretrained
    assert not Peeked({"model": {"weights": [], "base": {"is_hub": False}}}, None).is_pretrained


class TestAWholeTraining:
    def said(self, change, momentum=0.0, epochs=10, clipping=None):
        group = {"lr": 1e-6, "rates": [1e-6, 1e-6], "momentum": momentum}
        optimizer = {"class": "optim.SGD", "groups": [group], "place": PLACE, "rates_by_hand": []}
        model = {"change_per_step": 1e-5, "largest_change_per_step": change,
                 "trains": {"matrices": 5, "numbers": 1000}}  # fmt: skip
        content = {"model": model, "optimizers": [optimizer], "schedules": [], "script": {"arguments": []},
                   "epochs": {"count": epochs}, "loaders": [{"role": "train", "batches": 12}],
                   "gradients": {"clipping": clipping, "backward_calls_per_step": 1}}  # fmt: skip
        return rate(Peeked(content, Path()))

    def test_that_hardly_moves_the_weights_is_too_slow(self):
        found = self.said(5e-6)
        assert (found.code, found.cause) == ("step_too_low", "learning_rate_low")
        assert "all 120 steps of the training" in found.words and "0.0006 of its norm" in found.words

    def test_what_momentum_and_more_epochs_add(self):
        assert self.said(5e-6, momentum=0.9) is None and self.said(5e-6, epochs=100) is None

    def test_a_clipping_that_is_said_is_not_said_again(self):
        clipping = {"function": "clip_grad_norm_", "limit": 1e-3, "norm": 6.0, "place": PLACE}
        assert self.said(5e-6, clipping=clipping) is None
