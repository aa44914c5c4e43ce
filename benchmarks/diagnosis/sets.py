"""Four image sets that need no download, written as PNG files and one table each; the same bytes every time.

A pool holds more training images than a case shows: the split "extra" is what "more data" means in the truth.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from plateau_cause import artifacts

SIZES = {"train": 240, "extra": 240, "val": 120, "test": 360}
SIDE_PX = 48
Images = tuple[list[np.ndarray], list[str]]  # uint8 (H, W, 3), class names
REGIONS = {  # photograph, left, top, right, bottom as fractions of its sides
    "roofs": ("china.jpg", 0.0, 0.0, 1.0, 0.45),
    "courtyard": ("china.jpg", 0.0, 0.5, 1.0, 1.0),
    "petals": ("flower.jpg", 0.3, 0.15, 0.75, 0.75),
    "leaves": ("flower.jpg", 0.0, 0.0, 0.35, 1.0),
    "portrait": ("grace_hopper.jpg", 0.2, 0.05, 0.85, 0.55),
    "uniform": ("grace_hopper.jpg", 0.0, 0.5, 1.0, 1.0),
}
SHAPES = {  # radii of the corners in turn, relative to the largest
    "disc": (1.0,) * 40,
    "triangle": (1.0,) * 3,
    "square": (1.0,) * 4,
    "star": (1.0, 0.4) * 5,
    "propeller": (1.0, 0.25) * 3,
}
GLYPHS = string.ascii_letters + string.digits
FONTS = ("DejaVuSans.ttf", "DejaVuSerif-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Oblique.ttf")
TINTS = {"red": (200, 60, 60), "green": (60, 180, 60), "blue": (70, 70, 200), "yellow": (200, 190, 60)}


def digits(count: int, seed: int) -> Images:
    """Returns handwritten digits, 8 x 8 px and gray, from scikit-learn's 1,797 scans; at most that many."""
    from sklearn.datasets import load_digits

    scans = load_digits()
    order = np.random.default_rng(seed).permutation(len(scans.images))[:count]
    grays = (scans.images[order] * (255.0 / 16.0)).round().astype(np.uint8)  # (n, 8, 8)
    return [np.repeat(gray[..., None], 3, axis=2) for gray in grays], [str(scans.target[i]) for i in order]


def photographs(count: int, seed: int) -> Images:
    """Returns crops of colour photographs that ship in packages; the class is the region they come from."""
    random = np.random.default_rng(seed)
    names = [list(REGIONS)[i % len(REGIONS)] for i in range(count)]
    sources = {file: _photograph(file) for file, *_ in REGIONS.values()}
    return [_crop(random, sources[REGIONS[name][0]], REGIONS[name][1:]) for name in names], names


def drawings(count: int, seed: int) -> Images:
    """Returns filled shapes of any colour, size and angle over lines of other colours, with noise."""
    random = np.random.default_rng(seed)
    names = [list(SHAPES)[i % len(SHAPES)] for i in range(count)]
    return [_drawing(random, SHAPES[name]) for name in names], names


def textures(count: int, seed: int) -> Images:
    """Returns gray gratings and plaids of three orientations under heavy noise, far from ImageNet."""
    random = np.random.default_rng(seed)
    kinds = [(kind, angle) for kind in ("grating", "plaid") for angle in (0, 30, 60)]
    chosen = [kinds[i % len(kinds)] for i in range(count)]
    return [_texture(random, *kind) for kind in chosen], [f"{kind}-{angle}" for kind, angle in chosen]


def glyphs(count: int, seed: int) -> Images:
    """Returns letters and digits in several fonts, any colour, size and tilt, on flat or shaded ground."""
    random = np.random.default_rng(seed)
    names = [GLYPHS[i % len(GLYPHS)] for i in range(count)]
    return [_glyph(random, name) for name in names], names


def tints(count: int, seed: int) -> Images:
    """Returns flat colours with blur-free noise: who learns only these learns to ignore shape."""
    random = np.random.default_rng(seed)
    names = [list(TINTS)[i % len(TINTS)] for i in range(count)]
    colours = [np.asarray(TINTS[name]) + random.normal(0, 25, 3) for name in names]
    return [_noisy(random, np.ones((SIDE_PX, SIDE_PX, 1)) * colour, 20.0) for colour in colours], names


SETS: dict[str, Callable[[int, int], Images]] = {
    "digits": digits,
    "photographs": photographs,
    "drawings": drawings,
    "textures": textures,
}
SOURCES = {**SETS, "glyphs": glyphs, "tints": tints}  # what a backbone can be pretrained on


def write(name: str, folder: Path) -> pd.DataFrame:
    """Writes a set's images below the folder, once, and returns its pool: image (path), label, split.

    Args:
        name: one of SETS.
        folder: of all sets; the images go to <folder>/<name>.
    """
    place = folder / name
    if not (place / "pool.parquet").exists():
        images, labels = SETS[name](sum(SIZES.values()), seed=0)
        with artifacts.atomic_folder(place) as temporary:
            for row, image in enumerate(images):
                Image.fromarray(image).save(temporary / f"{row:05d}.png")
            artifacts.write_parquet(temporary / "pool.parquet", _pool(labels))
    pool = artifacts.read_parquet(place / "pool.parquet")
    return pool.assign(image=[str((place / image).resolve()) for image in pool["image"]])


