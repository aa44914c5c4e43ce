"""Pictures in memory and on disk."""

import io

import numpy as np
import pytest
from PIL import Image

from plateau_cause.config.params import Data
from plateau_cause.images.prepare import prepare
from plateau_cause.images.store import open_dataset


def _encode(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _picture(seed, size=(40, 30)):
    small = np.random.default_rng(seed).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def encode():
    """A function: an image as the bytes of a file."""
    return _encode


@pytest.fixture(scope="session")
def picture():
    """A function: a smooth random picture of a seed; like a photograph it survives compression."""
    return _picture


@pytest.fixture(scope="session")
def class_files():
    """A function: {"cat/00.png": picture, ...}, every picture another one."""

    def make(classes=("cat", "dog"), count=10, start=0):
        names = [f"{name}/{row:02d}.png" for name in classes for row in range(count)]
        return {name: _picture(start + seed) for seed, name in enumerate(names)}

    return make


@pytest.fixture
def make_folder(tmp_path):
    """A function: writes {"cat/1.png": image or bytes} and returns the folder."""

    def make(files, name="images"):
        for path, content in files.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else _encode(content))
        return tmp_path / name

    return make


@pytest.fixture
def hub_is_off(tmp_path_factory, monkeypatch):
    """Gives `datasets` a cache of its own, which it returns, and no hub."""
    import datasets

    folder = tmp_path_factory.mktemp("cache")
    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return folder


@pytest.fixture
def prepared(tmp_path):
    """A function: prepares a source and opens the result."""

    def run(folder, name="prepared", source="imagefolder", **options):
        prepare(Data(source=source, path=str(folder), **options), tmp_path / name)
        return open_dataset(tmp_path / name)

    return run
