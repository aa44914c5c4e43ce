"""Which file an image in memory was read from: small grey pictures of what the script has decoded.

Scripts that read all images into arrays first hand on tensors without a path. Small pictures of these are
compared with those of the files: scale, shift and size change nothing, a crop or a turn leaves one unknown.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

SIDE = 8  # pixels of a small picture
PEEK_S = 3.0  # that the pictures of a peek may take altogether
ALIKE = 0.99  # correlation of a picture with that of its own file, resized in another way
APART = 0.003  # by which that of a file in another folder lies below


class Album:
    """Small pictures of files, in the order in which these were read.

    Args:
        most_s: seconds that they may take altogether; later files are not known.
    """

    def __init__(self, most_s: float = math.inf) -> None:
        self._most_s = most_s
        self.paths: list[str] = []
        self._pictures: list[Any] = []
        self._together: tuple[Any, Any] | None = None  # as arrays, as far as they were asked for
        self._spent_s = 0.0

    def add(self, path: str | None, image: Callable[[], Any]) -> None:
        """Adds a file, as long as there is time.

        Args:
            path: of the file; None: it is not known, and nothing is added.
            image: returns its pixels, (H, W) or (H, W, C).
        """
        if path is None or self._spent_s > self._most_s:
            return
        started_s = time.perf_counter()
        try:
            picture = small(image())
        except Exception:  # no image, or one that the script itself will stumble over
            picture = None
        if picture is not None:
            self.paths.append(path)
            self._pictures.append(picture)
        self._spent_s += time.perf_counter() - started_s

    def path_of(self, image: Any) -> str | None:
        """Returns the file that an image was read from; None where none, or several, look like it.

        Args:
            image: (H, W), (H, W, C) or (C, H, W) numbers.
        """
        picture = small(image) if self._pictures else None
        if picture is None:
            return None
        pictures, folders = self._stacked()
        alike = pictures @ picture
        best = int(alike.argmax())
        elsewhere = alike[folders != folders[best]].max(initial=0.0)
        if alike[best] < ALIKE or elsewhere > alike[best] - APART:
            return None
        return self.paths[best]

    def _stacked(self) -> tuple[Any, Any]:
        """Returns (n, 64) the pictures, and (n,) the folder of each."""
        import numpy as np

        if self._together is None or len(self._together[0]) < len(self.paths):
            folders = np.array([path.rpartition("/")[0] for path in self.paths])
            self._together = np.stack(self._pictures), folders
        return self._together


def small(image: Any) -> Any:
    """Returns (64,) a small grey picture of length 1 around its mean; None of an image of one brightness."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(image, np.float32)
    if pixels.ndim == 3:
        pixels = pixels.mean(0 if len(pixels) <= 4 else 2)
    if pixels.ndim != 2:
        return None
    shrunk = np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)).ravel()
    shrunk = shrunk - shrunk.mean()
    length = float(np.linalg.norm(shrunk))
    return shrunk / length if length > 1e-6 * max(float(np.abs(pixels).max()), 1e-6) else None


def named_around(name: str, function: str) -> str | None:
    """Returns a variable of a function that is running, such as the path that Keras' `load_img` was given."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == function:
            value = frame.f_locals.get(name)
            return None if value is None else str(value)
        frame = frame.f_back
    return None
