"""Atomic reading and writing: a file or folder is there whole, or it is not there."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plateau_cause.errors import PlateauError

if TYPE_CHECKING:
    import pandas as pd


ROW_GROUP = 2**16  # rows of a Parquet file that are encoded at once


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary sibling file that replaces `path` on success and is removed on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp gives 0600
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields a temporary sibling folder that replaces `path` on success and leaves nothing on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        old = temporary.with_name(f"{temporary.name}.old")
        if path.exists():
            path.rename(old)
        temporary.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_json(path: Path, content: Any) -> None:
    """Writes JSON: numpy values become plain ones, NaN and infinity become null (JSON has neither)."""
    with atomic_path(path) as temporary:
        text = json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Returns the content of a JSON file.

    Raises:
        PlateauError: the file is missing or not JSON; names the stage order as the remedy.
    """
    try:
        return json.loads(_existing(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise PlateauError(f"{path}: not valid JSON ({error})") from None


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Writes a table as Parquet, without its index."""
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False, row_group_size=ROW_GROUP)


def read_parquet(path: Path) -> pd.DataFrame:
    """Returns a Parquet table."""
    import pandas as pd

    return pd.read_parquet(_existing(path))


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Writes a table as CSV, without its index."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Writes named arrays as one uncompressed .npz file."""
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the named arrays of a .npz file."""
    with np.load(_existing(path), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _existing(path: Path) -> Path:
    if not Path(path).is_file():
        raise PlateauError(f"{path}: no such file; `dvc repro` makes what this stage reads")
    return Path(path)


def plain(value: Any) -> Any:
    """Returns the value with JSON's types only; NaN and infinity become None."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
