"""What DVC writes in place, so that a kill leaves half of it, at which DVC itself would stop for ever.

Its lock says who reads and writes which output; half of one is removed. Its notes (dvc.lock) say what each
stage was run with: every stage keeps a copy of the last whole ones, which is put back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plateau_cause import artifacts
from plateau_cause.pipeline import paths

NOTES_SCHEMA = "2.0"  # of dvc.lock
TEXTS = ("path", "hash", "md5")  # of which half may be read as a number


def clear_if_broken(root: Path) -> None:
    """Removes a lock that is half written, and puts the last whole notes in the place of half written ones.

    Args:
        root: of the project.
    """
    lock = root / paths.DVC_LOCK
    try:
        json.loads(lock.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except ValueError:
        lock.unlink(missing_ok=True)
    notes, kept = root / paths.DVC_NOTES, root / paths.DVC_NOTES_KEPT
    if notes.is_file() and not _is_whole(text := notes.read_text(encoding="utf-8", errors="replace")):
        if "<<<<<<<" in text:  # a merge that somebody has to settle
            return
        if kept.is_file():
            artifacts.write_text(notes, kept.read_text(encoding="utf-8"))
        else:
            notes.unlink()


def keep_notes(root: Path) -> None:
    """Keeps a copy of DVC's notes where they are whole."""
    notes, kept = root / paths.DVC_NOTES, root / paths.DVC_NOTES_KEPT
    if notes.is_file() and _is_whole(text := notes.read_text(encoding="utf-8", errors="replace")):
        artifacts.write_text(kept, text)


def _is_whole(text: str) -> bool:
    import yaml

    try:
        content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return False
    if not isinstance(content, Mapping) or content.get("schema") != NOTES_SCHEMA:
        return False
    stages = content.get("stages", {})
    return isinstance(stages, Mapping) and all(map(_is_whole_stage, stages.values()))


def _is_whole_stage(stage: Any) -> bool:
    if not isinstance(stage, Mapping) or not stage.get("cmd"):
        return False
    files = [stage.get(kind, []) for kind in ("deps", "outs")]
    return all(isinstance(one, list) for one in files) and all(
        _is_whole_file(file) for one in files for file in one
    )


def _is_whole_file(file: Any) -> bool:
    if not isinstance(file, Mapping) or "path" not in file or None in file.values():
        return False
    return all(isinstance(file.get(name, ""), str) for name in TEXTS)
