"""`Trainer.fit` of Lightning."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from frameworks import assert_accuracies, assert_says

from plateau_cause.capture.rules.every import observe

pytest.importorskip("lightning", reason="Lightning is not installed")
SAYS = {
    "model.parts.0.class": "Classifier", "model.head.name": "model.fc", "optimizers.0.class": "optim.AdamW",
    "schedules.0.stepped_every": "epoch", "epochs.count": 2, "gradients.clipping.limit": 1.0,
    "loaders.0.name": "val_dataloader", "loaders.0.role": "evaluation", "loaders.1.name": "train_dataloader",
    "loaders.1.role": "train", "training.modes.training": True, "evaluation.modes.training": False,
    "seen.is_so_far": False,
}  # fmt: skip
STORES = (
    "enable_checkpointing=False, enable_progress_bar=False",
    'default_root_dir="kept", enable_progress_bar=False',
)


def test_a_healthy_script_is_described_and_not_accused(prepare, peek):
    folder = prepare("lightning_fit")
    content = peek(folder)
    assert_says(content, SAYS)
    assert observe(content, folder) == []


def test_the_rehearsal_of_the_evaluation_is_no_evaluation(prepare, capture):
    assert_accuracies(capture("watch", prepare("lightning_fit")))


def test_a_peek_writes_no_checkpoint(prepare, peek):
    folder = prepare("lightning_fit", STORES)
    peek(folder)
    assert list(folder.rglob("*.ckpt")) == []


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (("AdamW(self.parameters()", "AdamW(self.model.fc.parameters()"), "optimizer_parameters"),
        (("        self.model.fc = ", "        self.model.requires_grad_(False)\n        self.model.fc = "),
         "frozen_layers"),
        ((', mode="max"', ""), "callback_waits"),
        (('datasets.ImageFolder("data/val", tf)', 'datasets.ImageFolder("data/val", transforms.Compose('
          "tf.transforms[:2]))"), "evaluation_normalised_otherwise"),
    ],
)  # fmt: skip
def test_what_is_broken_is_named(edit, code, prepare, peek):
    folder = prepare("lightning_fit", edit)
    found = [one.code for one in observe(peek(folder), folder)]
    assert [one for one in found if one != "weights_random"] == [code]


def test_layers_that_a_callback_unfreezes_are_not_accused(prepare, peek):
    callback = (
        "from lightning.pytorch.callbacks import BaseFinetuning\n\n\n"
        "class Later(BaseFinetuning):\n"
        "    def freeze_before_training(self, module):\n"
        "        self.freeze(module.model.conv1)\n\n"
        "    def finetune_function(self, module, epoch, optimizer):\n"
        "        if epoch == 1:\n"
        "            self.unfreeze_and_add_param_group(module.model.conv1, optimizer)\n\n\n"
    )
    edits = (
        ("L.seed_everything(0)", callback + "L.seed_everything(0)"),
        ("callbacks=[", "callbacks=[Later(), "),
    )
    assert observe(peek(folder := prepare("lightning_fit", *edits)), folder) == []


def test_a_search_for_a_rate_is_no_training(prepare, peek):
    before = "trainer.fit(Classifier(), datamodule=Data())"
    searched = (
        "from lightning.pytorch.tuner import Tuner\n\nmodel = Classifier()\n"
        "Tuner(trainer).lr_find(model, datamodule=Data(), num_training=8)\n"
        "trainer.fit(model, datamodule=Data())"
    )
    content = peek(prepare("lightning_fit", (before, searched)))
    assert_says(content, {"epochs.count": 2, "seen.is_so_far": False, "optimizers.0.rates_by_hand": []})
    assert [one["class"] for one in content["schedules"]] == ["lr_scheduler.CosineAnnealingLR"]


def test_parts_that_forward_calls_have_the_names_of_their_attributes(prepare, peek):
    called = ("self.loss(self(x), y)", "self.loss(self.forward(x), y)")
    content = peek(
        prepare("lightning_fit", called, ("        return self.model(x)", "        return self.model(x) + 0"))
    )
    assert content["model"]["parts"][0]["name"] == "self.model"


def test_a_schedule_of_all_steps_that_is_stepped_once_an_epoch_is_named(prepare, peek):
    """A peek shortens epochs: how many steps there are is told to the script as without one."""
    steps = "torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, self.trainer.estimated_stepping_batches)"
    folder = prepare(
        "lightning_fit", ("torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)", steps)
    )
    content = peek(folder)
    assert content["schedules"][0]["options"]["total_steps"] == 12  # 48 images, batches of 8, two epochs
    assert [one.code for one in observe(content, folder)] == ["schedule_mistimed"]


STOPS = ('"val_acc", mode="max", patience=5', '"val_acc", patience=1, min_delta=9.0')
LONGER = ("max_epochs=2", "max_epochs=6")


@pytest.mark.parametrize(
    ("change", "settings", "epochs"),
    [("no_early_stop", {"epochs": 4}, 4),
     ("callback_turned", {"monitor": "val_acc", "mode": "max"}, 2)],
)  # fmt: skip
def test_early_stopping_is_left_out_or_turned(change, settings, epochs, prepare, repaired):
    one = SimpleNamespace(name=change, settings=settings)
    result = repaired(prepare("lightning_fit", STOPS, LONGER), one)
    assert len([one for one in result["epochs"] if one["training"]]) == epochs
