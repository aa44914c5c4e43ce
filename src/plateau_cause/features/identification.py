"""What a preprocessing does to pixel values, identified by least squares instead of guessed from symptoms.

Where the user's tensor t and the pixels x (0..1, RGB, after the same spatial operations) are at hand, the fit
t_c = Σ_j A_cj x_j + b_c says everything an affine preprocessing does: A holds scale, std, channel order, gray
conversion and inversion, b the mean. What is not affine (another resize, histogram equalisation) lowers R².
It says what differs, not whether that hurts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import numpy as np

from plateau_cause.config.recipe import Triple
from plateau_cause.images.expectation import Expectation

MOST_PIXELS = 200_000
GRAY_FRAC = 1e-3  # least spread of a colour direction, relative to the brightness's, that can be identified
NEGLIGIBLE = 1e-3  # share of the variance that one input per output may explain less than all three
RGB, BGR = (0, 1, 2), (2, 1, 0)
ORDERS: list[tuple[int, ...]] = list(permutations(range(3)))
TOLERANCE = 0.03  # of mean and std, in unit scale
NOTHING = 1e-9  # slope below which no image is left
AFFINE_R_SQUARED = 0.98  # below it an affine map does not describe the preprocessing
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
SCALES = {"unit": 1.0, "byte": 255.0, "divided_twice": 1 / 255.0}
PLAUSIBLE_STD = (0.03, 4.0)  # of unit-scale pixels: what else divides by is a scale, not a standard deviation


class Sources(NamedTuple):
    """For each output channel the input it comes from, and whether that can be told at all."""

    channels: str
    gains: np.ndarray  # (3,) signed slope of each output against its input
    offsets: np.ndarray  # (3,)


@dataclass(frozen=True)
class Identification:
    """value = (scaled pixel - mean) / std, with everything that was recovered.

    Attributes:
        matrix, offset: the fit t = A x + b on RGB pixels 0..1; (3, 3) and (3,) as nested tuples.
        r_squared: share of the tensor's variance that the affine map explains.
        scale: unit (0..1) | byte (0..255) | divided_twice (0..1/255).
        mean, std: in the unit that `scale` yields, per output channel; (0, 0, 0) and (1, 1, 1) are "none".
        channels: rgb | bgr | permuted | gray (converted to gray) | mixed | unidentifiable (the images are
            gray: the order of the channels is then harmless too).
        is_inverted: bright became dark.
    """

    matrix: tuple[Triple, Triple, Triple]
    offset: Triple
    r_squared: float
    scale: str
    mean: Triple
    std: Triple
    channels: str
    is_inverted: bool

    @property
    def is_affine(self) -> bool:
        """Whether the affine map describes the preprocessing: where not, the other fields mean little."""
        return self.r_squared >= AFFINE_R_SQUARED

    def describe(self, expects: Expectation | None = None) -> tuple[str, ...]:
        """Returns what is wrong in words, empty where nothing is.

        Args:
            expects: what the weights expect; without it only what is wrong for any weights is said.
        """
        if not np.any(np.abs(self.matrix) > NOTHING):
            return ("constant: nothing of the image is left in the tensor",)
        if not self.is_affine:
            return (
                f"not an affine map of the pixels (R² {self.r_squared:.2f}): another resize, or not linear",
            )
        words = {
            "bgr": "BGR instead of RGB",
            "permuted": "colour channels in another order than RGB",
            "gray": "converted to gray",
            "mixed": "colour channels mixed",
        }
        said = [words[self.channels]] if self.channels in words else []
        said += ["inverted (bright became dark)"] if self.is_inverted else []
        return (*said, *_scale_words(self.scale), *_normalization_words(self, expects))


def identify(transformed: np.ndarray, canonical01: np.ndarray) -> Identification:
    """Returns the affine map from pixels to the user's tensor, and what it means.

    Args:
        transformed: the user's tensors (N, 3, S, S), float, without random augmentation.
        canonical01: RGB pixels 0..1 of the same images after the same spatial operations, (N, 3, S, S).

    Raises:
        ValueError: the shapes differ.
    """
    if transformed.shape != canonical01.shape:
        raise ValueError(f"shapes differ: {transformed.shape} and {canonical01.shape}")
    outputs, inputs = _pixels(transformed), _pixels(canonical01)  # (P, 3) each
    matrix, offset = fit(inputs, outputs)
    residual = outputs - inputs @ matrix.T - offset
    spread = float(((outputs - outputs.mean(axis=0)) ** 2).sum())
    sources = _sources(inputs, outputs, matrix, offset)
    is_inverted = bool((sources.gains < 0).all())
    gains = np.abs(sources.gains)
    shift = sources.offsets - (gains if is_inverted else 0.0)  # t = -g x + b = g (1 - x) + (b - g)
    scale = _scale(gains)
    std = SCALES[scale] / np.maximum(gains, 1e-12)
    return Identification(
        matrix=(_triple(matrix[0]), _triple(matrix[1]), _triple(matrix[2])),
        offset=_triple(offset),
        r_squared=1.0 - float((residual**2).sum()) / spread if spread > 0 else 0.0,
        scale=scale,
        mean=_triple(-shift * std),
        std=_triple(std),
        channels=sources.channels,
        is_inverted=is_inverted,
    )


def fit(inputs: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns A (3, 3) and b (3,) of the smallest-norm least-squares fit of outputs = inputs Aᵀ + b.

    Gray images have one direction only: A's rows are then spread evenly over the channels.
    """
    center_in, center_out = inputs.mean(axis=0), outputs.mean(axis=0)
    directions, spreads, axes = np.linalg.svd(inputs - center_in, full_matrices=False)
    rank = int((spreads > GRAY_FRAC * spreads[0]).sum()) if spreads[0] > 0 else 0
    solved = (directions[:, :rank].T @ (outputs - center_out)) / spreads[:rank, None]  # (rank, 3)
    matrix = (axes[:rank].T @ solved).T
    return matrix, center_out - matrix @ center_in


