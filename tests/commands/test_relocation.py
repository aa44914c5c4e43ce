"""Paths of every kind, seen from a workspace beside the file; names stay names."""

import dataclasses

import pytest

from plateau_cause.commands.relocation import relocated
from plateau_cause.config import params, schema


def moved(base, **sections):
    given = schema.build(params.Params, sections)
    return relocated(given, base, base / "w")


@pytest.mark.parametrize(
    ("source", "path", "seen"),
    [
        ("imagefolder", "pictures", "../pictures"),
        ("imagefolder", "./a/../pictures", "../pictures"),
        ("imagefolder", "/data/pictures", "/data/pictures"),
        ("table", "labels.csv", "../labels.csv"),
        ("table", "shards/train-*.parquet", "../shards/train-*.parquet"),
        ("webdataset", "shards/*.tar", "../shards/*.tar"),
        ("torchvision", "EuroSAT", "EuroSAT"),
        ("huggingface", "owner/name", "owner/name"),
        ("huggingface", "saved/set", "../saved/set"),
        ("digits", None, None),
    ],
)
@pytest.mark.parametrize("section", ["data", "reference_data"])
def test_data(tmp_path, section, source, path, seen):
    (tmp_path / "saved/set").mkdir(parents=True)
    found = moved(tmp_path, **{section: {"source": source, "path": path}})
    assert found[section]["path"] == seen
    assert found[section]["root"] == "../data/raw"


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("resnet18", "resnet18"),
        ("timm:resnet18", "timm:resnet18"),
        ("owner/name@main", "owner/name@main"),
        ("owner/repo:entry", "owner/repo:entry"),
        ("models/mine", "../models/mine"),
        ("clones/mine:entry", "../clones/mine:entry"),
    ],
)
def test_backbones(tmp_path, name, seen):
    for file in ("models/mine/config.json", "clones/mine/hubconf.py"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    assert moved(tmp_path, backbone={"name": name})["backbone"]["name"] == seen


@pytest.mark.parametrize(("weights", "seen"), [("bundled", "bundled"), ("mine.pt", "../mine.pt")])
def test_weights_and_code(tmp_path, weights, seen):
    found = moved(tmp_path, backbone={"weights": weights}, recipe={"code": "lib/train.py"})
    assert found["backbone"]["weights"] == seen
    assert found["recipe"]["code"] == "../lib/train.py"


def test_the_rest_stays_and_is_complete(tmp_path):
    found = moved(tmp_path, recipe={"trainable": "last_block"})
    assert set(found) == {key.name for key in dataclasses.fields(params.Params)}
    assert found["recipe"]["trainable"] == "last_block"
    assert found["recipe"]["code"] is None
    assert found["reference_data"] is None


def test_a_source_that_is_new_must_be_thought_of():
    """Whether its path is a path is decided in relocation.py."""
    assert set(params.SOURCES) == {
        "digits",
        "imagefolder",
        "table",
        "webdataset",
        "torchvision",
        "huggingface",
        "script",
    }
