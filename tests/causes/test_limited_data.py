"""Too few training images."""

import numpy as np
import pytest
from tiny import make_arm

from plateau_cause.causes import class_overlap, label_noise
from plateau_cause.causes.limited_data import DATA_CAUSE, carried_on, half
from plateau_cause.lab.belief import Belief


def test_half_of_the_images_for_as_many_steps(make_facts, try_cause):
    facts = make_facts(accuracy=0.8)
    assert DATA_CAUSE.prior(facts) > 0.5
    tried = try_cause(DATA_CAUSE, facts, 0.6)
    first, second = tried.trial.arms
    assert first == make_arm({"schedule.epochs": 4}, images="half")
    assert second == make_arm({"schedule.epochs": 4}, images="other half")
    assert tried.trial.subsets["half"].tolist() == list(range(0, 120, 2))
    assert tried.trial.subsets["other half"].tolist() == list(range(1, 120, 2))
    assert not tried.trial.repairs
    assert tried.measured.mean == pytest.approx(0.2)
    assert tried.reported.mean == pytest.approx(0.15)  # 0.6 -> 0.8 -> 0.9 -> 0.95 by either law
    assert tried.levels == {"more_data": pytest.approx(0.95)}
    assert "about 480 for training instead of 120" in tried.fix["data"]
    assert "+20 points" in tried.evidence[0] and "(measured)" in tried.evidence[0]
    assert "+15 points (extrapolated" in tried.evidence[0]


def test_as_good_with_half_of_them(make_facts, try_cause):
    tried = try_cause(DATA_CAUSE, make_facts(accuracy=0.8), 0.8)
    assert tried.measured.mean == tried.reported.mean == 0


@pytest.mark.parametrize(
    "values", [{"train_accuracy": 0.7}, {"accuracy": 0.97}, {"train_accuracy": 0.75, "accuracy": 0.7}]
)
def test_is_not_asked_where_training_images_are_not_memorised(make_facts, values):
    assert DATA_CAUSE.prior(make_facts(**values)) == 0


@pytest.mark.parametrize("module", [class_overlap, label_noise])
def test_labels_that_nobody_could_know_are_no_gap(make_facts, monkeypatch, module):
    facts = make_facts(accuracy=0.8)
    assert DATA_CAUSE.prior(facts) > 0
    monkeypatch.setattr(module, "expected", lambda facts: 0.18)
    assert DATA_CAUSE.prior(facts) == 0


def test_what_rare_classes_lose_is_not_counted(make_facts, try_cause):
    targets = np.zeros(180, np.int64)
    targets[[118, 119, *range(150, 180)]] = (
        1  # two training images of the second class, half of the test images
    )
    facts = make_facts(accuracy=0.5, targets=targets, imbalance=59.0)
    assert DATA_CAUSE.prior(facts) == 0
    before = facts.hits(facts.best)
    worse = np.concatenate([before[:30], ~before[30:]])  # what is rare changes, the common class does not
    tried = try_cause(DATA_CAUSE, facts, worse)
    assert tried.trial.seen(np.arange(60)).tolist() == list(range(30))
    assert tried.measured.mean == 0  # the common class misses nothing
    lost = try_cause(DATA_CAUSE, facts, np.concatenate([np.zeros(15), before[15:]]))
    assert lost.measured.mean == pytest.approx(0.5)


def test_every_class_keeps_half_and_at_least_one():
    targets = np.array([0, 0, 0, 0, 1, 2, 2, 9])
    rows = np.array([6, 5, 4, 3, 2, 1, 0])
    assert half(rows, targets, np.arange(8)).tolist() == [6, 4, 3, 1]
    assert half(rows, targets, np.arange(8), 1).tolist() == [5, 4, 2, 0]


def test_copies_are_no_further_images(make_facts, try_cause):
    """Half of the images, each in six copies, are half of the pictures: otherwise nothing would be missed."""
    facts = make_facts(accuracy=0.8, pictures=np.arange(180) // 6)
    trial = DATA_CAUSE.trial(facts)
    kept = trial.subsets["half"]
    assert sorted(set(kept // 6)) == list(range(0, 20, 2)) and len(kept) == 60
    tried = try_cause(DATA_CAUSE, facts, 0.6)
    assert "From 60 to 120 training images (10 to 20 different pictures)" in tried.evidence[0]
    assert "about 80 different for training instead of 20" in tried.fix["data"]


def gain(mean: float, deviation: float = 0.01) -> Belief:
    return Belief(np.ones(1), np.array([mean]), np.array([deviation]))


class TestCarriedOn:
    def test_the_mean_of_two_laws(self):
        steep = carried_on(gain(0.3), accuracy=0.9)
        assert steep.mean == pytest.approx((0.1 + 0.1 - 0.1**3 / 0.4**2) / 2)
        slow = carried_on(gain(0.02), accuracy=0.7)
        assert slow.mean == pytest.approx((0.015 + 0.3 - 0.3**3 / 0.32**2) / 2)

    def test_counts_for_the_share_of_the_images_that_tell(self):
        assert carried_on(gain(0.04), 0.7, share=0.5).mean == pytest.approx(carried_on(gain(0.02), 0.7).mean)

    @pytest.mark.parametrize("measured", [0.01, 0.1, 0.5])
    @pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.999, 1.0])
    def test_never_promises_more_than_is_left(self, measured, accuracy):
        assert 0 <= carried_on(gain(measured), accuracy).mean <= 1 - accuracy + 1e-6

    def test_doubt_is_carried_along(self):
        low, high = carried_on(gain(0.1, 0.02), 0.8).interval()
        mean = carried_on(gain(0.1, 0.02), 0.8).mean
        assert (high - low) / mean == pytest.approx(4 * 1.96 / 10, rel=0.01)

    def test_a_loss_stays_a_loss(self):
        assert carried_on(gain(-0.02), 0.8).mean == pytest.approx(-0.015)
