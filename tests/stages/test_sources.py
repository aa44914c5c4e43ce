"""The real `dvc repro` on local files, on data sets that are only a name, and on reference data.

Each runs, is then up to date, and runs again when the files change, and only then. One test leads to the
next.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from forms import FORMS, pictures

from .conftest import PARAMS, make_project, merged

pytestmark = pytest.mark.slow
DATA_STAGES = {"check", "prepare_data"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = make_project(Path(__file__).parents[2], tmp_path_factory.mktemp("sources"))
    environment = {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(made.folder / ".hub"),
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.c",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield made


def section(form, folder, **changes):
    """Returns a section of params.yaml for the pictures, written into a folder."""
    data = FORMS[form].write(folder, pictures())
    return merged(PARAMS["data"], {"source": data.source, "path": data.path, "root": data.root} | changes)


def counts(project):
    return json.loads((project.folder / "reports/prepare_data.json").read_text())


def is_up_to_date(project):
    assert project.repro("check") == ["check"]
    return "up to date" in project.dvc("status", "prepare_data").stdout


def test_local_files_and_reference_data(project):
    data = section("imagefolder", project.folder / "pets", path="pets")
    reference = section("webdataset", project.folder / "photos", path="photos")
    project.write(PARAMS | {"data": data, "reference_data": reference})
    assert set(project.repro("prepare_data")) == DATA_STAGES
    assert (counts(project)["images"], counts(project)["reference_images"]) == (10, 10)
    assert is_up_to_date(project)


def test_changed_files_are_noticed(project):
    (project.folder / "pets/train/cat/0.png").unlink()
    assert not is_up_to_date(project)
    assert set(project.repro("prepare_data")) == DATA_STAGES
    assert (counts(project)["images"], counts(project)["reference_images"]) == (9, 10)


def test_changed_reference_files_are_noticed(project):
    (project.folder / "photos/train/0.tar").unlink()
    assert set(project.repro("prepare_data")) == DATA_STAGES
    assert (counts(project)["images"], counts(project)["reference_images"]) == (9, 7)
    assert is_up_to_date(project)


def test_what_is_no_file_hangs_and_stops_nobody(project):
    folder, declared = project.folder / "pets/train/cat", (project.folder / "params.yaml").read_text()
    project.write(declared.replace("max_unreadable: 0.01", "max_unreadable: 1"))
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / ".dvcignore").write_text("*.png\n")
    try:
        assert set(project.repro("prepare_data")) == DATA_STAGES
        assert (counts(project)["images"], counts(project)["unreadable"]) == (9, 2)
        assert is_up_to_date(project)
    finally:
        for name in ("pipe.png", "gone.png", ".dvcignore"):
            (folder / name).unlink()
        project.write(declared)
    assert project.repro("prepare_data") == ["check"]  # prepare_data comes back from the cache


def test_another_recipe_prepares_nothing_again(project):
    declared = (project.folder / "params.yaml").read_text()
    project.write(declared.replace("trainable: head", "trainable: all"))
    assert project.repro("prepare_data") == ["check"]


def test_a_clone_with_the_cache_runs_nothing(project):
    project.run("git", "add", "-A", "--", ":!.venv")
    project.run("git", "commit", "-qm", "data")
    copy = project.folder.with_name("clone")
    project.run("git", "clone", "-q", project.folder, copy)
    clone = type(project)(copy)
    (copy / ".venv").symlink_to(project.folder / ".venv")
    clone.dvc("cache", "dir", str(project.folder / ".dvc/cache"))
    assert clone.dvc("checkout", *DATA_STAGES).returncode == 0
    assert clone.repro("prepare_data") == ["check"]


def test_a_torchvision_data_set_below_its_root(project):
    data = section("torchvision EuroSAT", project.folder / "sets", root="sets")
    project.write(PARAMS | {"data": data})
    assert set(project.repro("prepare_data")) == DATA_STAGES
    assert counts(project)["images"] == 10
    assert is_up_to_date(project)
    (project.folder / "sets/eurosat/2750/cat/train_0.jpg").unlink()
    assert not is_up_to_date(project)


def test_a_data_set_of_the_hub_is_only_a_name(project):
    pytest.importorskip("datasets")
    data = section("huggingface Parquet", project.folder / "pets", path="owner/pets")
    fetch = "import sys, datasets; datasets.load_dataset(sys.argv[1])"
    project.run(project.folder / ".venv/bin/python", "-c", fetch, project.folder / "pets")
    hub = project.folder / ".hub/datasets"
    (hub / "pets").rename(hub / "owner___pets")
    project.write(PARAMS | {"data": data})
    assert set(project.repro("prepare_data")) == DATA_STAGES
    assert counts(project)["images"] == 10
    assert is_up_to_date(project)


def test_a_name_that_is_not_known_is_one_line(project):
    project.write(PARAMS | {"data": PARAMS["data"] | {"source": "torchvision", "path": "Cifar_10"}})
    ended = project.dvc("repro")
    assert ended.returncode != 0
    assert "error: data.path: got 'Cifar_10'; did you mean CIFAR10? allowed for torchvision" in ended.stdout
    assert "Running stage 'prepare_data'" not in ended.stdout
