"""Rates by hand: too high, too low, apart."""

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
