"""A plateau project on disk: dvc.yaml, params.yaml, the stages and the code they run; found, made, renewed.

Needs the standard library only: setup.py asks it what belongs into the wheel.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from plateau_cause.errors import PlateauError

PARAMS, IGNORED = "params.yaml", ".gitignore"
# What a project consists of besides the code. requirements.lock is for `plateau doctor`, and may be missing.
FILES = ("dvc.yaml", PARAMS, "requirements.lock", ".dvcignore", IGNORED)
FOLDERS = ("stages",)
MARKS = ("dvc.yaml", "stages/summarize.py")  # what tells such a project from another DVC project
CODE = "src/plateau_cause"
PACKAGE = Path(__file__).parents[1]
FINISHED = ".plateau"  # where trained arms are kept by content
TEMPLATE = "template"  # where the wheel keeps files and folders, beside the code
NOT_COPIED = ("__pycache__", TEMPLATE, "*.pyc")
DVC_CONFIG = "[core]\n    analytics = false\n    check_update = false\n"
WITHOUT_GIT = "    no_scm = true\n"
OWNED = "# Written by `plateau diagnose`"  # first words of a params.yaml that may be replaced
DVC_IGNORED = "/config.local\n/tmp\n/cache\n"


def find(start: Path) -> Path:
    """Returns the nearest project at or above a folder.

    Raises:
        PlateauError: there is none.
    """
    start = start.resolve()
    found = next((folder for folder in (start, *start.parents) if is_project(folder)), None)
    if found is None:
        raise PlateauError(
            f"{start}: no plateau project here or above; `plateau init DIR` starts one, "
            "`plateau diagnose FILE` makes one beside any params file"
        )
    return found


def enter(start: Path) -> Path:
    """Returns the nearest project, having gone there: paths and MLflow's default store are the project's.

    Raises:
        PlateauError: there is none.
    """
    root = find(start)
    os.chdir(root)
    os.environ["DVC_ROOT"] = str(root)  # as DVC tells its stages
    os.environ.setdefault("PLATEAU_PYTHON", sys.executable)  # what stages/run takes where there is no .venv
    return root


def is_project(folder: Path) -> bool:
    """Returns whether `dvc repro` there is a diagnosis."""
    return all((folder / mark).is_file() for mark in MARKS)


def template() -> Path:
    """Returns the folder that holds FILES and FOLDERS: of the wheel, or the clone that is installed."""
    kept = PACKAGE / TEMPLATE
    return kept if kept.is_dir() else PACKAGE.parents[1]


def create(folder: Path) -> None:
    """Makes a new project in a folder that may hold other things; nothing there is overwritten.

    Raises:
        PlateauError: the folder holds a file that a project needs, or cannot be written.
    """
    needed = [name for name in (*FILES, *FOLDERS, ".dvc", CODE) if name != IGNORED]
    taken = [name for name in needed if (folder / name).exists()]
    if taken:
        raise PlateauError(f"{folder}: holds {taken[0]} already; allowed: a folder of its own")
    try:
        _copy_pipeline(folder)
        _add_missing_lines(template() / IGNORED, folder / IGNORED)
        _copy_code(folder)
        shutil.copy(template() / PARAMS, folder / PARAMS)
        _write_dvc_config(folder, DVC_CONFIG + ("" if _is_in_git(folder) else WITHOUT_GIT))
    except OSError as error:
        raise PlateauError(f"{folder}: cannot be written: {error.strerror}") from None


def renew(folder: Path, params: str, around: Path | None = None) -> None:
    """Makes or brings up to date a workspace: a project that belongs to this program, kept out of git.

    What is equal already is not touched, so that DVC finds every finished stage again.

    Args:
        folder: made where it is missing; a folder that holds something else is refused.
        params: text of its params.yaml.
        around: a project whose caches to share, so that no arm is trained and no stage run twice.
    """
    if not is_workspace(folder) and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PlateauError(f"{folder}: holds something else; give another folder: --workspace DIR")
    try:
        _write(folder / PARAMS, f"{OWNED}; the file to change is the one that it was given.\n{params}")
        _write(folder / IGNORED, "*\n")
        _copy_pipeline(folder)
        _copy_code(folder)
        _write_dvc_config(
            folder, DVC_CONFIG + WITHOUT_GIT + ("" if around is None else _share(folder, around))
        )
    except OSError as error:
        raise PlateauError(f"{folder}: cannot be written: {error.strerror}") from None


def _share(folder: Path, around: Path) -> str:
    """Links the finished runs of the other project, and returns the setting that shares its DVC cache."""
    folder, around = folder.resolve(), around.resolve()
    link = folder / FINISHED
    if not link.exists():
        (around / FINISHED).mkdir(exist_ok=True)
        link.unlink(missing_ok=True)  # a link to a folder that was removed
        link.symlink_to(os.path.relpath(around / FINISHED, folder))
    return f"[cache]\n    dir = {os.path.relpath(around / '.dvc/cache', folder / '.dvc')}\n"


def is_workspace(folder: Path) -> bool:
    """Returns whether the folder is a workspace: its params.yaml says who wrote it."""
    path = folder / PARAMS
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace").startswith(OWNED)


def _copy_pipeline(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if name not in (PARAMS, IGNORED) and (template() / name).is_file():
            _write(folder / name, (template() / name).read_text(encoding="utf-8"))
    for name in FOLDERS:
        _mirror(template() / name, folder / name)


def _copy_code(folder: Path) -> None:
    """Copies the installed package: dvc.yaml names its files, so that a stage runs again when they change."""
    _mirror(PACKAGE, folder / CODE)


def _mirror(source: Path, target: Path) -> None:
    """Makes a folder equal to another; a file that is equal keeps its time stamp."""
    wanted = {path.relative_to(source) for path in _files(source)}
    for name in sorted(wanted):
        content = (source / name).read_bytes()
        if not (target / name).is_file() or (target / name).read_bytes() != content:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)
    for path in list(_files(target)):
        if path.relative_to(target) not in wanted:
            path.unlink()


def _files(folder: Path) -> Iterator[Path]:
    ignored = shutil.ignore_patterns(*NOT_COPIED)
    for place, folders, names in os.walk(folder):
        skipped = ignored(place, [*folders, *names])
        folders[:] = [name for name in folders if name not in skipped]
        yield from (Path(place) / name for name in names if name not in skipped)


def _write_dvc_config(folder: Path, config: str) -> None:
    _write(folder / ".dvc/config", config)
    _write(folder / ".dvc/.gitignore", DVC_IGNORED)


def _write(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _add_missing_lines(source: Path, target: Path) -> None:
    own = target.read_text(encoding="utf-8").splitlines() if target.exists() else []
    added = [line for line in source.read_text(encoding="utf-8").splitlines() if line not in own]
    target.write_text("\n".join([*own, *added]) + "\n", encoding="utf-8")


def _is_in_git(folder: Path) -> bool:
    return any((place / ".git").exists() for place in (folder.resolve(), *folder.resolve().parents))
