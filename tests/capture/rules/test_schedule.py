"""Schedules by hand: at the wrong beat, too early, too late."""

from pathlib import Path

import pytest

from plateau_cause.capture.rules.observation import Peeked
from plateau_cause.capture.rules.schedule import falls, schedule, waits_for_less, warms_long

PLACE = {"file": "train.py", "line": 7}


def scheduled(kind, options, every="batch", epochs=10, batches=12, outer=None, **more):
    one = {"class": f"torch.optim.lr_scheduler.{kind}", "options": options, "place": PLACE, "step": PLACE,
           "stepped_every": every, "part_of": None, **more}  # fmt: skip
    schedules = [one]
    if outer:
        name = f"torch.optim.lr_scheduler.{outer}"
        first = {**one, "class": name, "options": {"milestones": [2]}}
        schedules = [first, {**one, "stepped_every": None, "part_of": name}]
    content = {"epochs": {"count": epochs}, "schedules": schedules,
               "loaders": [{"role": "train", "batches": batches}]}  # fmt: skip
    return schedule(Peeked(content, Path()))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("CosineAnnealingLR", {"T_max": 10}),
        ("CosineAnnealingLR", {"T_max": 5}),
        ("CosineAnnealingWarmRestarts", {"T_0": 10}),
        ("CosineAnnealingWarmRestarts", {"T_0": 4}),
        ("MultiStepLR", {"milestones": [4, 8]}),
        ("StepLR", {"step_size": 3}),
    ],
)
def test_what_counts_epochs_is_not_stepped_at_every_batch(kind, options):
    assert scheduled(kind, options).code == "schedule_mistimed"
    assert scheduled(kind, options, every="epoch") is None


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("CosineAnnealingLR", {"T_max": 120}),
        ("CosineAnnealingWarmRestarts", {"T_0": 12}),
        ("CosineAnnealingWarmRestarts", {"T_0": 40}),
        ("LinearLR", {"total_iters": 5, "start_factor": 0.1}),
        ("MultiStepLR", {"milestones": [4, 60]}),
        ("StepLR", {"step_size": 1}),
        ("StepLR", {"step_size": 24}),
        ("SequentialLR", {"milestones": [4]}),
    ],
)
def test_what_counts_batches_may_be(kind, options):
    assert scheduled(kind, options) is None


def test_restarts_that_are_told_a_part_of_an_epoch_may_be():
    assert scheduled("CosineAnnealingWarmRestarts", {"T_0": 4}, is_led=True) is None


@pytest.mark.parametrize(("beat", "length", "is_said"), [
    ("batch", 10, True), ("batch", 120, False), ("epoch", 10, False), ("epoch", 300, True),
])  # fmt: skip
def test_timms_schedule_counts_epochs_or_updates(beat, length, is_said):
    assert bool(scheduled("CosineLRScheduler", {"t_initial": length}, every=beat)) == is_said


def test_a_part_has_the_beat_of_what_steps_it():
    assert scheduled("CosineAnnealingLR", {"T_max": 10}, outer="SequentialLR").location == PLACE
    assert scheduled("CosineAnnealingLR", {"T_max": 100}, outer="SequentialLR") is None
    assert scheduled("CosineAnnealingLR", {"T_max": 10}, every="epoch", outer="SequentialLR") is None


def test_a_schedule_whose_rates_are_known_ends_too_early():
    def said(rates, every="batch"):
        one = {"class": "lr_scheduler.StepLR", "place": PLACE, "step": PLACE, "stepped_every": every,
               "options": {}, "rates_ahead": rates}  # fmt: skip
        content = {"epochs": {"count": 3}, "schedules": [one], "loaders": [{"role": "train", "batches": 15}]}
        return schedule(Peeked(content, Path()))

    found = said([1e-3, *[0.0] * 10])
    assert found.code == "schedule_mistimed"
    assert "StepLR is stepped at every batch and leaves less than 2% of the rate after 10%" in found.words
    assert said([1e-3, *[0.0] * 10], every="epoch").code == "schedule_fades"
    assert said([1e-3 * (1 - part / 10) for part in range(11)]) is None
    assert said([1e-3, *[0.0] * 9, 1e-3]) is None  # it comes again
    assert said([0.0, *[1e-3] * 9, 0.0]) is None and said([0.0] * 11) is None and said(None) is None
    assert said([1e-3, 1e-3]) is None  # so far as it was computed


