"""A project on disk: found, made without overwriting, renewed without touching what is equal."""

import subprocess

import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import project

TEXT = "recipe: {}\n"


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


class TestFind:
    def test_from_any_folder_inside(self, root):
        assert project.find(root / "src/plateau_cause") == root.resolve()

    def test_another_dvc_project_is_none(self, tmp_path):
        (tmp_path / "dvc.yaml").touch()
        with pytest.raises(PlateauError, match=r"no plateau project here or above; `plateau init"):
            project.find(tmp_path)


class TestCreate:
    def test_holds_all_that_a_stage_needs(self, tmp_path, root):
        project.create(tmp_path / "mine")
        for name in (
            "dvc.yaml",
            "params.yaml",
            "stages/run",
            "stages/embed.py",
            "src/plateau_cause/config/params.py",
        ):
            assert (tmp_path / "mine" / name).read_bytes() == (root / name).read_bytes()
        assert project.find(tmp_path / "mine/stages") == (tmp_path / "mine").resolve()
        assert not list((tmp_path / "mine").rglob("__pycache__"))

    @pytest.mark.parametrize(
        "name",
        ["params.yaml", "dvc.yaml", ".dvc/config", ".dvcignore", "src/plateau_cause/x.py", "stages/x.py"],
    )
    def test_overwrites_nothing(self, tmp_path, name):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
        before = times(tmp_path)
        with pytest.raises(PlateauError, match="already; allowed: a folder of its own"):
            project.create(tmp_path)
        assert times(tmp_path) == before

    def test_other_files_and_own_ignored_names_stay(self, tmp_path):
        (tmp_path / ".gitignore").write_text("secret\n")
        (tmp_path / "train.py").write_text("mine")
        project.create(tmp_path)
        lines = (tmp_path / ".gitignore").read_text().splitlines()
        assert lines[0] == "secret"
        assert "/data/prepared/" in lines
        assert (tmp_path / "train.py").read_text() == "mine"

    @pytest.mark.parametrize("with_git", [True, False])
    def test_dvc_uses_git_where_there_is_one(self, tmp_path, with_git):
        if with_git:
            subprocess.run(["git", "init", "-q", tmp_path], check=True)
        project.create(tmp_path / "mine")
        assert ("no_scm" in (tmp_path / "mine/.dvc/config").read_text()) is not with_git

    def test_a_file_in_its_place(self, tmp_path):
        (tmp_path / "mine").touch()
        with pytest.raises(PlateauError, match="cannot be written"):
            project.create(tmp_path / "mine")


class TestRenew:
    def test_a_second_time_touches_nothing(self, tmp_path):
        project.renew(tmp_path / "w", TEXT)
        before = times(tmp_path)
        project.renew(tmp_path / "w", TEXT)
        assert times(tmp_path) == before
        assert (tmp_path / "w/.gitignore").read_text() == "*\n"

    def test_brings_code_and_params_up_to_date(self, tmp_path):
        folder = tmp_path / "w"
        project.renew(folder, TEXT)
        changed, stale = (
            folder / "src/plateau_cause/config/params.py",
            folder / "src/plateau_cause/removed_since.py",
        )
        original = changed.read_text()
        changed.write_text("old")
        stale.touch()
        project.renew(folder, "recipe: {trainable: all}\n")
        assert changed.read_text() == original
        assert not stale.exists()
        assert "trainable: all" in (folder / "params.yaml").read_text()

    @pytest.mark.parametrize("name", ["notes.txt", "params.yaml"])
    def test_a_folder_that_belongs_to_somebody_is_refused(self, tmp_path, name):
        (tmp_path / name).write_text("data: {}\n")
        with pytest.raises(PlateauError, match="holds something else; give another folder: --workspace"):
            project.renew(tmp_path, TEXT)
        assert [path.name for path in tmp_path.iterdir()] == [name]

    def test_a_project_made_by_init_is_refused(self, tmp_path):
        project.create(tmp_path / "mine")
        with pytest.raises(PlateauError, match="holds something else"):
            project.renew(tmp_path / "mine", TEXT)

    def test_shares_what_another_project_has_finished(self, tmp_path):
        around = tmp_path / "mine"
        project.create(around)
        project.renew(around / "w", TEXT, around)
        (around / "w/.plateau/key.json").touch()
        assert (around / ".plateau/key.json").exists()
        assert "dir = ../../.dvc/cache" in (around / "w/.dvc/config").read_text()
        project.renew(around / "w", TEXT, around)  # the link is there already
