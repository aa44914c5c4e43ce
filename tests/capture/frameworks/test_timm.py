"""timm's `create_loader`: its prefetcher normalises behind the loader and reads one batch ahead."""

from __future__ import annotations

from capture_cases import line_of
from frameworks import assert_accuracies, assert_says

from plateau_cause.capture.rules.every import observe
from plateau_cause.capture.table.whole import rows

SAYS = {
    "loaders.0.name": "loader_train", "loaders.1.name": "loader_eval",
    "loaders.0.role": "train", "loaders.1.role": "evaluation", "training.input.dtype": "float32",
    "loaders.0.image.tensor.dtype": "uint8", "epochs.count": 2, "model.head.name": "fc",
    "schedules.0.class": "timm.scheduler.cosine_lr.CosineLRScheduler", "schedules.0.stepped_every": "epoch",
    "schedules.0.options.t_initial": 2, "optimizers.0.rates_by_hand": [],
}  # fmt: skip


def test_a_healthy_script_is_described_and_not_accused(prepare, peek):
    folder = prepare("timm_prefetch")
    content = peek(folder)
    assert_says(content, SAYS)
    assert observe(content, folder) == []


def test_each_output_is_judged_by_the_labels_of_its_own_batch(prepare, capture):
    record = assert_accuracies(capture("watch", prepare("timm_prefetch")))
    assert record["epochs"][-1]["training"]["images"] == 48
    assert record["epochs"][-1]["training"]["accuracy"] > 0.8  # chance is a third


def test_another_normalisation_behind_the_loader_is_named(prepare, peek):
    plain = "is_training=False, **{**kw, 'mean': (0, 0, 0), 'std': (1, 1, 1)})"
    folder = prepare("timm_prefetch", ("is_training=False, **kw)", plain))
    (found,) = observe(peek(folder), folder)
    assert found.code == "evaluation_normalised_otherwise"
    assert found.location["line"] == line_of(folder / "train.py", "loader_eval = create_loader(")


def test_pairs_of_images_that_are_mixed_are_read_two_at_a_time(prepare, peek):
    mixed = "collate_fn=FastCollateMixup(mixup_alpha=0.2, num_classes=3), **kw)"
    edits = (
        ("import create_dataset, create_loader", "import FastCollateMixup, create_dataset, create_loader"),
        ("no_aug=True, **kw)", f"no_aug=True, {mixed}"),
        ("LabelSmoothingCrossEntropy(smoothing=0.1)", "torch.nn.CrossEntropyLoss()"),
    )
    content = peek(prepare("timm_prefetch", *edits))
    assert content["problems"] == []
    assert content["loss"]["target"]["kind"] == "shares"
    assert all(one["image"] for one in content["loaders"])


def test_a_schedule_that_counts_updates_is_stepped_at_every_batch(prepare, peek):
    edits = (
        ("num_epochs=2,", "num_epochs=2, step_on_epochs=False, updates_per_epoch=6,"),
        (
            "        optimizer.step()",
            "        optimizer.step()\n        lr_scheduler.step_update(batch_idx + 1)",
        ),
    )
    content = peek(prepare("timm_prefetch", *edits))
    assert [one["stepped_every"] for one in content["schedules"]] == ["batch"]
    assert content["optimizers"][0]["rates_by_hand"] == []


def test_what_the_model_is_given_of_bytes_is_told(prepare, peek):
    content = peek(prepare("timm_prefetch"))
    told = {what.strip(): value for what, value, _ in rows(content)}
    assert told["images"] == "3×32×32, values 0 to 255"
    assert told["to the model"].startswith("3×32×32, values -")
