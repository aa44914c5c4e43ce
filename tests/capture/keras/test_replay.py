"""A replay is the unchanged script with interventions: each is seen to take, and twice is the same."""

from __future__ import annotations

import numpy as np
import pytest
from keras_cases import CASES

from plateau_cause.capture.possible.keras import interventions
from plateau_cause.capture.possible.lighter import lighter, undecayed
from plateau_cause.capture.rules.every import observe
from plateau_cause.capture.rules.observation import Peeked


def test_the_same_replay_twice_gives_the_same_hits(prepare, replay):
    folder = prepare("hub_layer")
    first, second = (replay(folder)[1] for _ in range(2))
    assert list(first) == ["val"] and len(first["val"]) == 24
    assert np.array_equal(first["val"], second["val"])


def test_another_seed_is_another_training_of_the_same_images(prepare, replay):
    folder = prepare("pipeline")
    (one, hits), (other, others) = replay(folder), replay(folder, seed=1)
    assert len(hits["val"]) == len(others["val"])
    losses = [result["epochs"][-1]["training"]["loss"] for result in (one, other)]
    assert losses[0] != losses[1]


def test_validation_and_test_are_judged(prepare, replay):
    result, hits = replay(prepare("sequential"))
    assert {name: len(one) for name, one in hits.items()} == {"val": 12, "test": 18}
    assert result["evaluations"]["test"]["accuracy"] == pytest.approx(hits["test"].mean())
    measured = result["epochs"][-1]["evaluations"]
    assert measured[0]["accuracy"] == pytest.approx(hits["val"].mean(), abs=1e-6)
    assert measured[1]["accuracy"] == pytest.approx(hits["test"].mean(), abs=1e-6)


def test_both_parts_of_one_split_are_told_apart(prepare, replay, peek):
    both = 'train_ds, val_ds = load("data/train", image_size=SIZE, batch_size=BATCH, seed=1, {})'.format(
        'validation_split=0.25, subset="both"'
    )
    edits = (
        ('train_ds = load("data/train", image_size=SIZE, batch_size=BATCH, seed=1)', both),
        ('val_ds = load("data/val", image_size=SIZE, batch_size=BATCH, shuffle=False)\n', ""),
    )
    folder = prepare("functional", edits)
    _, hits = replay(folder)
    lengths = [one["data_set"]["length"] for one in peek(folder)["loaders"]]
    assert len(hits["val"]) == lengths[1] == sum(lengths) // 4


OWN_COMPILE = (
    ("    def call(self, images", "    def compile(self, optimizer, loss_fn):\n        super().compile("
     "optimizer=optimizer, loss=loss_fn, metrics=['accuracy'])\n\n    def call(self, images"),
    ("momentum=0.9), loss=loss, metrics=[\"accuracy\"]", "momentum=0.9), loss_fn=loss"),
    ("SGD(0.01), loss=loss, metrics=[\"accuracy\"]", "SGD(0.01), loss_fn=loss"),
)  # fmt: skip


def test_a_class_that_compiles_in_its_own_way_is_compiled_again(prepare, replay):
    result, _ = replay(prepare("subclassed", OWN_COMPILE), {"rate": {"times": 0.1}})
    assert result["error"] is None and result["interventions"]["rate"]["took"], result["interventions"]
    assert result["epochs"][0]["rates"] == [pytest.approx(0.005)]


def test_a_change_of_one_fit_leaves_the_others(prepare, replay):
    result, _ = replay(prepare("subclassed"), {"rate": {"times": 0.1, "fit": 1}})
    assert result["interventions"]["rate"]["took"]
    assert [epoch["rates"] for epoch in result["epochs"]] == [[pytest.approx(0.05)], [pytest.approx(0.001)]]


