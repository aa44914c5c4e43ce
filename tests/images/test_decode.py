import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from plateau_cause.images.decode import decode
from plateau_cause.images.item import UnreadableError

RED, WHITE = (255, 0, 0), (255, 255, 255)


def left_red(size=(60, 40)):
    """Red on the left half, blue on the right."""
    image = Image.new("RGB", size, (0, 0, 255))
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    return image


def close(pixel, color, tolerance=12):
    return np.abs(np.asarray(pixel, int) - color).max() <= tolerance


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_usual_formats_keep_aspect_and_colours(encode, form):
    found = decode(encode(left_red((300, 100)), form), 96)
    assert found.pixels.shape == (32, 96, 3)
    assert found.pixels.dtype == np.uint8
    assert (found.width, found.height) == (300, 100)
    assert close(found.pixels[16, 10], RED)
    assert close(found.pixels[16, 85], (0, 0, 255))


def test_small_images_are_not_enlarged_and_thin_ones_keep_a_pixel(encode):
    assert decode(encode(left_red((8, 6))), 96).pixels.shape == (6, 8, 3)
    assert decode(encode(left_red((2000, 2))), 64).pixels.shape == (1, 64, 3)


def test_pixels_without_a_file(encode):
    gray = np.arange(64, dtype=np.uint8).reshape(8, 8)
    found = decode(gray, 96)
    assert found.pixels.shape == (8, 8, 3)
    assert (found.pixels == gray[..., None]).all()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(encode, form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = left_red((200, 100))
    found = decode(encode(stored, form, exif=exif), 50)
    red_side = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}
    height, width = (25, 50) if orientation <= 4 else (50, 25)
    assert found.pixels.shape == (height, width, 3)
    assert (found.width, found.height) == ((200, 100) if orientation <= 4 else (100, 200))
    places = {
        "left": (height // 2, 3),
        "right": (height // 2, -4),
        "top": (3, width // 2),
        "bottom": (-4, width // 2),
    }
    assert close(found.pixels[places[red_side[orientation]]], RED)


def test_palette_with_and_without_transparency(encode):
    plain = left_red().convert("P")
    assert close(decode(encode(plain), 96).pixels[5, 5], RED)
    seen_through = left_red().quantize(2)
    index = seen_through.getpixel((0, 0))
    assert close(decode(encode(seen_through, transparency=index), 96).pixels[5, 5], WHITE)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_alpha_is_laid_on_white(encode, mode):
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0)).convert(mode if mode != "PA" else "RGBA")
    content = encode(image.convert(mode) if mode != "PA" else image.quantize(2))
    assert close(decode(content, 96).pixels[10, 10], WHITE)


def test_half_transparent_mixes_with_white(encode):
    assert close(
        decode(encode(Image.new("RGBA", (9, 9), (0, 0, 0, 128))), 96).pixels[4, 4], (127, 127, 127), 1
    )


def test_transparent_colour_of_an_rgb_file(encode):
    assert close(decode(encode(left_red(), transparency=RED), 96).pixels[5, 5], WHITE)


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk(encode, form):
    assert close(decode(encode(left_red().convert("CMYK"), form), 96).pixels[5, 5], RED)


@pytest.mark.parametrize("mode", ["1", "L"])
def test_gray_becomes_three_equal_channels(encode, mode):
    pixels = decode(encode(left_red().convert(mode)), 96).pixels
    assert pixels.shape == (40, 60, 3)
    assert (pixels[..., :1] == pixels).all()


@pytest.mark.parametrize(("top", "form"), [(65535, "PNG"), (65535, "TIFF"), (4095, "PNG"), (1023, "TIFF")])
def test_sixteen_bits_are_scaled_by_the_range_in_use(encode, top, form):
    ramp = np.linspace(0, top, 80).round().astype(np.uint16).reshape(8, 10)
    pixels = decode(encode(Image.fromarray(ramp), form), 96).pixels[..., 0]
    np.testing.assert_allclose(pixels, ramp * (255.0 / top), atol=0.51)


def test_sixteen_bits_of_full_range_are_divided_by_257(encode):
    pixels = decode(encode(Image.fromarray(np.full((4, 4), 25700, np.uint16))), 96).pixels
    assert (pixels == 100).all()


@pytest.mark.parametrize("values", [[-1.0, 0.0, 1.0], [0.0, 1e5, 2e5]])
def test_other_ranges_are_stretched(encode, values):
    image = Image.fromarray(np.array([values], np.float32))
    assert decode(encode(image, "TIFF"), 96).pixels[0, :, 0].tolist() == [0, 128, 255]


def test_floats_from_zero_to_one_and_not_a_number(encode):
    image = Image.fromarray(np.array([[0.0, 0.2, np.nan]], np.float32))
    assert decode(encode(image, "TIFF"), 96).pixels[0, :, 0].tolist() == [0, 51, 0]


def test_an_animation_gives_its_first_frame(encode):
    content = encode(
        Image.new("RGB", (9, 9), RED), "GIF", save_all=True, append_images=[Image.new("RGB", (9, 9))]
    )
    assert close(decode(content, 96).pixels[4, 4], RED)


def reason(content):
    with pytest.raises(UnreadableError) as error:
        decode(content, 96)
    return str(error.value)


def test_empty_foreign_and_half_files_give_a_reason(encode, picture):
    jpeg, png = encode(picture(0, (200, 200)), "JPEG"), encode(picture(0, (200, 200)))
    assert "empty" in reason(b"")
    assert "not an image" in reason(b"hello, this is no picture")
    assert "not an image" in reason(jpeg[:2] + bytes(1000))
    assert "truncated" in reason(jpeg[: len(jpeg) // 2])
    assert "truncated" in reason(png[: len(png) // 2])
    assert "damaged" in reason(png[:60] + bytes(200) + png[260:])


def test_postscript_is_not_handed_to_an_interpreter(encode):
    assert "not an image" in reason(encode(left_red(), "EPS"))


def png_header(width, height):
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_decompression_bombs_are_refused_before_they_are_decoded(side):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        assert "bomb" in reason(png_header(side, side))


def test_damaged_exif_spoils_nothing(encode):
    content = encode(left_red(), "JPEG", exif=b"Exif\x00\x00garbage that is no EXIF at all")
    assert close(decode(content, 96).pixels[5, 5], RED)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_image_without_a_number_is_set_aside(encode, value):
    assert "no pixel is a number" in reason(
        encode(Image.fromarray(np.full((4, 4), value, np.float32)), "TIFF")
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04" + bytes(30), "a zip archive, not an image"),
        (b"%PDF-1.7 ...", "a PDF, not an image"),
        (b"\n<!DOCTYPE html><html>", "a web page, not an image"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "convert it to JPEG or PNG"),
    ],
)
def test_what_is_no_image_is_named(content, said):
    assert said in reason(content)
