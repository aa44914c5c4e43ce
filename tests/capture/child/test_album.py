"""The file of an image in memory, by small pictures."""

import numpy as np
import pytest
import torch
from PIL import Image

from plateau_cause.capture.child.album import Album, named_around, small
from plateau_cause.capture.child.doors.decoding import Decoding

GENERATOR = np.random.default_rng(0)


def picture():
    rough = GENERATOR.integers(0, 255, (8, 12, 3)).astype("uint8")
    return np.asarray(Image.fromarray(rough).resize((48, 32), Image.Resampling.BICUBIC))


FILES = {f"/d/{name}/{number}.png": picture() for name in ("cat", "dog") for number in range(6)}


@pytest.fixture
def filled():
    one = Album()
    for path, image in FILES.items():
        one.add(path, lambda image=image: image)
    return one


def resized(image, size):
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


@pytest.mark.parametrize("change", [
    lambda image: image,
    lambda image: resized(image, (24, 24)),
    lambda image: image[..., ::-1],  # the order of cv2
    lambda image: (image / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
    lambda image: torch.from_numpy(image.transpose(2, 0, 1) / 127.5 - 1),
    lambda image: image.mean(2),
])  # fmt: skip
def test_an_image_is_found_however_it_is_kept(change, filled):
    assert [filled.path_of(change(image)) for image in FILES.values()] == list(FILES)


@pytest.mark.parametrize("change", [
    lambda image: image[:16, :16], lambda image: image[:, ::-1], lambda image: image * 0,
    lambda image: image[0, 0],
])  # fmt: skip
def test_what_is_another_picture_is_not_found(change, filled):
    assert {filled.path_of(change(image)) for image in FILES.values()} == {None}


def test_the_same_picture_in_two_folders_tells_nothing(filled):
    image = FILES["/d/cat/0.png"]
    filled.add("/d/dog/copy.png", lambda: image)
    assert filled.path_of(image) is None
    filled.add("/d/cat/copy.png", lambda: FILES["/d/cat/1.png"])
    assert filled.path_of(FILES["/d/cat/1.png"]) in ("/d/cat/1.png", "/d/cat/copy.png")


def test_it_ends_when_it_has_taken_long_enough():
    def broken():
        raise OSError

    one = Album()
    one.add(None, broken)
    one.add("/d/broken.png", broken)
    assert one.paths == []
    one = Album(most_s=-1.0)
    one.add("/d/cat/0.png", lambda: FILES["/d/cat/0.png"])
    assert one.paths == [] and one.path_of(FILES["/d/cat/0.png"]) is None


def test_what_is_decoded_is_kept(tmp_path, monkeypatch):
    from plateau_cause.capture.child.doors.hooks import Hooks

    monkeypatch.setattr(Image, "open", Image.open)
    monkeypatch.setattr(Image, "fromarray", Image.fromarray)
    decoding = Decoding(Hooks(), album=Album())
    decoding.install_pil(Image)
    path = tmp_path / "one.png"
    Image.fromarray(FILES["/d/cat/0.png"]).save(path)
    image = Image.open(path)
    assert decoding.album.paths == [str(path)] and decoding.found == []
    assert decoding.album.path_of(np.asarray(image)) == str(path)


def test_a_variable_of_a_running_function():
    def load_img(path):
        return named_around("path", "load_img")

    assert load_img("a.png") == "a.png" and load_img(None) is None
    assert named_around("path", "load_img") is None


def test_an_image_of_one_brightness_has_no_picture():
    assert small(np.full((9, 9, 3), 7)) is None and small(np.zeros(5)) is None
