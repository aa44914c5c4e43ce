"""The git repository of a script's folder, lent to a copy: asked for its commit, it answers as the own one.

Scripts write the commit into their logs. What a copy commits stays in the copy: it has references of its own
and only reads the objects of the user's.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

OWN, SHARED = ("HEAD", "index"), ("config", "packed-refs", "shallow")  # files of a worktree, and of all


def lend(folder: Path, copy: Path) -> None:
    """Gives a copy of a folder a repository where the folder is in one; nothing where it is in none.

    Args:
        folder: of the user, resolved.
        copy: of it; where the repository begins above the folder, it begins at the copy.
    """
    root = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)
    if root is None:
        return
    with contextlib.suppress(OSError, IndexError):  # not the user's to read, or none of git's
        own = _folder_of(root / ".git")
        common = own / (own / "commondir").read_text().strip() if (own / "commondir").is_file() else own
        if not (own / "HEAD").is_file():
            return
        target = copy / ".git"
        (target / "objects/info").mkdir(parents=True)
        (target / "objects/info/alternates").write_text(f"{(common / 'objects').resolve()}\n")
        for name in (*OWN, *SHARED):
            source = (own if name in OWN else common) / name
            if source.is_file() and (name != "index" or root == folder):
                shutil.copy(source, target / name)
        shutil.copytree(common / "refs", target / "refs")


def _folder_of(found: Path) -> Path:
    """Returns the folder that a `.git` is or, as of worktrees and submodules, names."""
    return found if found.is_dir() else found.parent / found.read_text().split("gitdir:")[1].strip()
