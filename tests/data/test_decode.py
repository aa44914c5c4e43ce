import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from plateau.data.decode import UnreadableError, decode

RED_LEFT = np.zeros((20, 40, 3), np.uint8)
RED_LEFT[:, :20, 0] = 255


def encoded(image, form="PNG", **options):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, form, **options)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that claims 100,000 x 100,000 pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"\0" * 5000, "not an image"),
        (b"hello, world", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (encoded(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))[:2000], "damaged"),
        (encoded(RED_LEFT, "JPEG")[:300], "damaged"),
        (bomb(), "more than 178,956,970 pixels"),
    ],
)
def test_bad_files_have_a_reason(content, reason):
    with pytest.raises(UnreadableError, match=reason):
        decode(content, 96)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF"])
def test_longer_side_is_bounded_and_aspect_kept(form):
    found = decode(encoded(np.repeat(np.repeat(RED_LEFT, 20, 0), 20, 1), form), 96)
    assert found.pixels.shape == (48, 96, 3)
    assert (found.width, found.height) == (800, 400)
    assert found.pixels[24, 10, 0] > 240 and found.pixels[24, 85, 0] < 15


def test_small_images_are_not_enlarged():
    found = decode(encoded(RED_LEFT), 96)
    assert np.array_equal(found.pixels, RED_LEFT)
    assert found.pixels.dtype == np.uint8


def test_extreme_aspect_keeps_a_pixel():
    assert decode(encoded(np.zeros((1, 3000, 3), np.uint8)), 96).pixels.shape == (1, 96, 3)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_exif_rotation_is_applied(form):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    found = decode(encoded(Image.fromarray(RED_LEFT), form, exif=exif), 96)
    assert found.pixels.shape == (40, 20, 3)
    assert (found.width, found.height) == (20, 40)
    assert found.pixels[5, 10, 0] > 200 and found.pixels[35, 10, 0] < 50


def test_rotation_of_a_square_and_of_a_large_jpeg():
    exif = Image.Exif()
    exif[0x0112] = 8
    found = decode(encoded(Image.new("RGB", (1000, 600)), "JPEG", exif=exif), 50)
    assert found.pixels.shape == (50, 30, 3)
    assert (found.width, found.height) == (600, 1000)


def test_broken_exif_does_not_cost_the_image():
    found = decode(encoded(Image.fromarray(RED_LEFT), "JPEG", exif=b"Exif\0\0" + b"\xff" * 40), 96)
    assert found.pixels.shape == RED_LEFT.shape


def test_transparency_becomes_white():
    layered = np.dstack([RED_LEFT, np.zeros((20, 40), np.uint8)])
    layered[:, :10, 3] = 255
    found = decode(encoded(layered), 96).pixels
    assert found[0, 0].tolist() == [255, 0, 0]
    assert found[0, 30].tolist() == [255, 255, 255]
    palette = Image.fromarray(RED_LEFT).quantize(4)
    black = palette.getpixel((30, 0))
    assert decode(encoded(palette), 96).pixels[0, 30].tolist() == [0, 0, 0]
    assert decode(encoded(palette, transparency=black), 96).pixels[0, 30].tolist() == [255, 255, 255]


def test_cmyk_gray_and_bilevel():
    cmyk = decode(encoded(Image.fromarray(RED_LEFT).convert("CMYK"), "JPEG", quality=95), 96).pixels
    assert cmyk[10, 5, 0] > 200 and cmyk[10, 35].max() < 60
    gray = decode(encoded(Image.new("L", (6, 4), 77)), 96).pixels
    assert gray.shape == (4, 6, 3) and (gray == 77).all()
    assert (decode(encoded(Image.new("1", (6, 4), 1)), 96).pixels == 255).all()
    assert decode(encoded(Image.new("LA", (6, 4), (77, 0))), 96).pixels.min() == 255


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_range(form):
    values = np.array([[0, 255, 32768, 65535]], np.uint16)
    assert decode(encoded(values, form), 96).pixels[0, :, 1].tolist() == [0, 1, 128, 255]
    assert decode(encoded(np.full((4, 4), 200, np.uint16), form), 96).pixels.max() == 1  # dark stays dark


def test_float_images_are_stretched():
    values = np.array([[-1.0, 0.0, 1.0, np.nan]], np.float32)
    assert decode(encoded(values, "TIFF"), 96).pixels[0, :, 0].tolist() == [0, 128, 255, 128]


def test_animations_give_their_first_frame():
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    found = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), 96).pixels
    assert found[0, 0].tolist() == [255, 0, 0]