def _pool(labels: list[str]) -> pd.DataFrame:
    """Returns image, label and split, the splits drawn evenly from the classes."""
    splits = np.repeat(list(SIZES), list(SIZES.values()))
    random = np.random.default_rng(1)
    by_class = np.argsort(np.asarray(labels) + random.random(len(labels)).astype(str), kind="stable")
    spread = np.argsort(np.concatenate([_evenly(size) for size in SIZES.values()]), kind="stable")
    table = pd.DataFrame({"image": [f"{row:05d}.png" for row in range(len(labels))], "label": labels})
    table.loc[by_class, "split"] = splits[spread][: len(labels)]
    return table


def _evenly(size: int) -> np.ndarray:
    return (np.arange(size) + 0.5) / size


def _photograph(file: str) -> Image.Image:
    if file == "grace_hopper.jpg":
        import matplotlib

        path = Path(matplotlib.get_data_path()) / "sample_data" / file
    else:
        import sklearn.datasets

        path = Path(sklearn.datasets.__file__).parent / "images" / file
    return Image.open(path).convert("RGB")


def _crop(random: np.random.Generator, photograph: Image.Image, region: tuple[float, ...]) -> np.ndarray:
    width, height = photograph.size
    left, top, right, bottom = np.asarray(region) * [width, height, width, height]
    side = random.uniform(50, 110)
    x, y = random.uniform(left, right - side), random.uniform(top, bottom - side)
    patch = photograph.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC, (x, y, x + side, y + side))
    light = random.uniform(0.6, 1.25) * random.uniform(0.9, 1.1, 3)  # brightness and colour of the light
    return _noisy(random, np.asarray(patch) * light, 8.0)


def _drawing(random: np.random.Generator, radii: tuple[float, ...]) -> np.ndarray:
    back, front = _two_colours(random)
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), tuple(back.tolist()))
    pencil = ImageDraw.Draw(image)
    radius = random.uniform(0.31, 0.44) * SIDE_PX
    x, y = random.normal(SIDE_PX / 2, SIDE_PX / 16, 2)
    pencil.polygon(
        _outline(x, y, radius * np.asarray(radii), random.normal(0, 0.15)), fill=tuple(front.tolist())
    )
    for _ in range(2):
        points = random.integers(0, SIDE_PX, 4).tolist()
        pencil.line(points, fill=tuple(random.integers(0, 256, 3).tolist()), width=1)
    return _noisy(random, np.asarray(image), 8.0)


def _outline(x: float, y: float, radii: np.ndarray, angle: float) -> list[tuple[float, float]]:
    angles = angle - np.pi / 2 + 2 * np.pi * np.arange(len(radii)) / len(radii)
    return list(zip(x + radii * np.cos(angles), y + radii * np.sin(angles), strict=True))


def _glyph(random: np.random.Generator, name: str) -> np.ndarray:
    back, front = _two_colours(random)
    mask = Image.new("L", (SIDE_PX, SIDE_PX))
    font = _font(FONTS[random.integers(len(FONTS))], int(random.uniform(0.5, 0.95) * SIDE_PX))
    where = tuple(random.normal(SIDE_PX / 2, SIDE_PX / 16, 2))
    ImageDraw.Draw(mask).text(where, name, fill=255, font=font, anchor="mm")
    share = np.asarray(mask.rotate(random.normal(0, 8)), float)[..., None] / 255  # (H, W, 1)
    shade = np.linspace(random.uniform(0.6, 1), 1, SIDE_PX)[:, None, None]
    return _noisy(random, shade * back * (1 - share) + front * share, random.uniform(2, 20))


@cache
def _font(file: str, size_px: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf" / file), size_px)


def _two_colours(random: np.random.Generator) -> np.ndarray:
    """Returns two colours (2, 3) that differ well."""
    back, front = random.integers(0, 256, (2, 3))
    while np.abs(back - front).sum() < 200:
        front = random.integers(0, 256, 3)
    return np.stack([back, front])


def _texture(random: np.random.Generator, kind: str, angle_deg: int) -> np.ndarray:
    rows, columns = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    angle = np.deg2rad(angle_deg + random.normal(0, 5))
    wave = _wave(random, rows, columns, angle)
    if kind == "plaid":
        wave = 0.7 * (wave + _wave(random, rows, columns, angle + np.pi / 2))
    level = random.uniform(100, 156) + random.uniform(20, 50) * wave
    return _noisy(random, np.repeat(level[..., None], 3, axis=2), 30.0)


def _wave(random: np.random.Generator, rows: np.ndarray, columns: np.ndarray, angle: float) -> np.ndarray:
    frequency, phase = random.uniform(0.3, 0.6), random.uniform(0, 2 * np.pi)
    return np.asarray(np.sin(frequency * (columns * np.cos(angle) + rows * np.sin(angle)) + phase))


def _noisy(random: np.random.Generator, image: np.ndarray, sd: float) -> np.ndarray:
    return (image + random.normal(0, sd, image.shape)).round().clip(0, 255).astype(np.uint8)
