"""One image of a source, before it is decoded."""

from __future__ import annotations

import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BACKSLASH = "backslashreplace"
STEERING = ("Cc", "Zl", "Zp")  # categories of Unicode: control signs, breaks of lines and paragraphs
CHANGE_DIRECTION = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
MOST_BYTES = 256 * 2**20  # of one file: a larger one is hardly a picture, and several are in memory at once


class UnreadableError(Exception):
    """Why a file cannot be used, in a few words."""


@dataclass(frozen=True, slots=True)  # there may be millions
class Item:
    """One image of a source.

    Attributes:
        image_id: stable, such as the path below the data folder. An id given twice is numbered later.
        source: where it came from, for people.
        label: class name.
        load: returns the file's bytes, or pixels (h, w) or (h, w, 3) uint8 where the source has no files;
            raises UnreadableError or OSError.
        split: train, val, test, or None.
        group: images of one group never cross splits; None: an image on its own.
        refused: why the item must not be read, or None.
    """

    image_id: str
    source: str
    label: str
    load: Callable[[], bytes | np.ndarray]
    split: str | None = None
    group: str | None = None
    refused: str | None = None


def read_file(path: Path) -> bytes:
    """Returns the bytes of a regular file.

    Raises:
        UnreadableError: a device or pipe (which might block for ever), or far too large.
        OSError: it cannot be read.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError("not a regular file")
    refuse_large(found.st_size)
    return path.read_bytes()


def refuse_large(size_bytes: int) -> None:
    """Raises UnreadableError for what is hardly a picture any more."""
    if size_bytes > MOST_BYTES:
        raise UnreadableError(f"larger than {MOST_BYTES // 2**20} MiB")


def plain_text(name: str) -> str:
    r"""Returns a name that can be stored and shown: bytes that are no UTF-8 as \xNN, accents composed.

    macOS hands out decomposed file names and Linux what was written: composed, they sort alike everywhere.
    Signs that steer a terminal or a page instead of being seen are written out too.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "surrogateescape").decode("utf-8", BACKSLASH))
    return text if text.isprintable() else "".join(_visible(sign) for sign in text)


def _visible(sign: str) -> str:
    """Returns the sign; one that steers, such as ESC or a change of direction, as its number."""
    if unicodedata.category(sign) not in STEERING and sign not in CHANGE_DIRECTION:
        return sign
    return f"\\x{ord(sign):02x}"


def distinct_names(names: Sequence[str]) -> list[str]:
    """Returns class names by index, "crane" and "crane" told apart as "crane (134)" and "crane (517)".

    Without that, two classes of one name (ImageNet has such) would silently become one.
    """
    counts = Counter(names)
    return [f"{name} ({index})" if counts[name] > 1 else name for index, name in enumerate(names)]
