"""Every preprocessing fault planted is named, and nothing is named where none was planted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from plateau_cause.features.identification import identify
from plateau_cause.images.expectation import Expectation

IMAGENET = (np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225)))
HALF = (np.full(3, 0.5), np.full(3, 0.5))
Arrays = tuple[np.ndarray, np.ndarray]


def expectation(numbers: Arrays) -> Expectation:
    mean, std = (tuple(float(v) for v in values) for values in numbers)
    return Expectation(mean, std, 224, "bicubic", 0.875, "a test")


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    """Smooth colour images with correlated channels, as photographs have, (12, 3, 16, 16) in 0..1, 8 bit."""
    rng = np.random.default_rng(0)
    brightness = rng.random((12, 1, 4, 4)) * 0.8 + rng.random((12, 3, 4, 4)) * 0.2
    return np.round(np.kron(brightness, np.ones((4, 4))) * 255) / 255


def normalize(images: np.ndarray, numbers: Arrays) -> np.ndarray:
    mean, std = (values.reshape(1, 3, 1, 1) for values in numbers)
    return (images - mean) / std


def to_gray(images: np.ndarray) -> np.ndarray:
    return np.repeat(
        (images * np.array((0.299, 0.587, 0.114)).reshape(1, 3, 1, 1)).sum(1, keepdims=True), 3, 1
    )


FAULTS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Arrays, str]] = {
    "not divided": (lambda x: normalize(x * 255, HALF), HALF, "not divided by 255"),
    "divided twice": (lambda x: normalize(x / 255, HALF), HALF, "divided by 255 twice"),
    "divided twice, ImageNet": (lambda x: normalize(x / 255, IMAGENET), IMAGENET, "divided by 255 twice"),
    "bgr": (lambda x: normalize(x[:, ::-1], IMAGENET), IMAGENET, "BGR instead of RGB"),
    "bgr after normalising": (lambda x: normalize(x, IMAGENET)[:, ::-1], IMAGENET, "BGR instead of RGB"),
    "grb": (lambda x: normalize(x[:, [1, 0, 2]], HALF), HALF, "another order"),
    "not normalised": (lambda x: x, HALF, "not normalised"),
    "mean missing": (lambda x: x / 0.5, HALF, "mean not subtracted"),
    "std missing": (lambda x: x - 0.5, HALF, "not divided by the std"),
    "ImageNet for 0.5": (
        lambda x: normalize(x, IMAGENET),
        HALF,
        "ImageNet's mean and std instead of mean and std 0.5",
    ),
    "0.5 for ImageNet": (
        lambda x: normalize(x, HALF),
        IMAGENET,
        "mean and std 0.5 instead of ImageNet's mean and std",
    ),
    "twice": (lambda x: normalize(normalize(x, HALF), HALF), HALF, "normalised twice"),
    "gray": (lambda x: normalize(to_gray(x), HALF), HALF, "converted to gray"),
    "inverted": (lambda x: normalize(1 - x, HALF), HALF, "inverted"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_the_only_thing_named(photos: np.ndarray, fault: str) -> None:
    transform, numbers, words = FAULTS[fault]
    found = identify(transform(photos).astype(np.float32), photos)
    said = found.describe(expectation(numbers))
    assert found.r_squared > 0.999
    assert len(said) == 1
    assert words in said[0]


@pytest.mark.parametrize("numbers", [HALF, IMAGENET], ids=["half", "imagenet"])
def test_no_fault_is_named_where_none_was_planted(photos: np.ndarray, numbers: Arrays) -> None:
    found = identify(normalize(photos, numbers).astype(np.float32), photos)
    assert found.describe(expectation(numbers)) == ()
    assert (found.scale, found.channels, found.is_inverted) == ("unit", "rgb", False)
    assert np.allclose(found.mean, numbers[0], atol=1e-4)
    assert np.allclose(found.std, numbers[1], atol=1e-4)


def test_normalising_in_byte_units_is_the_same_and_no_fault(photos: np.ndarray) -> None:
    found = identify((photos * 255 - 127.5) / 127.5, photos)
    assert found.describe(expectation(HALF)) == ()


def test_two_faults_are_both_named(photos: np.ndarray) -> None:
    said = identify(photos[:, ::-1] * 255.0, photos).describe(expectation(HALF))
    assert [any(word in line for line in said) for word in ("BGR", "255", "not normalised")] == [True] * 3


def test_channel_order_of_gray_images_is_neither_told_nor_accused(photos: np.ndarray) -> None:
    gray = to_gray(photos)
    found = identify(normalize(gray[:, ::-1], IMAGENET), gray)
    assert found.channels == "unidentifiable"
    assert np.allclose(found.mean, IMAGENET[0], atol=1e-6)
    assert np.allclose(found.std, IMAGENET[1], atol=1e-6)
    assert found.describe(expectation(IMAGENET)) == ()
    assert "not divided by 255" in identify(normalize(gray * 255, HALF), gray).describe(expectation(HALF))[0]


def test_an_empty_channel_accuses_nobody(photos: np.ndarray) -> None:
    images = photos * np.array((1.0, 1.0, 0.0)).reshape(1, 3, 1, 1)  # fluorescence: nothing in blue
    assert identify(normalize(images, IMAGENET), images).describe(expectation(IMAGENET)) == ()
    assert identify(normalize(images[:, ::-1], IMAGENET), images).channels == "bgr"


def test_small_differences_of_the_resize_change_nothing(photos: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, photos.shape)
    assert identify(normalize(photos + noise, IMAGENET), photos).describe(expectation(IMAGENET)) == ()


def test_what_is_not_affine_is_said_to_be_so(photos: np.ndarray) -> None:
    for images in (np.abs(photos - 0.5), photos[:, :, :, ::-1] + 0.0):
        found = identify(normalize(images, HALF), photos)
        assert not found.is_affine
        assert found.describe(expectation(HALF))[0].startswith("not an affine map")


def test_blank_images_do_not_fail() -> None:
    blank = np.zeros((2, 3, 4, 4))
    assert identify(blank, blank).r_squared == 0.0


def test_a_constant_tensor_is_said_to_be_so(photos: np.ndarray) -> None:
    assert identify(np.floor(photos * 0.9), photos).describe(expectation(HALF))[0].startswith("constant")


def test_shapes_must_agree(photos: np.ndarray) -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        identify(photos[:, :, :8], photos)