def _sources(inputs: np.ndarray, outputs: np.ndarray, matrix: np.ndarray, offset: np.ndarray) -> Sources:
    """One input channel per output where that explains as much as all three; gray or mixed otherwise."""
    centered_in, centered_out = inputs - inputs.mean(axis=0), outputs - outputs.mean(axis=0)
    covariance = centered_out.T @ centered_in  # (3 outputs, 3 inputs)
    power = (centered_in**2).sum(axis=0)
    varies = power > GRAY_FRAC**2 * power.max()
    slopes = covariance / np.where(varies, power, np.inf)
    best = ((centered_in @ matrix.T) ** 2).sum()
    total = float((centered_out**2).sum())
    explained = {p: sum(slopes[c, j] * covariance[c, j] for c, j in enumerate(p)) for p in ORDERS}
    fitting = sorted(
        (p for p, e in explained.items() if e >= best - NEGLIGIBLE * total), key=lambda p: p != RGB
    )
    if not fitting:
        singular = np.linalg.svd(matrix, compute_uv=False)
        return Sources("gray" if singular[1] < 0.05 * singular[0] else "mixed", matrix.sum(axis=1), offset)
    order = fitting[0] if RGB in fitting else max(fitting, key=explained.__getitem__)
    known = [slopes[c, j] for c, j in enumerate(order) if varies[j]] or [1.0]
    gains = np.array([slopes[c, j] if varies[j] else np.median(known) for c, j in enumerate(order)])
    offsets = outputs.mean(axis=0) - gains * inputs.mean(axis=0)[list(order)]
    if RGB in fitting and BGR in fitting:
        return Sources("unidentifiable", gains, offsets)
    return Sources("rgb" if order == RGB else "bgr" if order == BGR else "permuted", gains, offsets)


def _scale(gains: np.ndarray) -> str:
    """Returns the scale under which the gain is one over a plausible standard deviation, or one."""
    gain = float(np.median(gains))
    for name, factor in SCALES.items():
        if PLAUSIBLE_STD[0] <= factor / max(gain, 1e-12) <= PLAUSIBLE_STD[1]:
            return name
    return "unit"


def _scale_words(scale: str) -> list[str]:
    words = {
        "byte": "pixel values 0..255 instead of 0..1 (not divided by 255)",
        "divided_twice": "divided by 255 twice",
    }
    return [words[scale]] if scale in words else []


def _normalization_words(found: Identification, expects: Expectation | None) -> list[str]:
    given = (found.mean, found.std)
    if expects is not None and _is_expected(found, expects):
        return []
    if _near(given, ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))):
        return ["not normalised (no mean subtracted, not divided by the std)"]
    if expects is None:
        return []
    if _near(given, twice(expects)):
        return ["normalised twice"]
    if _near(given, ((0.0, 0.0, 0.0), expects.std)):
        return ["mean not subtracted"]
    if _near(given, (expects.mean, (1.0, 1.0, 1.0))):
        return ["not divided by the std"]
    return [f"normalised with {_name(*given)} instead of {_name(expects.mean, expects.std)}"]


def twice(expects: Expectation) -> tuple[Triple, Triple]:
    """Returns the mean and std that normalising with `expects` twice amounts to."""
    mean, std = np.array(expects.mean), np.array(expects.std)
    return _triple(mean + std * mean), _triple(std * std)


def _is_expected(found: Identification, expects: Expectation) -> bool:
    """With channels swapped the numbers may belong to the position or to the colour: both are right."""
    straight = _near((found.mean, found.std), (expects.mean, expects.std))
    swapped = _near((found.mean[::-1], found.std[::-1]), (expects.mean, expects.std))
    return straight or (found.channels == "bgr" and swapped)


def _name(mean: Triple, std: Triple) -> str:
    for name, known in (("ImageNet's mean and std", IMAGENET), ("mean and std 0.5", HALF)):
        if _near((mean, std), known):
            return name
    return "mean {:.3g}, {:.3g}, {:.3g} and std {:.3g}, {:.3g}, {:.3g}".format(*mean, *std)


def _near(given: tuple[Triple, Triple], expected: tuple[Triple, Triple]) -> bool:
    return bool(np.allclose(given, expected, rtol=TOLERANCE, atol=TOLERANCE))


def _pixels(images: np.ndarray) -> np.ndarray:
    """Returns at most MOST_PIXELS evenly spaced pixels (P, 3) float64 of images (N, 3, S, S)."""
    flat = images.transpose(0, 2, 3, 1).reshape(-1, images.shape[1])
    return flat[:: max(1, len(flat) // MOST_PIXELS)].astype(np.float64)


def _triple(values: np.ndarray) -> Triple:
    first, second, third = (float(value) for value in values)
    return first, second, third
