"""Preprocessing does what its settings say, on images whose result is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from plateau_cause.config.recipe import Preprocessing
from plateau_cause.images.augmentation import augment
from plateau_cause.images.expectation import Expectation
from plateau_cause.images.preprocessing import canonical, normalize, resize_all, resolve

EXPECTS = Expectation((0.4, 0.5, 0.6), (0.2, 0.25, 0.3), 224, "bilinear", 0.875, "a test")
RANDOM = ("flip", "crop_flip", "strong")


class Images:
    """Images in memory, read-only as in the store."""

    def __init__(self, images: list[np.ndarray]):
        self.images = images
        for image in images:
            image.flags.writeable = False

    def image(self, index: int) -> np.ndarray:
        return self.images[index]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def batch() -> torch.Tensor:
    return torch.randint(0, 256, (8, 3, 16, 16), dtype=torch.uint8, generator=generator())


def test_canonical_is_replaced_by_numbers_and_only_canonical() -> None:
    resolved = resolve(Preprocessing(mean="canonical", std=None, scale="byte"), EXPECTS)
    assert (resolved.mean, resolved.std, resolved.scale) == (EXPECTS.mean, None, "byte")
    given = Preprocessing(mean=(0.1, 0.2, 0.3), std="canonical")
    assert resolve(given, EXPECTS) == replace(given, std=EXPECTS.std)


def test_canonical_preprocessing_is_what_the_weights_expect() -> None:
    expected = Preprocessing(size=48, interpolation="bilinear", mean=EXPECTS.mean, std=EXPECTS.std)
    assert canonical(EXPECTS, 48) == expected


def test_normalisation_by_hand(batch: torch.Tensor) -> None:
    given = Preprocessing(mean=EXPECTS.mean, std=EXPECTS.std)
    by_hand = (batch.double() / 255 - torch.tensor(EXPECTS.mean).view(3, 1, 1)) / torch.tensor(
        EXPECTS.std
    ).view(3, 1, 1)
    result = normalize(batch, given)
    assert result.dtype == torch.float32
    assert torch.allclose(result.double(), by_hand, atol=1e-5)


def test_byte_scale_keeps_the_unit_scale_numbers(batch: torch.Tensor) -> None:
    given = Preprocessing(scale="byte", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    assert torch.allclose(normalize(batch, given), (batch.float() - 0.5) / 0.5)


def test_nothing_subtracted_or_divided_for_null(batch: torch.Tensor) -> None:
    assert torch.equal(normalize(batch, Preprocessing(mean=None, std=None, scale="byte")), batch.float())


def test_bgr_swaps_the_pixels_not_the_numbers(batch: torch.Tensor) -> None:
    given = Preprocessing(mean=EXPECTS.mean, std=EXPECTS.std)
    assert torch.equal(
        normalize(batch, replace(given, channels="bgr")), normalize(batch[:, [2, 1, 0]], given)
    )


def test_normalisation_leaves_the_batch_alone(batch: torch.Tensor) -> None:
    before = batch.clone()
    normalize(batch, Preprocessing(mean=None, std=None))
    assert torch.equal(batch, before)


def test_unresolved_numbers_are_refused(batch: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="resolve"):
        normalize(batch, Preprocessing(std=None))


def test_resizing_is_pils_antialiased_and_in_the_order_of_the_indices() -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (40, 30 + i, 3), dtype=np.uint8) for i in range(70)]  # more than one task
    result = resize_all(Images(images), np.array([69, 3]), Preprocessing(size=16, interpolation="bicubic"))
    assert (result.shape, result.dtype) == ((2, 3, 16, 16), np.uint8)
    for row, index in zip(result, (69, 3), strict=True):
        alone = Image.fromarray(images[index]).resize((16, 16), Image.Resampling.BICUBIC)
        assert np.array_equal(row.transpose(1, 2, 0), np.asarray(alone))


def test_squash_crop_and_pad() -> None:
    wide = np.zeros((8, 24, 3), dtype=np.uint8)
    wide[:, 8:16] = 200  # the central square is bright
    store = Images([wide])
    result = {
        r: resize_all(store, [0], Preprocessing(size=8, resize=r, interpolation="nearest"))[0, 0]
        for r in ("squash", "crop", "pad")
    }
    assert (result["crop"] == 200).all()
    assert result["squash"].max() == 200
    assert (result["squash"][:, 0] == 0).all()
    rows = (result["pad"] > 0).any(axis=1)
    assert 2 <= rows.sum() <= 3  # 24 x 8 becomes 8 x 3, black above and below
    assert not rows[:2].any()
    assert not rows[-2:].any()


def test_an_image_of_the_right_size_stays_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for resize in ("squash", "crop", "pad"):
        assert np.array_equal(
            resize_all(Images([image]), [0], Preprocessing(size=16, resize=resize))[0],
            image.transpose(2, 0, 1),
        )


def test_no_images_no_result() -> None:
    assert resize_all(Images([]), [], Preprocessing(size=16)).shape == (0, 3, 16, 16)


def test_no_augmentation_is_the_same_batch(batch: torch.Tensor) -> None:
    assert augment(batch, "none", generator()) is batch


@pytest.mark.parametrize("name", RANDOM)
def test_augmentation_repeats_bitwise_and_differs_between_seeds(batch: torch.Tensor, name: str) -> None:
    before = batch.clone()
    first = augment(batch, name, generator(1))
    assert torch.equal(first, augment(batch, name, generator(1)))
    assert not torch.equal(first, augment(batch, name, generator(2)))
    assert (first.dtype, first.shape) == (torch.uint8, batch.shape)
    assert torch.equal(batch, before)


@pytest.mark.parametrize("name", ["crop_flip", "strong"])
def test_every_image_has_random_numbers_of_its_own(batch: torch.Tensor, name: str) -> None:
    same = batch[:1].repeat(8, 1, 1, 1)
    result = augment(same, name, generator())
    assert len({image.numpy().tobytes() for image in result}) == 8


@pytest.mark.parametrize("name", RANDOM)
def test_augmentation_leaves_the_global_generator_alone(batch: torch.Tensor, name: str) -> None:
    state = torch.get_rng_state()
    augment(batch, name, generator())
    assert torch.equal(state, torch.get_rng_state())


def test_half_of_the_images_are_flipped_and_none_changed_otherwise() -> None:
    images = torch.randint(0, 256, (400, 3, 4, 4), dtype=torch.uint8, generator=generator())
    result = augment(images, "flip", generator())
    is_flipped = [torch.equal(new, old.flip(2)) for new, old in zip(result, images, strict=True)]
    is_same = [torch.equal(new, old) for new, old in zip(result, images, strict=True)]
    assert all(a or b for a, b in zip(is_flipped, is_same, strict=True))
    assert 160 < sum(is_flipped) < 240


def test_crops_keep_at_least_their_share_of_the_image() -> None:
    ramp = torch.arange(64, dtype=torch.uint8).view(1, 1, 1, 64).expand(200, 3, 64, 64).contiguous() * 4
    result = augment(ramp, "crop_flip", generator()).float()[:, 0, 32]  # (200, 64): one row of each image
    seen_frac = (result.amax(dim=1) - result.amin(dim=1)) / 252
    assert 0.6 < seen_frac.min() < 0.75  # the narrowest: sqrt(0.6 · 3/4)
    assert seen_frac.max() > 0.95
    decreasing = (result[:, -1] < result[:, 0]).float().mean()
    assert 0.4 < decreasing < 0.6


def test_strong_changes_colours_within_bounds() -> None:
    gray = torch.full((300, 3, 8, 8), 100, dtype=torch.uint8)
    levels = augment(gray, "strong", generator())[:, 0, 0, 0].float()
    assert 70 <= levels.min() < 80
    assert 120 < levels.max() <= 130


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["none", *RANDOM])
def test_the_device_gives_the_same_as_the_cpu(batch: torch.Tensor, name: str) -> None:
    given = Preprocessing(mean=EXPECTS.mean, std=EXPECTS.std)
    on_cpu = normalize(augment(batch, name, generator()), given)
    on_device = normalize(augment(batch.cuda(), name, generator()), given)
    assert on_device.device.type == "cuda"
    assert ((on_cpu - on_device.cpu()).abs() < 1.5 / 255 / 0.2).float().mean() > 0.99  # rounding to bytes
