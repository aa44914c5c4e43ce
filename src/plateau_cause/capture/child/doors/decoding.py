"""The doors of the images: what PIL, cv2 and torchvision decode while `dataset[i]` runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.album import Album, named_around
from plateau_cause.capture.child.doors.hooks import Hooks

READERS = ("read_image", "decode_image", "decode_jpeg", "decode_png", "decode_webp")


@dataclass
class Raw:
    """An image as it was decoded, before any transform."""

    image: Any  # uint8 (H, W) or (H, W, 3), RGB
    path: str | None


@dataclass
class Decoding:
    """Listens to the decoders, only while `listening` is set: in a replay of `dataset[i]`."""

    hooks: Hooks
    listening: bool = False
    found: list[Raw] = field(default_factory=list)
    album: Album | None = None  # of what is decoded beside that; None: of nothing

    def install_pil(self, module: ModuleType) -> None:
        """Puts the listeners in; `PIL.Image` has just been imported."""
        self._follow(module, "open", _from_pil)
        self._follow(module, "fromarray", _from_pil)

    def install_cv2(self, module: ModuleType) -> None:
        """Puts the listeners in; `cv2` has just been imported."""
        self._follow(module, "imread", _from_cv2)
        self._follow(module, "imdecode", _from_cv2)

    def install_torchvision(self, module: ModuleType) -> None:
        """Puts the listeners in; `torchvision.io` has just been imported."""
        for name in READERS:
            self._follow(module, name, _from_tensor)

    def _follow(self, owner: Any, name: str, convert: Any) -> None:
        original = getattr(owner, name, None)
        if original is None:
            return

        def decode(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            source = [*arguments, *named.values()][0]
            if self.listening:
                self.found.append(Raw(convert(result), _path(source, result)))
            elif self.album is not None:
                path = _path(source, result) or named_around("path", "load_img")
                self.album.add(path, lambda: convert(original(path) if name == "open" else result))
            return result

        decode.__wrapped__ = original  # type: ignore[attr-defined]
        decode.__name__, decode.__doc__ = name, original.__doc__
        setattr(owner, name, decode)


def _path(source: Any, result: Any) -> str | None:
    name = getattr(source, "name", None) or getattr(result, "filename", None)
    given = source if isinstance(source, (str, Path)) else name
    return str(given) if isinstance(given, (str, Path)) and str(given) else None


def _from_pil(image: Any) -> Any:
    import numpy as np

    return np.array(image.copy().convert("RGB"))


def _from_cv2(image: Any) -> Any:
    return None if image is None else image[..., ::-1].copy() if image.ndim == 3 else image


def _from_tensor(image: Any) -> Any:
    return image.permute(1, 2, 0).cpu().numpy()
