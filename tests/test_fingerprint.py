"""What changes is noticed, what does not is read once, what is no file is neither read nor waited for."""

import json
import os
import socket

import pytest

from plateau_cause import fingerprint
from plateau_cause.fingerprint import Fingerprints


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    (folder / "cat").mkdir(parents=True)
    (folder / "cat/0.png").write_bytes(b"zero")
    (folder / "cat/1.png").write_bytes(b"one")
    return folder


def described(tmp_path, path):
    files = Fingerprints(tmp_path / "memory.json")
    found = files.of(path)
    files.keep()
    return found


def test_how_much_there_is(tmp_path, pictures):
    found = described(tmp_path, pictures)
    assert found["files"] == 2
    assert described(tmp_path, pictures / "cat/1.png")["files"] == 1


def change(pictures):
    (pictures / "cat/0.png").write_bytes(b"ZERO")


def add(pictures):
    (pictures / "cat/2.png").write_bytes(b"")


def remove(pictures):
    (pictures / "cat/0.png").unlink()


def rename(pictures):
    (pictures / "cat/0.png").rename(pictures / "cat/9.png")


def swap(pictures):
    zero, one = pictures / "cat/0.png", pictures / "cat/1.png"
    first, second = zero.read_bytes(), one.read_bytes()
    zero.write_bytes(second)
    one.write_bytes(first)


def move(pictures):
    (pictures / "dog").mkdir()
    (pictures / "cat/0.png").rename(pictures / "dog/0.png")


def plant_a_link_to_nothing(pictures):
    (pictures / "cat/gone.png").symlink_to("nowhere")


@pytest.mark.parametrize("act", [change, add, remove, rename, swap, move, plant_a_link_to_nothing])
def test_what_changes_is_noticed(tmp_path, pictures, act):
    before = described(tmp_path, pictures)
    act(pictures)
    assert described(tmp_path, pictures)["sha256"] != before["sha256"]


def test_hidden_files_are_nobody_s_data(tmp_path, pictures):
    before = described(tmp_path, pictures)
    for name in (".DS_Store", "cat/.dvcignore", ".git/HEAD", "cat/__pycache__/a.pyc"):
        (pictures / name).parent.mkdir(exist_ok=True)
        (pictures / name).write_text("x")
    assert described(tmp_path, pictures) == before


def test_a_copy_elsewhere_and_another_time_are_the_same(tmp_path, pictures):
    before = described(tmp_path, pictures)
    os.utime(pictures / "cat/0.png", (1, 1))
    assert described(tmp_path, pictures) == before
    pictures.rename(tmp_path / "elsewhere")
    assert described(tmp_path, tmp_path / "elsewhere") == before


def test_each_content_is_read_once(tmp_path, pictures, monkeypatch):
    before, read = described(tmp_path, pictures), []
    monkeypatch.setattr(fingerprint, "_read", lambda path: read.append(path.name) or "new")
    assert described(tmp_path, pictures) == before
    assert read == []
    add(pictures)
    described(tmp_path, pictures)
    assert read == ["2.png"]


def test_what_is_no_file(tmp_path, pictures):
    os.mkfifo(pictures / "cat/pipe.png")
    (pictures / "cat/gone.png").symlink_to("nowhere")
    (pictures / "cat/loop.png").symlink_to("loop.png")
    (pictures / "around").symlink_to(pictures)
    os.fdopen(os.open(os.fsencode(pictures) + b"/cat/\xff.png", os.O_CREAT | os.O_WRONLY), "wb").close()
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(pictures / "cat")  # the path of a socket is short
        listener.bind("socket.png")
        found = described(tmp_path, pictures)
    assert found["files"] == 3


@pytest.fixture(autouse=True)
def back(monkeypatch, tmp_path):
    """Goes back to where the tests started."""
    monkeypatch.chdir(tmp_path)


def test_a_link_to_a_file_counts_as_what_it_leads_to(tmp_path, pictures):
    (tmp_path / "far.png").write_bytes(b"far")
    (pictures / "cat/far.png").symlink_to(tmp_path / "far.png")
    before = described(tmp_path, pictures)
    (tmp_path / "far.png").write_bytes(b"other")
    assert before["files"] == 3
    assert described(tmp_path, pictures)["sha256"] != before["sha256"]


@pytest.mark.parametrize("memory", ["", "[", json.dumps({"a": 1}), json.dumps([1])])
def test_a_broken_memory_costs_time_only(tmp_path, pictures, memory):
    expected = described(tmp_path, pictures)
    (tmp_path / "memory.json").write_text(memory)
    assert described(tmp_path, pictures) == expected