SECOND = 'optimizer=keras.optimizers.SGD(0.01), loss=loss, metrics=["accuracy"])'
FIRST = SECOND.replace("0.01", "0.05, momentum=0.9")
FOLDS = (
    ("base = keras.models.load_model(\"tiny.keras\")\nbase.trainable = False\n", ""),
    ("model = Classifier(base, 3)\n", ""),
    (f"model.compile({FIRST}\n", ""),
    ("model.fit(x_train, one_hot, batch_size=8, epochs=1, validation_data=val)\n\nbase.trainable = True\n"
     f"model.compile({SECOND}\n"
     "model.fit(x_train, one_hot, batch_size=8, epochs=1, validation_data=val)",
     "def phase(model, rate):\n"
     "    model.compile(optimizer=keras.optimizers.SGD(rate), loss=loss, metrics=[\"accuracy\"])\n"
     "    model.fit(x_train, one_hot, batch_size=8, epochs=1, validation_data=val)\n\n"
     "for fold in range(2):\n    base = keras.models.load_model(\"tiny.keras\")\n"
     "    base.trainable = False\n    model = Classifier(base, 3)\n    phase(model, 0.05)\n"
     "    base.trainable = True\n    phase(model, 0.01)"),
)  # fmt: skip


def test_a_change_of_a_phase_is_made_in_every_fold(prepare, replay):
    result, _ = replay(prepare("subclassed", FOLDS), {"rate": {"times": 0.1, "fit": 1}})
    rates = [epoch["rates"][0] for epoch in result["epochs"]]
    assert rates == pytest.approx([0.05, 0.001, 0.05, 0.001])


UNDONE = [(name, kind) for name, case in CASES.items() for kind, one in case.broken.items() if one.offers]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), UNDONE, ids=[" ".join(one) for one in UNDONE])
def test_what_is_offered_takes(name, kind, prepare, peek, replay):
    case, broken = CASES[name], CASES[name].broken[kind]
    folder = prepare(name, broken.edits)
    content = peek(folder, case.backend)
    offers = {one["name"]: one["settings"] for one in interventions(content, observe(content, folder))}
    result, hits = replay(folder, {broken.offers: offers[broken.offers]}, case.backend)
    assert result["interventions"][broken.offers]["took"], result["interventions"]
    assert len(hits["val"]) == (12 if name == "sequential" else 24)


LIGHTER = {  # what each changes, and how a script is made to have it
    "random layers": ("training_clean", "functional", (
        ("x = tf.keras.applications.mobilenet.pre",
         "inputs_ = tf.keras.layers.RandomRotation(0.4)(inputs)\nx = tf.keras.applications.mobilenet.pre"),
        ("preprocess_input(inputs)", "preprocess_input(inputs_)"))),
    "a generator": ("training_clean", "generator", ()),
    "a pipeline": ("training_clean", "pipeline", ()),
    "dropout": ("no_dropout", "functional", (("Dropout(0.2)", "Dropout(0.9)"),)),
    "decay": ("no_decay", "functional", (("learning_rate=1e-3", "learning_rate=1e-3, weight_decay=0.9"),)),
}  # fmt: skip


@pytest.mark.parametrize("name", LIGHTER)
def test_a_lighter_training_is_offered_and_takes(name, prepare, peek, replay):
    change, script, edits = LIGHTER[name]
    folder = prepare(script, edits)
    peeked = Peeked(peek(folder), folder)
    (one,) = [*lighter(peeked), *undecayed(peeked)]
    assert one.name == change and one.location["file"] == "train.py"
    result, _ = replay(folder, {one.name: one.settings})
    assert result["interventions"][one.name]["took"], result["interventions"]
    before, _ = replay(folder)
    losses = [told["epochs"][-1]["training"]["loss"] for told in (result, before)]
    assert losses[0] != losses[1]


@pytest.mark.parametrize("change", ["training_clean", "no_dropout", "no_decay"])
def test_a_light_training_cannot_be_made_lighter(change, prepare, replay):
    result, _ = replay(prepare("sequential"), {change: {"loader": 0}})
    assert result["interventions"][change]["took"] is False


