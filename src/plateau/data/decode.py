"""One file's bytes into one small RGB image, or the reason why not."""

from __future__ import annotations

import io
from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

WHITE = (255, 255, 255)
MOST_PIXELS = 178_956_970  # two gigabytes as 32-bit RGB: where Pillow speaks of a decompression bomb
# No EPS (it starts Ghostscript) and no formats that are recognised by guessing.
FORMATS = (
    "JPEG",
    "MPO",
    "PNG",
    "WEBP",
    "GIF",
    "BMP",
    "DIB",
    "TIFF",
    "PPM",
    "JPEG2000",
    "AVIF",
    "ICO",
    "PCX",
    "SGI",
)
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")


class Decoded(NamedTuple):
    """An image as it is stored: pixels (h, w, 3) uint8, and its upright original size in pixels."""

    pixels: np.ndarray
    width: int
    height: int


class UnreadableError(Exception):
    """Why a file cannot be used, in a few words."""


def decode(content: bytes, longest_px: int) -> Decoded:
    """Returns the image, upright, RGB, its longer side at most `longest_px`; never enlarged.

    Transparent pixels come out on white; 16-bit values are scaled by the full range of their format; of an
    animation the first frame counts.

    Raises:
        UnreadableError: empty, truncated, no image, or implausibly large.
    """
    if not content:
        raise UnreadableError("empty file")
    try:
        with Image.open(io.BytesIO(content), formats=_formats()) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            return _convert(opened, longest_px)
    except Image.DecompressionBombError:
        raise UnreadableError(f"more than {MOST_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        raise UnreadableError("not an image") from None
    except Exception as error:  # a decoder may raise anything on damaged bytes
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UnreadableError(f"damaged: {reason}") from None


def shrink(image: Image.Image, longest_px: int) -> np.ndarray:
    """Returns an RGB image as uint8 (h, w, 3), its longer side at most `longest_px`."""
    scale = longest_px / max(image.size)
    if scale < 1.0:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(image)


@cache
def _formats() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _convert(image: Image.Image, longest_px: int) -> Decoded:
    width, height = image.size
    # A JPEG decodes at a fraction of its size, several times faster; twice the stored size loses nothing.
    image.draft(None, (2 * longest_px, 2 * longest_px))
    image.load()
    upright, is_turned = _upright(image)
    if is_turned:
        width, height = height, width
    return Decoded(shrink(_to_rgb(upright), longest_px), width, height)


def _upright(image: Image.Image) -> tuple[Image.Image, bool]:
    """Returns the image as its EXIF orientation says, and whether width and height have changed places."""
    try:
        orientation = image.getexif().get(0x0112, 1)
        return ImageOps.exif_transpose(image), orientation in (5, 6, 7, 8)
    except Exception:  # broken EXIF around an intact image
        return image, False


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in (*SIXTEEN_BIT, "I", "F"):
        return _from_wide(image).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        ground = Image.new("RGBA", layered.size, (*WHITE, 255))
        return Image.alpha_composite(ground, layered).convert("RGB")
    return image.convert("RGB")


def _from_wide(image: Image.Image) -> Image.Image:
    """Returns wide pixels as 8-bit gray: by the format's full range, or by their own where there is none."""
    values = np.asarray(image).astype(np.float64)  # (H, W)
    values = np.where(np.isfinite(values), values, 0.0)
    if image.mode in SIXTEEN_BIT or (image.mode == "I" and image.format in ("PNG", "PPM")):
        low, high = 0.0, 65535.0
    else:
        low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return Image.fromarray(scaled.round().clip(0, 255).astype(np.uint8))
