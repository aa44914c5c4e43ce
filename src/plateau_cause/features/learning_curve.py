"""Would more images help? Accuracy over training images, on cached features, carried to twice as many.

The error falls as a power law, e(n) = a n^-b + c (Mahmood et al. 2022, arXiv 2207.01725). One fit alone is
not reliable; on EuroSAT the fits with c = 0 and with c free bracketed the truth (METHODS section 3), so both
are reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plateau_cause.features.probes import fit_predict

SIZES = 6
REPEATS = 3
RESAMPLES = 500
EXPONENTS = np.linspace(0.02, 2.0, 60)  # candidates for b


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy over training images, and what twice as many would give.

    Attributes:
        sizes: (S,) training images, log-spaced, the last one is all of them.
        accuracy: (S, R) on the held-out rows per subsample; the last size has one subsample only, repeated.
        forecast: accuracies at twice the images, (low, high): power law with free floor c, and with c = 0.
        gain: forecast minus the accuracy at hand, (low, high), in accuracy.
        gain_interval: 95 % bootstrap interval of the lower gain, over held-out images and subsamples.
    """

    sizes: np.ndarray
    accuracy: np.ndarray
    forecast: tuple[float, float]
    gain: tuple[float, float]
    gain_interval: tuple[float, float]


def learning_curve(
    features: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    held_out: np.ndarray,
    num_classes: int,
    penalty: float,
    seed: int = 0,
) -> LearningCurve:
    """Returns the linear probe's learning curve and its extrapolation to twice the images.

    Args:
        features: (N, D).
        targets: (N,) int64.
        train: rows that subsamples are drawn from, stratified.
        held_out: rows that accuracy is measured on.
        num_classes: C.
        penalty: the C of the logistic regression, from `linear_probe`.
        seed: of the subsamples and the bootstrap.
    """
    generator = np.random.default_rng(seed)
    sizes = _sizes(len(train), num_classes)
    hits = np.zeros((len(sizes), REPEATS, len(held_out)), bool)
    for s, size in enumerate(sizes):
        for r in range(REPEATS if size < len(train) else 1):
            subsample = _stratified(train, targets, int(size), generator)
            guess = fit_predict(features, targets, subsample, held_out, num_classes, penalty).argmax(1)
            hits[s, r] = guess == targets[held_out]
    hits[sizes == len(train), 1:] = hits[sizes == len(train), :1]
    return extrapolate(sizes, hits, generator)


def extrapolate(sizes: np.ndarray, hits: np.ndarray, generator: np.random.Generator) -> LearningCurve:
    """Returns the curve carried to twice the largest size.

    Args:
        sizes: (S,) training images.
        hits: (S, R, T) booleans: held-out image t right under subsample r of that size.
        generator: of the bootstrap.
    """
    errors = 1.0 - hits.mean((1, 2))[None]  # (1, S)
    double = 2.0 * sizes[-1]
    forecasts = 1.0 - _fits(sizes, errors, double)[0]
    low, high = float(forecasts.min()), float(forecasts.max())
    now = float(1.0 - errors[0, -1])
    resampled = _resample(hits, generator)  # (B, S)
    gains = resampled[:, -1] - _fits(sizes, resampled, double).max(1)
    interval = np.percentile(gains, [2.5, 97.5])
    return LearningCurve(
        sizes=sizes,
        accuracy=hits.mean(2),
        forecast=(low, high),
        gain=(low - now, high - now),
        gain_interval=(float(interval[0]), float(interval[1])),
    )


def _sizes(n: int, num_classes: int) -> np.ndarray:
    smallest = min(n, max(2 * num_classes, n // 20))
    return np.unique(np.geomspace(smallest, n, SIZES).round().astype(np.int64))


def _stratified(
    rows: np.ndarray, targets: np.ndarray, size: int, generator: np.random.Generator
) -> np.ndarray:
    """Returns about `size` rows with each class in its proportion, at least one of each."""
    if size >= len(rows):
        return rows
    taken = []
    for target in np.unique(targets[rows]):
        members = generator.permutation(rows[targets[rows] == target])
        taken.append(members[: max(1, round(size * len(members) / len(rows)))])
    return np.sort(np.concatenate(taken))


def _resample(hits: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns bootstrap errors (B, S): the same images at every size, subsamples drawn anew per size."""
    s, r, t = hits.shape
    images = generator.multinomial(t, np.full(t, 1.0 / t), RESAMPLES)  # (B, T) how often each image is drawn
    errors = 1.0 - np.einsum("srt,bt->bsr", hits.astype(np.float32), images.astype(np.float32)) / t
    chosen = generator.integers(0, r, (RESAMPLES, s, r))
    return np.asarray(np.take_along_axis(errors, chosen, 2).mean(2))


def _fits(sizes: np.ndarray, errors: np.ndarray, at: float) -> np.ndarray:
    """Returns errors (B, 2) at size `at` by a n^-b and by a n^-b + c: least squares, a and c >= 0."""
    scale = sizes / sizes[-1]
    basis = scale[None] ** -EXPONENTS[:, None]  # (E, S)
    target = (at / sizes[-1]) ** -EXPONENTS  # (E,)
    mean_e, mean_x = errors.mean(1)[:, None], basis.mean(1)[None]  # (B, 1), (1, E)
    through_zero = (errors @ basis.T) / (basis**2).sum(1)  # (B, E): a where c = 0
    spread = ((basis - mean_x.T) ** 2).sum(1) + 1e-12
    slope = np.clip((errors - mean_e) @ (basis - mean_x.T).T / spread, 0.0, None)  # (B, E)
    floor = mean_e - slope * mean_x
    slope, floor = np.where(floor < 0, np.clip(through_zero, 0, None), slope), np.clip(floor, 0, None)
    zero = _best(errors, np.clip(through_zero, 0, None), np.zeros_like(floor), basis, target)
    return np.stack([zero, _best(errors, slope, floor, basis, target)], axis=1)


def _best(
    errors: np.ndarray, slope: np.ndarray, floor: np.ndarray, basis: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Returns each curve's prediction (B,) under the exponent that fits it best."""
    predicted = slope[:, :, None] * basis[None] + floor[:, :, None]  # (B, E, S)
    best = ((predicted - errors[:, None]) ** 2).sum(2).argmin(1)  # (B,)
    row = np.arange(len(errors))
    return np.asarray(slope[row, best] * target[best] + floor[row, best])
