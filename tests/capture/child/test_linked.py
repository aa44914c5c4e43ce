"""What a run writes behind a link becomes a file of its own; the user's stays as it is."""

import builtins
import io
import types

import pytest
import torch

from plateau_cause.capture.child import linked


@pytest.fixture
def link(tmp_path, monkeypatch):
    """A link to a file of the user's, while `open` writes through none."""
    monkeypatch.setattr(builtins, "open", builtins.open)
    monkeypatch.setattr(io, "open", io.open)
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "own.txt").symlink_to(tmp_path / "mine.txt")
    linked.install()
    return tmp_path / "own.txt"


@pytest.mark.parametrize(("mode", "holds"), [("w", "new"), ("a", "minenew"), ("r+", "newe")])
def test_the_users_file_stays_as_it_is(mode, holds, link):
    with open(link, mode) as file:
        file.write("new")
    assert not link.is_symlink() and link.read_text() == holds
    assert (link.parent / "mine.txt").read_text() == "mine"


def test_what_is_read_is_the_users(link):
    assert link.read_text() == "mine" and link.is_symlink()
    link.write_text("pathlib")
    assert (link.parent / "mine.txt").read_text() == "mine"


def test_so_does_torch_save(link):
    torch_like = types.SimpleNamespace(save=torch.save)
    linked.install_torch(torch_like)
    torch_like.save({"a": 1}, link)
    assert (link.parent / "mine.txt").read_text() == "mine" and not link.is_symlink()
    torch_like.save({"a": 1}, io.BytesIO())
