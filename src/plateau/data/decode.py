"""One file's bytes into one small RGB image, or the reason why not."""

from __future__ import annotations

import io
import warnings
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

WHITE = (255, 255, 255)
WIDE_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
MOST_PIXELS = 178_956_970  # beyond it Pillow speaks of a decompression bomb


class Decoded(NamedTuple):
    """An image as it is stored: pixels (h, w, 3) uint8, and its original size in pixels."""

    pixels: np.ndarray
    width: int
    height: int


class UnreadableError(Exception):
    """Why a file cannot be used, in a few words."""


def decode(content: bytes, longest_px: int) -> Decoded:
    """Returns the image, upright, RGB, its longer side at most `longest_px`; never enlarged.

    Raises:
        UnreadableError: empty, truncated, no image, or implausibly large.
    """
    if not content:
        raise UnreadableError("empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as opened:
                return _convert(opened, longest_px)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableError(f"more than {MOST_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        raise UnreadableError("not an image") from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise UnreadableError(f"damaged: {' '.join(str(error).split())[:120]}") from None


def shrink(image: Image.Image, longest_px: int) -> np.ndarray:
    """Returns an RGB image as uint8 (h, w, 3), its longer side at most `longest_px`."""
    scale = longest_px / max(image.size)
    if scale < 1.0:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(image)


def _convert(image: Image.Image, longest_px: int) -> Decoded:
    if image.format == "JPEG":
        image.draft("RGB", (2 * longest_px, 2 * longest_px))  # decodes at a fraction of the size, several times faster
    width, height = image.size if image.format != "JPEG" else _full_size(image)
    image.load()
    turned = ImageOps.exif_transpose(image)
    if turned.size != image.size and turned.size == image.size[::-1]:
        width, height = height, width
    return Decoded(shrink(_to_rgb(turned), longest_px), width, height)


def _full_size(image: Image.Image) -> tuple[int, int]:
    """Returns the size before a JPEG draft reduced it."""
    scale = getattr(image, "decoderconfig", ()) or (1,)
    factor = int(scale[0]) if scale and scale[0] else 1
    return image.width * factor, image.height * factor


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in WIDE_MODES:
        return _from_wide(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        ground = Image.new("RGBA", layered.size, (*WHITE, 255))
        return Image.alpha_composite(ground, layered).convert("RGB")
    return image.convert("RGB")


def _from_wide(image: Image.Image) -> Image.Image:
    """Returns 16-bit or float pixels as 8-bit gray: by the format's full range, or by their own where that is unknown."""
    values = np.asarray(image).astype(np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if image.mode != "F" and low >= 0 and high <= 65535:
        scaled = values / (257.0 if high > 255 else 1.0)
    else:
        scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return Image.fromarray(np.nan_to_num(scaled).round().clip(0, 255).astype(np.uint8))
