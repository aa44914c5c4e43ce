"""One file's bytes into one small RGB image, or the reason why not."""

from __future__ import annotations

import functools
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from plateau_cause.images.item import UnreadableError

# Pillow would hand PostScript to an interpreter; only pictures are opened.
FORMATS = (
    "AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "TGA", "TIFF", "WEBP",
)  # fmt: skip
MOST_PIXELS = 89_478_485  # in memory at once; Pillow's own bound for a decompression bomb
BIG_PIXELS = 2**24  # above this one image at a time is decoded: one per thread would take too much memory
WIDE_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
RANGES = (255, 1023, 4095, 16383, 65535)  # what sensors of 8, 10, 12, 14 and 16 bits reach
WHITE = (255, 255, 255, 255)
PAGE = "a web page"
INSTEAD = {b"pk\x03\x04": "a zip archive", b"%pdf": "a PDF", b"<!doctype html": PAGE, b"<html": PAGE}
REDUCING_GAP = 3.0  # shrink in two steps; the result is indistinguishable from one

_one_big_image = threading.Lock()


class Decoded(NamedTuple):
    """An image as it is stored: pixels (h, w, 3) uint8, and its original size in pixels, upright."""

    pixels: np.ndarray
    width: int
    height: int


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silences Pillow's warnings about odd files around a whole pool of threads.

    Filters belong to the process: to set them inside the threads would be a race.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def decode(content: bytes | np.ndarray, longest_px: int) -> Decoded:
    """Returns the image, upright, RGB, its longer side at most `longest_px`; never enlarged.

    The first frame of an animation; transparency on white; 16 bits by the range that the values take up.

    Args:
        content: a file's bytes, or pixels (h, w) or (h, w, 3) uint8.
        longest_px: of the longer side.

    Raises:
        UnreadableError: empty, truncated, no image, or implausibly large.
    """
    if isinstance(content, np.ndarray):
        return _shrunk(Image.fromarray(content), content.shape[1], content.shape[0], longest_px)
    if not content:
        raise UnreadableError("empty file (0 bytes)")
    try:
        with Image.open(io.BytesIO(content), formats=_formats()) as opened:
            return _decode_opened(opened, longest_px)
    except UnreadableError:
        raise
    except Image.DecompressionBombError:
        raise UnreadableError(f"more than {2 * MOST_PIXELS:,} pixels (decompression bomb)") from None
    except UnidentifiedImageError:
        raise UnreadableError(_instead_of_an_image(content)) from None
    except Exception as error:  # whatever a decoder stumbles over in a damaged file
        raise UnreadableError(_reason(error)) from None


@functools.cache
def _formats() -> list[str]:
    """Returns the formats that this build of Pillow opens: AVIF, for one, is optional."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _instead_of_an_image(content: bytes) -> str:
    """Returns what bytes are that no decoder knows, as far as their first few say it."""
    if content.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the image itself: run `git lfs pull`"
    if content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "a HEIC picture, which is not read: convert it to JPEG or PNG"
    start = content[:64].lstrip().lower()
    known = (what for sign, what in INSTEAD.items() if start.startswith(sign))
    return f"{what}, not an image" if (what := next(known, "")) else "not an image, or of an unknown format"


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:120] or type(error).__name__
    return f"truncated: {text}" if "truncated" in text.lower() else f"damaged: {text}"


def _decode_opened(image: Image.Image, longest_px: int) -> Decoded:
    width, height = image.size
    image.draft(None, (2 * longest_px, 2 * longest_px))  # decodes a JPEG at a fraction of its size: faster
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise UnreadableError(f"{width} x {height} = {width * height:,} pixels (decompression bomb)")
    with _one_big_image if pixels > BIG_PIXELS else nullcontext():
        image.load()
        orientation = _orientation(image)  # after load: Pillow turns a TIFF itself and then forgets the tag
        decoded = _shrunk(image, width, height, longest_px)
    return _upright(decoded, orientation)


def _shrunk(image: Image.Image, width: int, height: int, longest_px: int) -> Decoded:
    rgb = _to_rgb(image)
    scale = longest_px / max(rgb.size)
    if scale < 1:
        size = (max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale)))
        rgb = rgb.resize(size, Image.Resampling.BICUBIC, reducing_gap=REDUCING_GAP)
    return Decoded(np.asarray(rgb), width, height)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF beside a sound picture
        return 1


def _upright(decoded: Decoded, orientation: int) -> Decoded:
    """Returns the image turned and mirrored as EXIF says; turning the small one is cheap."""
    if orientation not in range(2, 9):
        return decoded
    image = Image.fromarray(decoded.pixels)
    image.getexif()[0x0112] = orientation
    turned = np.asarray(ImageOps.exif_transpose(image))
    size = (decoded.height, decoded.width) if orientation >= 5 else (decoded.width, decoded.height)
    return Decoded(turned, *size)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in WIDE_MODES:
        return _from_wide(image).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, WHITE), layered).convert("RGB")
    return image.convert("RGB")


def _from_wide(image: Image.Image) -> Image.Image:
    """Returns 16-bit, 32-bit or float pixels as 8-bit gray.

    Files do not say how many of their 16 bits are used: the smallest usual range that holds the values is
    taken, so that a 12-bit radiograph is not black. Floats count as 0..1 where they fit; anything else is
    stretched from its minimum to its maximum.

    Raises:
        UnreadableError: no pixel is a number.
    """
    given = np.asarray(image).astype(np.float32)
    if not np.isfinite(given).any():
        raise UnreadableError("no pixel is a number (all are NaN or infinite)")
    values = np.nan_to_num(given, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    usual = (1.0, *RANGES) if image.mode == "F" else RANGES
    top = next((float(top) for top in usual if high <= top), 0.0) if low >= 0 else 0.0
    scaled = values * (255.0 / top) if top else (values - low) * (255.0 / max(high - low, 1e-12))
    return Image.fromarray(np.rint(scaled).clip(0, 255).astype(np.uint8))
