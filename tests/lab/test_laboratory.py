"""The laboratory trains every arm once, under a key that knows all that decides the result."""

import numpy as np
import pytest
import torch
from tiny import make_arm, tiny_backbone

from plateau_cause.errors import PlateauError
from plateau_cause.images import blocks
from plateau_cause.lab import laboratory, store
from plateau_cause.training import loop
from plateau_cause.training.task import Outcome


def test_trains_once(make_lab, tmp_path, monkeypatch):
    lab = make_lab(folder=tmp_path)
    first = lab.run(make_arm())
    monkeypatch.setattr(loop, "_batches", lambda *_: pytest.fail("trained again"))
    for again in (
        lab.run(make_arm()),
        make_lab(folder=tmp_path).run(make_arm()),
        make_lab(shelves=(tmp_path,)).run(make_arm()),
    ):
        assert again.outcome.history == first.outcome.history
        assert np.array_equal(again.outcome.test_outputs, first.outcome.test_outputs)
    assert not list(tmp_path.glob("*.checkpoint.pt"))


def test_a_killed_run_goes_on_in_its_folder(make_lab, tmp_path, monkeypatch):
    monkeypatch.setattr("plateau_cause.training.checkpoint.SAVE_EVERY_S", 0.0)
    arm = make_arm({"schedule.epochs": 3, "head.dropout": 0.3})
    whole = make_lab().run(arm)

    def kill(name, row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_lab(folder=tmp_path, on_epoch=kill).run(arm)
    epochs = []
    resumed = make_lab(folder=tmp_path, on_epoch=lambda name, row: epochs.append(row["epoch"])).run(arm)
    assert epochs == [3]
    assert resumed.outcome.history == whole.outcome.history
    assert np.array_equal(resumed.outcome.test_outputs, whole.outcome.test_outputs)


def test_the_key_knows_the_images(make_lab):
    lab = make_lab()
    rows = lab.subsets["all"]
    lab.add_subset("half", rows[::2])
    before = lab.key(make_arm(images="half"))
    assert before != lab.key(make_arm())
    lab.add_subset("half", rows[1::2])
    assert lab.key(make_arm(images="half")) != before


def test_the_key_knows_the_users_file(make_lab, user_file):
    assert make_lab(user_file("loss")).key(make_arm()) != make_lab().key(make_arm())


def test_the_trained_network_comes_back(make_lab, tmp_path):
    lab = make_lab(folder=tmp_path)
    arm = make_arm({"trainable": "all"})
    result = lab.run(arm, keep_weights=True)
    network = lab.trained(result)
    rows = lab.rows(arm)
    from plateau_cause.lab import build

    outputs = loop.predict(network, build.inputs(lab, arm), rows.test)
    np.testing.assert_allclose(outputs.numpy(), result.outcome.test_outputs, atol=1e-5)


def test_weights_asked_for_later(make_lab, tmp_path):
    lab = make_lab(folder=tmp_path)
    result = lab.run(make_arm())
    with pytest.raises(PlateauError, match="were not kept"):
        lab.trained(result)
    again = lab.run(make_arm(), keep_weights=True)
    assert lab.weights_file(again.key) == store.weights_path(tmp_path, again.key)
    assert np.array_equal(again.outcome.test_outputs, result.outcome.test_outputs)


def test_resizes_and_embeds_once(make_lab, monkeypatch):
    lab = make_lab()
    preprocessing = make_arm().recipe.preprocessing
    features = lab.features(preprocessing)
    assert features.shape == (90, 16)
    assert lab.features(preprocessing) is features
    assert lab.images(make_arm({"preprocessing.mean": None}).recipe.preprocessing) is lab.images(
        preprocessing
    )
    assert lab.features(preprocessing, "none").shape == (90, 16)
    assert not np.array_equal(lab.features(preprocessing, "none"), features)


def test_weights_that_cannot_be_had(make_lab, monkeypatch):
    lab = make_lab()

    def refuse(name, weights):
        raise PlateauError("none")

    assert lab.can_load("none")
    monkeypatch.setattr("plateau_cause.lab.laboratory.load_backbone", refuse)
    assert not lab.can_load("elsewhere")


def test_the_key_knows_the_bytes_of_a_checkpoint(make_lab, tmp_path):
    weights = str(tmp_path / "mine.pt")
    (tmp_path / "mine.pt").write_bytes(b"before")
    arm = make_arm(weights=weights)
    before = make_lab(weights=weights).key(arm)
    assert make_lab(weights=weights).key(arm) == before
    (tmp_path / "mine.pt").write_bytes(b"after!")
    assert make_lab(weights=weights).key(arm) != before


def test_a_changed_checkpoint_trains_again(make_lab, tmp_path, monkeypatch):
    weights, trained = str(tmp_path / "mine.pt"), []
    monkeypatch.setattr(laboratory, "load_backbone", lambda *_: tiny_backbone())
    monkeypatch.setattr(laboratory, "train", lambda *_: trained.append(1) or Outcome(kept_epoch=0))
    for content, runs in ((b"before", 1), (b"before", 1), (b"after!", 2)):
        (tmp_path / "mine.pt").write_bytes(content)
        make_lab(folder=tmp_path / "runs", weights=weights).run(make_arm(weights=weights))
        assert len(trained) == runs


def test_the_key_knows_weights_that_a_package_brings(make_lab, monkeypatch):
    before = make_lab().key(make_arm())
    backbone = tiny_backbone()
    with torch.no_grad():
        next(backbone.stages.parameters()).flatten()[0] += 1e-6
    monkeypatch.setattr(laboratory, "load_backbone", lambda *_: backbone)
    assert make_lab().key(make_arm()) != before
    assert make_lab().key(make_arm(weights="other")) != make_lab().key(make_arm(weights="none"))


def test_the_key_knows_a_model_of_ones_own(make_lab, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    before = make_lab(backbone_name=str(tmp_path)).key(make_arm())
    (tmp_path / "config.json").write_text('{"depth": 2}')
    assert make_lab(backbone_name=str(tmp_path)).key(make_arm()) != before


def test_the_key_knows_what_the_users_file_imports(make_lab, tmp_path):
    (tmp_path / "mine.py").write_text("from beside import loss")
    (tmp_path / "beside.py").write_text("def loss(output, target):\n    return output.mean()\n")
    (tmp_path / "stranger.py").write_text("x = 1")
    before = make_lab(tmp_path / "mine.py").key(make_arm())
    (tmp_path / "stranger.py").write_text("x = 2")
    assert make_lab(tmp_path / "mine.py").key(make_arm()) == before
    (tmp_path / "beside.py").write_text("def loss(output, target):\n    return output.sum()\n")
    assert make_lab(tmp_path / "mine.py").key(make_arm()) != before


def test_a_range_test_knows_the_weights_too(make_lab):
    lab = make_lab()
    assert lab.context(make_arm(weights="bundled")) != lab.context(make_arm(weights="none"))


@pytest.mark.parametrize("trainable", ["all", "head", "last_block"])
def test_mapped_files_change_nothing(make_lab, tmp_path, monkeypatch, trainable):
    arm = make_arm({"trainable": trainable, "batch_norm": "frozen", "preprocessing.size": 12})
    few = make_lab().run(arm)
    monkeypatch.setattr(blocks, "MOST_IN_MEMORY_BYTES", 0)
    many = make_lab(pixels=tmp_path / "pixels").run(arm)
    assert len(list((tmp_path / "pixels").iterdir())) == 1
    np.testing.assert_array_equal(few.outcome.test_outputs, many.outcome.test_outputs)
    np.testing.assert_array_equal(few.outcome.val_outputs, many.outcome.val_outputs)
