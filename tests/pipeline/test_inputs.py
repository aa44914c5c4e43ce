"""Every key of params.yaml reaches the stages that read it, and no other; so do the user's own files."""

from dataclasses import replace

import pytest

from plateau_cause.config import params, schema
from plateau_cause.config.params import Data, Params
from plateau_cause.config.recipe import comparable, put
from plateau_cause.fingerprint import Fingerprints
from plateau_cause.pipeline import inputs


@pytest.fixture
def collect(tmp_path):
    return lambda given: inputs.collect(given, Fingerprints(tmp_path / "memory.json"))


def changed(before, after):
    return {stage for stage in before if before[stage] != after[stage]}


def test_every_key_is_in_the_values_of_some_stage(collect):
    found = str(collect(Params()))
    for key in schema.leaves(params.Params):
        name = key.name.rpartition(".")[2]
        assert f"'{name}'" in found or name in ("val", "test", "launcher"), key.name


def test_the_reference_does_not_follow_the_recipe(collect):
    given = Params()
    other = put(given.recipe, {"trainable": "all", "optimizer.learning_rate": 1.0, "schedule.epochs": 9})
    found = changed(collect(given), collect(replace(given, recipe=other)))
    assert found == {"recipe", "intervene"}
    assert comparable(given.recipe) == comparable(other)


@pytest.mark.parametrize(("key", "value"), [("preprocessing.size", 48), ("optimizer.name", "sgd")])
def test_the_reference_follows_what_it_shares(collect, key, value):
    given = Params()
    other = replace(given, recipe=put(given.recipe, {key: value}))
    assert "reference" in changed(collect(given), collect(other))
    assert comparable(other.recipe) != comparable(given.recipe)


def test_what_reads_the_backbone_follows_it(collect):
    given = Params()
    other = replace(given, backbone=replace(given.backbone, name="resnet18"))
    expected = {"embed", "recipe", "reference", "intervene", "summarize"}
    assert changed(collect(given), collect(other)) == expected


def test_where_arms_are_trained_changes_nothing(collect):
    assert collect(replace(Params(), launcher="slurm")) == collect(Params())


def test_what_computes_follows_the_device_and_not_its_number(collect):
    on = {name: collect(replace(Params(), device=name)) for name in ("auto", "cuda", "cuda:1")}
    assert changed(on["auto"], on["cuda"]) == {"embed", "recipe", "reference", "intervene"}
    assert changed(on["cuda"], on["cuda:1"]) == set()


def test_a_checkpoint_is_its_bytes(collect, tmp_path):
    weights = tmp_path / "mine.pt"
    weights.write_bytes(b"before")
    given = Params()
    given = replace(given, backbone=replace(given.backbone, weights=str(weights)))
    before = collect(given)
    assert changed(before, collect(given)) == set()
    weights.write_bytes(b"after!")
    assert changed(before, collect(given)) == {"embed", "recipe", "reference", "intervene"}


def test_a_backbone_of_ones_own_is_its_files(collect, tmp_path):
    (tmp_path / "vit").mkdir()
    (tmp_path / "vit/config.json").write_text("{}")
    (tmp_path / "vit/model.safetensors").write_bytes(b"before")
    given = Params()
    given = replace(given, backbone=replace(given.backbone, name=str(tmp_path / "vit")))
    before = collect(given)
    (tmp_path / "vit/model.safetensors").write_bytes(b"after!")
    assert changed(before, collect(given)) == {"embed", "recipe", "reference", "intervene"}


def test_code_is_the_file_and_what_it_imports_from_beside_it(collect, tmp_path):
    (tmp_path / "mine.py").write_text("from helpers import deep")
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers/deep.py").write_text("x = 1")
    (tmp_path / "stranger.py").write_text("x = 1")
    given = Params()
    given = replace(given, recipe=replace(given.recipe, code=str(tmp_path / "mine.py")))
    before = collect(given)
    (tmp_path / "stranger.py").write_text("x = 2")
    assert changed(before, collect(given)) == set()
    (tmp_path / "helpers/deep.py").write_text("x = 2")
    assert changed(before, collect(given)) == {"embed", "recipe", "reference", "intervene"}


def test_images_are_what_their_files_hold(collect, tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/0.png").write_bytes(b"0")
    given = replace(Params(), data=Data(source="imagefolder", path=str(tmp_path)))
    before = collect(given)
    (tmp_path / "cat/1.png").write_bytes(b"1")
    assert changed(before, collect(given)) == {"prepare_data"}
    assert collect(Params())["prepare_data"]["data files"] is None


def test_tracking_concerns_the_summary_only(collect):
    other = replace(Params(), tracking=params.Tracking(experiment="other"))
    assert changed(collect(Params()), collect(other)) == {"summarize"}
