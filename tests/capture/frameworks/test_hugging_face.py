"""The `Trainer` of Hugging Face."""

from __future__ import annotations

import json

import pytest
from frameworks import assert_accuracies, assert_says

from plateau_cause.capture.rules.every import observe

FROM_FOLDER = 'ViTForImageClassification.from_pretrained("saved", num_labels=3, ignore_mismatched_sizes=True)'
for _package in ("transformers", "accelerate"):
    pytest.importorskip(_package, reason=f"{_package} is not installed")
SAYS = {
    "model.head.name": "classifier", "epochs.count": 2, "schedules.0.stepped_every": "batch",
    "loss.computes": "cross_entropy", "loss.on": "logits", "loss.is_whole": True, "loss.inside_model": True,
    "loaders.0.name": "train_ds", "loaders.0.role": "train", "loaders.1.name": "val_ds",
    "loaders.1.role": "evaluation", "optimizers.0.groups.0.initial_lr": 1e-3,
}  # fmt: skip


def test_a_healthy_script_is_described_and_not_accused(prepare, peek):
    folder = prepare("hf_trainer")
    content = peek(folder)
    assert_says(content, SAYS)
    assert len(content["loaders"]) == 2
    assert observe(content, folder) == []


def test_the_accuracies_are_those_that_the_script_prints(prepare, capture):
    assert_accuracies(capture("watch", prepare("hf_trainer")))


def test_an_evaluation_after_many_steps_is_seen_and_no_checkpoint_is_written(prepare, peek):
    late = ('eval_strategy="epoch"', 'eval_strategy="steps", eval_steps=500')
    folder = prepare("hf_trainer", late, ('save_strategy="no"', 'save_strategy="epoch"'))
    assert peek(folder)["seen"]["has_evaluation"]
    assert list(folder.rglob("*.safetensors")) == []


def test_smoothed_labels_are_told(prepare, peek):
    folder = prepare("hf_trainer", ("warmup_steps=2,", "warmup_steps=2, label_smoothing_factor=0.1,"))
    content = peek(folder)
    assert_says(content, {"loss.computes": "cross_entropy", "loss.on": "logits", "loss.is_whole": True,
                          "loss.options.label_smoothing": 0.1})  # fmt: skip
    assert observe(content, folder) == []


def test_layers_that_never_move_are_named(prepare, peek):
    frozen = ("\n\n\ndef collate_fn", "\nmodel.vit.requires_grad_(False)\n\n\ndef collate_fn")
    folder = prepare("hf_trainer", frozen)
    assert [one.code for one in observe(peek(folder), folder)] == ["frozen_layers", "weights_random"]


def test_weights_of_a_folder_are_told_with_what_they_expect(prepare, peek):
    folder = prepare("hugging_face", ("ViTForImageClassification(config)", FROM_FOLDER))
    _write_weights(folder / "saved")
    content = peek(folder)
    (loaded,) = content["model"]["weights"]
    assert loaded["missing"] == ["classifier.bias", "classifier.weight"]
    assert loaded["matched"] == loaded["tensors"] - 2
    assert (folder / "train.py").read_text().splitlines()[loaded["place"]["line"] - 1].startswith("model = ")
    assert content["model"]["backbone"].items() >= {"library": "transformers", "name": "vit"}.items()
    assert content["expected"] == {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]}
    assert content["problems"] == []


def _write_weights(folder):
    """Writes a network with another head than the script's, and what its images should look like."""
    from transformers import ViTConfig, ViTForImageClassification

    small = {"image_size": 16, "patch_size": 8, "hidden_size": 32, "intermediate_size": 48}
    config = ViTConfig(**small, num_hidden_layers=2, num_attention_heads=2, num_labels=7)
    ViTForImageClassification(config).save_pretrained(folder)
    processor = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.2]}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
