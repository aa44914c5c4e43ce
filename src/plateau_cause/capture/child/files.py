"""Files written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file beside its place and moves it there."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=_plain), encoding="utf-8")
    part.replace(path)


def _plain(value: Any) -> Any:
    """Returns a number of NumPy or of a tensor as Python's own; anything else as text."""
    is_number = hasattr(value, "item") and not getattr(value, "shape", ())
    return value.item() if is_number else str(value)