def ahead(rates_ahead=None, seen=(0.0, 1e-4), by_hand=(), epochs=10):
    """Returns a peek of a training whose rate begins low and is to be 0.1."""
    group = {"lr": seen[-1], "rates": list(seen), "initial_lr": 0.1}
    optimizer = {
        "groups": [group],
        "place": PLACE,
        "rates_by_hand": [{"place": PLACE, "rate": one} for one in by_hand],
    }
    one = {"class": "lr_scheduler.LambdaLR", "place": PLACE, "step": PLACE, "options": {},
           "stepped_every": "batch", "rates_ahead": rates_ahead}  # fmt: skip
    return Peeked({"optimizers": [optimizer], "schedules": [one], "epochs": {"count": epochs},
                   "loaders": [{"role": "train", "batches": 12}]}, Path())  # fmt: skip


@pytest.mark.parametrize(
    ("peeked", "is_said"),
    [
        (ahead([1e-3 * part for part in range(11)]), True),
        (ahead([0.0, *[0.1] * 5, *[0.05] * 5]), False),
        (ahead([0.1, *[1e-4] * 10]), False),  # it falls
        (ahead(None), False),
        (ahead(None, by_hand=[1e-4], seen=(2e-5, 2.4e-5)), True),
        (ahead(None, by_hand=[1e-4], seen=(0.01, 0.02)), False),
        (ahead(None, by_hand=[1e-4, 2e-4], seen=(1e-4, 1e-4)), False),  # it rises with the epochs
        (ahead([1e-4] * 11, by_hand=[1e-4], seen=(1e-4, 1e-4)), False),  # who is at work is not known
        (ahead([1e-3 * part for part in range(11)], seen=(0.1, 0.1)), False),
    ],
)
def test_a_warm_up_that_takes_the_whole_training(peeked, is_said):
    found = warms_long(peeked)
    assert (found is not None) is is_said
    if is_said:
        assert (found.code, found.cause) == ("schedule_warms_long", "schedule")
        assert "of the 0.1 to which it warms up" in found.words


@pytest.mark.parametrize(
    ("seen", "by_hand", "is_said"),
    [
        ((0.1, 0.03), [], True),
        ((0.1, 0.03), [0.03, 0.01], True),
        ((0.1, 0.09), [], False),
        ((0.1,), [], False),
        ((0.0, 0.1), [], False),
        ((0.1, 0.005), [0.005, 0.01], False),  # a warm-up behind the step
    ],
)
def test_a_rate_that_is_gone_at_the_second_step(seen, by_hand, is_said):
    assert (falls(ahead(None, seen=seen, by_hand=by_hand)) is not None) is is_said


@pytest.mark.parametrize(
    ("mode", "told", "is_said"),
    [("min", "val_acc", True), ("max", "val_acc", False), ("min", "val_loss", False), ("max", "loss", True),
     ("min", "va = accuracy(out, y)", True), ("min", "metric", False), ("min", None, False),
     ("min", "score = -loss", False), ("min", "1 - acc", False), ("min", "-val_acc", False),
     ("min", "err = 1 - correct / n", False), ("max", "-val_loss", False), ("min", "x[indices]", False),
     ("min", "running / accumulation_steps", False)],
)  # fmt: skip
def test_a_plateau_that_waits_for_the_wrong_way(mode, told, is_said):
    one = {"class": "torch.optim.lr_scheduler.ReduceLROnPlateau", "options": {"mode": mode}, "told": told,
           "place": PLACE, "step": PLACE}  # fmt: skip
    found = waits_for_less(Peeked({"schedules": [one]}, Path()))
    assert (found is not None) is is_said


@pytest.mark.parametrize("rule", [schedule, warms_long, falls, waits_for_less])
def test_a_script_whose_optimizer_has_taken_no_step(rule):
    content = {
        "optimizers": [],
        "schedules": [],
        "epochs": {"count": 3},
        "loaders": [{"role": "train", "batches": 9}],
    }
    assert rule(Peeked(content, Path())) is None
