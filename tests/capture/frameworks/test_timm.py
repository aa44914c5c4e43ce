"""timm's `create_loader`: its prefetcher normalises behind the loader and reads one batch ahead."""

from __future__ import annotations

from frameworks import assert_accuracies, assert_says

from plateau_cause.capture.observations import observe

SAYS = {
    "loaders.0.role": "train", "loaders.1.role": "evaluation", "training.input.dtype": "float32",
    "loaders.0.image.tensor.dtype": "uint8", "epochs.count": 2, "model.head.name": "fc",
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
    assert [one.code for one in observe(peek(folder), folder)] == ["evaluation_normalised_otherwise"]
