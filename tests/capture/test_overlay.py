"""A run in a copy of a folder reads what is there and writes over nothing of the user's."""

from __future__ import annotations

from plateau_cause.capture.overlay import Copying, overlay


def test_what_a_run_writes_stays_in_its_copy(tmp_path):
    folder = tmp_path / "work"
    (folder / "data/a").mkdir(parents=True)
    (folder / "data/a/1.png").write_bytes(b"image")
    (folder / "best.pt").write_bytes(b"mine")
    (folder / "train.plateau").mkdir()
    (folder / ".git").mkdir()
    with overlay(folder) as own:
        assert sorted(path.name for path in own.iterdir()) == ["best.pt", "data"]
        assert (own / "data/a/1.png").read_bytes() == b"image"
        assert (own / "data/a/1.png").is_symlink()
        (own / "best.pt").write_bytes(b"theirs")
        (own / "data/a/log.txt").write_text("new")
    assert not own.exists()
    assert (folder / "best.pt").read_bytes() == b"mine"
    assert [path.name for path in (folder / "data/a").iterdir()] == ["1.png"]


def test_what_would_take_long_to_copy_is_a_link(tmp_path):
    (tmp_path / "work/inner").mkdir(parents=True)
    (tmp_path / "work/train.py").write_text("x = 1\n")
    (tmp_path / "work/model.bin").write_bytes(b"12345")
    Copying(entries=2, size=7).fill(tmp_path / "work", tmp_path / "own")
    kinds = {path.name: path.is_symlink() for path in (tmp_path / "own").iterdir()}
    assert kinds["inner"]
    assert sorted(kinds[name] for name in ("train.py", "model.bin")) == [False, True]


def test_a_folder_of_many_files_is_a_link(tmp_path):
    folder = tmp_path / "work"
    (folder / "data").mkdir(parents=True)
    for number in range(2001):
        (folder / f"data/{number}").touch()
    with overlay(folder) as own:
        assert (own / "data").is_symlink()
        assert (own / "data/7").exists()
    assert (folder / "data/7").exists()