@pytest.mark.parametrize(
    ("name", "change"),
    [("hub_layer", {"compile_again": {}}), ("hub_layer", {"schedule": {}}),
     ("legacy", {"unfreeze": {"part": "all"}})],
)  # fmt: skip
def test_what_changes_nothing_is_said_not_to_have_taken(name, change, prepare, replay):
    result, _ = replay(prepare(name), change)
    told = next(iter(result["interventions"].values()))
    assert (told["took"], bool(told["words"])) == (False, True)


def test_labels_mapped_as_in_training_are_what_changes(prepare, replay):
    folder = prepare("generator", CASES["generator"].broken["labels"].edits)
    as_it_is, mapped = (replay(folder, one) for one in
                        (None, {"labels_mapped": {"mapping": {"0": 2, "1": 1, "2": 0}}}))  # fmt: skip
    assert as_it_is[0]["epochs"][-1]["training"] == mapped[0]["epochs"][-1]["training"]
    assert not np.array_equal(as_it_is[1]["val"], mapped[1]["val"])
    assert np.array_equal(as_it_is[1]["val"][8:16], mapped[1]["val"][8:16])  # the class in the middle


def test_statistics_that_follow_faster_change_evaluation_alone(prepare, replay):
    folder = prepare("subclassed")
    as_it_is, faster = replay(folder)[0], replay(folder, {"norm_momentum": {"momentum": 0.5}})[0]
    assert faster["interventions"]["norm_momentum"]["took"]
    first, second = (told["epochs"][-1] for told in (as_it_is, faster))
    assert first["training"] == second["training"]
    assert first["evaluations"][0]["loss"] != second["evaluations"][0]["loss"]


def test_a_training_goes_on_where_early_stopping_would_have_ended_it(prepare, replay):
    folder = prepare("pipeline", [("patience=3", "patience=0, min_delta=9.0"), ("epochs=2", "epochs=6")])
    before, after = replay(folder)[0], replay(folder, {"no_early_stop": {"epochs": 4}})[0]
    assert after["interventions"]["no_early_stop"]["took"], after["interventions"]
    assert (len(before["epochs"]), len(after["epochs"])) == (2, 4)


def test_a_loss_of_its_own_is_given_what_it_takes(prepare, peek, replay):
    folder = prepare("subclassed", CASES["subclassed"].broken["loss of its own"].edits)
    content = peek(folder)
    assert content["loss"]["takes"] == "probabilities"
    offers = {one["name"]: one["settings"] for one in interventions(content, observe(content, folder))}
    assert offers["logits_to_loss"] == {"activation": "softmax"}


OWN_SCHEDULE = """class Falling(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, first):
        self.first = first

    def __call__(self, step):
        return self.first / (1.0 + keras.backend.cast(step, "float32"))


model.compile("""
OF_LEGACY = "tf_keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=100, decay_rate=0.96)"
FALLING = {  # script → edits
    "functional": (("model.compile(", OWN_SCHEDULE.replace("keras.", "tf.keras.")),
                   ("learning_rate=1e-3", "learning_rate=Falling(1e-3)")),
    "legacy": (("model.compile(", OWN_SCHEDULE.replace("keras.", "tf_keras.")), (OF_LEGACY, "None"),
               ("Adam(schedule, ", "Adam(Falling(1e-3), ")),
}  # fmt: skip


@pytest.mark.parametrize("name", FALLING)
def test_a_schedule_that_keras_cannot_read_again_is_kept_and_scaled(name, prepare, peek, replay):
    """Most that scripts write have no `get_config`, or are registered nowhere."""
    folder = prepare(name, FALLING[name])
    (schedule,) = peek(folder)["schedules"]
    assert (schedule["class"], schedule["rates_ahead"][0]) == ("Falling", pytest.approx(1e-3))
    result, _ = replay(folder, {"rate": {"times": 0.1}})
    assert result["error"] is None and result["interventions"]["rate"]["took"], result
    assert result["interventions"]["rate"]["words"] == "rate 0.001 → 0.0001"
    assert result["epochs"][-1]["rates"][0] < 1e-4
