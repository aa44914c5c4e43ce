"""fastai's `Learner`, whose loaders and optimizers are its own."""

from __future__ import annotations

import json

import pytest
from frameworks import assert_accuracies, assert_says

from plateau_cause.capture.rules.every import observe

pytest.importorskip("fastai", reason="fastai is not installed")
SAYS = {
    "loaders.0.name": "dls.train", "loaders.0.role": "train", "loaders.0.varies": True,
    "loaders.0.shuffle": True,
    "loaders.1.name": "dls.valid", "loaders.1.role": "evaluation", "loaders.1.varies": False,
    "loaders.1.labels.classes": ["amber", "blue", "green"], "loaders.1.data_set.length": 24,
    "optimizers.0.class": "fastai Adam", "schedules.0.class": "fastai fit_one_cycle",
    "schedules.0.stepped_every": "batch", "schedules.0.options.n_epoch": 1, "epochs.count": 2,
    "loaders.0.place.line": 6, "loss.with": [], "gradients.are_cleared": True,
}  # fmt: skip
ONCE = ("learn.fine_tune(1, 2e-3, freeze_epochs=1)", "learn.freeze(); learn.fit(1, 2e-3)")


def test_a_healthy_script_is_described_and_not_accused(prepare, peek):
    folder = prepare("fastai_learn")
    content = peek(folder)
    assert_says(content, SAYS)
    assert observe(content, folder) == []


def test_the_accuracies_are_those_that_the_script_prints(prepare, capture):
    folder = prepare("fastai_learn", ONCE)
    script = folder / "train.py"
    script.write_text(script.read_text() + "    print(f'acc {learn.recorder.values[-1][-1]:.4f}')\n")
    assert_accuracies(capture("watch", folder))


def test_a_frozen_body_that_stays_so_is_named(prepare, peek):
    folder = prepare("fastai_learn", ONCE)
    assert [one.code for one in observe(peek(folder), folder)] == ["frozen_layers", "weights_random"]


def test_a_search_for_a_rate_is_no_training(prepare, peek):
    search = "learn.lr_find(num_it=10, show_plot=False, suggest_funcs=(steep,))"
    searched = f"    {search}\n    learn.fit_flat_cos(3, 2e-3)"
    content = peek(prepare("fastai_learn", ("    learn.fine_tune(1, 2e-3, freeze_epochs=1)", searched)))
    assert content["optimizers"][0]["groups"][0]["max_lr"] == pytest.approx(2e-3)
    assert_says(content, {"epochs.count": 3, "schedules.0.class": "fastai fit_flat_cos",
                          "schedules.0.options.lr": 2e-3, "optimizers.0.class": "fastai Adam",
                          "seen.is_so_far": False, "optimizers.0.groups.0.lr": 2e-3})  # fmt: skip


def test_a_loss_that_applies_its_softmax_itself_is_given_logits(prepare, peek):
    folder = prepare("fastai_learn", ("CrossEntropyLossFlat()", "LabelSmoothingCrossEntropy()"))
    content = peek(folder)
    assert_says(content, {"loss.function": "fastai.losses.LabelSmoothingCrossEntropy", "loss.on": "logits",
                          "loss.computes": "cross_entropy", "loss.after": None})  # fmt: skip
    assert observe(content, folder) == []


def test_images_are_read_where_a_peek_ends_within_a_method_of_a_tensor(prepare, peek):
    """fastai's tensors are plain ones within their own methods, `backward` say, where its transforms fail."""
    folder = prepare("fastai_learn", ("aug_transforms(size=32)", "aug_transforms(size=32, min_scale=0.75)"))
    content = peek(folder)
    assert content["problems"] == []
    assert content["loaders"][0]["image"]["tensor"]["shape"][1:] == [3, 32, 32]


@pytest.mark.parametrize(
    ("name", "told"), [("rate", {"times": 0.0}), ("training_length", {"loader": 0, "times": 2})]
)
def test_rate_and_length_can_be_changed(name, told, prepare, capture):
    folder = prepare("fastai_learn", ONCE)
    given = {"seed": 0, "interventions": [name], "settings": {name: told}}
    status, printed, out = capture("replay", folder, **given)
    assert status == 0, printed
    content = json.loads((out / "replay.json").read_text())
    assert content["interventions"][name]["took"]
    moved = {bool(one["change"]) for one in content["epochs"][-1]["moved"].values()}
    assert (True in moved) is (name != "rate")
    assert sum(one["training"] is not None for one in content["epochs"]) == (2 if name != "rate" else 1)
