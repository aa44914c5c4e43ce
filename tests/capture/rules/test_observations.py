"""Rules by hand: schedules at the wrong beat, losses given the wrong thing, what stands still to the end."""

import numpy as np
import pytest

from plateau_cause.capture.rules import every
from plateau_cause.capture.rules.classes import classes, weighed_apart
from plateau_cause.capture.rules.every import standing
from plateau_cause.capture.rules.frozen import frozen_layers
from plateau_cause.capture.rules.keras import loaded_late
from plateau_cause.capture.rules.keras_loss import distance
from plateau_cause.capture.rules.loss import loss_input
from plateau_cause.capture.rules.observation import Peeked
from plateau_cause.capture.rules.rate import rate, rates_apart
from plateau_cause.capture.rules.schedule import schedule

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
    return schedule(Peeked(content, None))


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


@pytest.mark.parametrize(
    ("trained", "is_patched"), [("fc", True), ("blocks.0.attn.lora_A", False), ("Adapter_0", False)]
)
def test_what_adapters_train_beside_stays_frozen(trained, is_patched, tmp_path):
    """The head that is frozen with the rest is named."""
    (tmp_path / "train.py").write_text("for p in net.parameters():\n    p.requires_grad = False\n")
    place = {"file": "train.py", "line": 2}
    frozen = {
        "layers": "a, b and 20 more",
        "parameters": 22,
        "matrices": 20,
        "place": place,
        "has_head": True,
    }
    model = {"frozen": frozen, "trains": {"layers": trained}, "head": {"name": "fc"}, "parts": []}
    found = frozen_layers(Peeked({"model": model, "optimizers": []}, tmp_path))
    assert ", fc among them, which gives the outputs: frozen" in found.words
    assert bool(found.patch) == is_patched


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


@pytest.mark.parametrize(("on", "stands_out"), [("probabilities", True), ("log-probabilities", False)])
def test_a_divergence_expects_log_probabilities(on, stands_out, tmp_path):
    loss = {"computes": "kl_div", "on": on, "after": None, "place": PLACE}
    found = loss_input(Peeked({"loss": loss}, tmp_path))
    assert (found is not None) is stands_out


@pytest.mark.parametrize(
    ("on", "function", "stands_out"),
    [
        ("never negative", "relu", True),
        ("never negative", "softplus", False),
        ("log-probabilities", "relu", False),
    ],
)
def test_log_probabilities_that_pass_a_relu(on, function, stands_out, tmp_path):
    after = {"function": function, "place": PLACE}
    loss = {"computes": "nll_loss", "on": on, "after": after, "place": PLACE}
    found = loss_input(Peeked({"loss": loss}, tmp_path))
    assert (found is not None and found.code == "output_activation") is stands_out


class TestWeightsOfClasses:
    def said(self, weights, seen, classes=None):
        train = {"role": "train", "labels": {"seen": seen, "classes": classes}}
        content = {"framework": "keras", "keras": {"class_weight": weights}, "loaders": [train],
                   "training": {"place": PLACE}}  # fmt: skip
        return weighed_apart(Peeked(content, None))

    def test_weights_that_make_one_class_count_alone(self):
        found = self.said({"0": 200.0, "1": 0.05}, {"0": 44, "1": 43})
        assert (found.code, found.cause) == ("classes_weighed_apart", "class_imbalance")
        assert "class 0 count 4093 times as much" in found.words

    def test_weights_by_rarity_are_as_they_should_be(self):
        assert self.said({"0": 9.0, "1": 0.1}, {"0": 10, "1": 900}) is None

    def test_few_images_of_a_class_tell_little(self):
        rng = np.random.default_rng(0)
        shares = np.geomspace(1, 0.01, 20) / np.geomspace(1, 0.01, 20).sum()
        weights = {str(one): 1 / share for one, share in enumerate(shares)}
        for _ in range(200):
            drawn = np.bincount(rng.choice(20, 48, p=shares), minlength=20)
            seen = {str(one): int(count) for one, count in enumerate(drawn) if count}
            assert self.said(weights, seen) is None

    def test_a_class_without_weight_is_left_out(self):
        assert self.said({"0": 0.0, "1": 1.0, "2": 1.0}, {"0": 20, "1": 20, "2": 20}) is None

    def test_classes_whose_names_are_numbers_keep_their_own(self):
        found = self.said({"0": 200.0, "1": 0.05}, {"0": 44, "1": 43}, ["1", "0"])
        assert "class 1 count" in found.words
        assert self.said(None, {"0": 10, "1": 900}) is None

    def test_a_class_is_called_by_its_name(self):
        found = self.said({"0": 0.1, "1": 9.0}, {"0": 10, "1": 90}, ["cat", "dog"])
        assert "class dog count" in found.words


@pytest.mark.parametrize("is_late", [True, False])
def test_weights_over_what_was_trained(is_late):
    loaded = {"given": "imagenet.h5", "place": PLACE, "is_late": is_late}
    found = loaded_late(Peeked({"model": {"weights": [loaded]}}, None))
    assert (found is not None and "imagenet.h5 after training" in found.words) is is_late


@pytest.mark.parametrize(("activation", "labels", "stands_out"), [
    ("linear", 2, True), ("softmax", 2, True), ("linear", 0, False), ("tanh", 2, False),
])  # fmt: skip
def test_a_loss_for_numbers_on_classes(activation, labels, stands_out):
    loss = {"function": "mean_squared_error", "activation": activation, "built": PLACE}
    train = {"role": "train", "labels": {"seen": {str(one): 5 for one in range(labels)}}}
    content = {"framework": "keras", "keras": {"fits": []}, "loss": loss, "loaders": [train]}
    assert (distance(Peeked(content, None)) is not None) is stands_out


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


class TestStanding:
    def content(self, changes_at):
        nothing = {"layers": "", "parameters": 0, "numbers": 0, "changes_at": None}
        frozen = {**nothing, "layers": "body", "parameters": 4, "numbers": 40, "matrices": 2, "place": PLACE,
                  "changes_at": changes_at}  # fmt: skip
        return {"model": {"frozen": frozen, "not_held": nothing, "strangers": nothing}, "optimizers": []}

    def watched(self, change):
        return {"epochs": [{"moved": {"body": {"norm": 1.0, "change": change}}}]}

    @pytest.fixture(autouse=True)
    def only(self, monkeypatch):
        monkeypatch.setattr(every, "RULES", (frozen_layers,))

    def test_what_a_line_ahead_could_move_and_never_did(self, tmp_path):
        (only,) = standing(self.content(PLACE), tmp_path, self.watched(0.0))
        assert only.code == "frozen_layers" and only.location == PLACE

    def test_what_moved_later(self, tmp_path):
        assert standing(self.content(PLACE), tmp_path, self.watched(0.1)) == []

    def test_what_the_peek_has_said_is_not_said_again(self, tmp_path):
        assert standing(self.content(None), tmp_path, self.watched(0.0)) == []


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


@pytest.mark.parametrize(("role", "loop", "counts"), [("unread", None, True), ("unread", PLACE, False),
                                                      ("evaluation", PLACE, True)])  # fmt: skip
def test_what_was_read_for_no_model_is_no_evaluation(role, loop, counts):
    one = {"role": role, "loop": loop}
    assert Peeked({"loaders": [{"role": "train"}, one]}, None).other_loaders == [one] * counts


class TestClasses:
    def seen(self, train, other):
        loaders = [
            {"role": role, "loop": None, "name": role, "place": PLACE, "labels": {"seen": seen},
             "data_set": {"place": None}}
            for role, seen in (("train", train), ("evaluation", other))
        ]  # fmt: skip
        return classes(Peeked({"loaders": loaders}, None))

    def test_an_evaluation_of_other_classes(self):
        found = self.seen({"1": 1, "2": 40, "3": 40}, {"0": 20, "1": 20})
        assert found.code == "classes_apart" and "0, 1" in found.words and found.location == PLACE

    @pytest.mark.parametrize(
        ("train", "other"),
        [
            ({"0": 10, "1": 30}, {"0": 20, "1": 20}),  # few of one is no split
            ({"0": 1, "2": 1, "5": 2}, {"1": 2, "3": 2}),  # too few were looked at to tell
            ({"0": 30, "1": 30}, {"0": 20, "1": 20, "2": 4}),  # one class more
            ({"0": 30, "1": 30}, {}),
        ],
    )
    def test_what_a_few_labels_cannot_tell(self, train, other):
        assert self.seen(train, other) is None


def test_a_schedule_whose_rates_are_known_ends_too_early():
    def said(rates, every="batch"):
        one = {"class": "lr_scheduler.StepLR", "place": PLACE, "step": PLACE, "stepped_every": every,
               "options": {}, "rates_ahead": rates}  # fmt: skip
        content = {"epochs": {"count": 3}, "schedules": [one], "loaders": [{"role": "train", "batches": 15}]}
        return schedule(Peeked(content, None))

    found = said([1e-3, *[0.0] * 10])
    assert found.code == "schedule_mistimed"
    assert "StepLR is stepped at every batch and leaves less than 2% of the rate after 10%" in found.words
    assert said([1e-3, *[0.0] * 10], every="epoch").code == "schedule_fades"
    assert said([1e-3 * (1 - part / 10) for part in range(11)]) is None
    assert said([1e-3, *[0.0] * 9, 1e-3]) is None  # it comes again
    assert said([0.0, *[1e-3] * 9, 0.0]) is None and said([0.0] * 11) is None and said(None) is None
    assert said([1e-3, 1e-3]) is None  # so far as it was computed
