"""Which labels look wrong, how many there are, and whether it is noise or classes that overlap.

Confident learning (Northcutt et al. 2021, arXiv 1911.00068) finds labels that an
out-of-sample classifier contradicts. With weak features it takes overlap for noise: a clean mixture with a
Bayes error of 0.4 gets 28 % of its labels flagged. So a flagged image counts as noise only where it lies deep
inside the class that is suggested instead (k nearest neighbours after one vote, as in SimiFeat, Zhu et al.
2022, arXiv 2110.06283): that leaves 2 % of the same mixture and 90 % of 30 % planted flips on the digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plateau_cause.features.confident_learning import doubtful, estimate_joint
from plateau_cause.features.neighbors import Nearest, votes

DEEP = 0.7  # share of neighbours in the suggested class from which an image lies deep inside it (METHODS 4)
NEIGHBOURS = 10
RESAMPLES = 100


@dataclass(frozen=True)
class LabelNoise:
    """The evidence against the labels of some rows.

    Attributes:
        rows: (f,) flagged row numbers, the most doubtful first.
        suggested: (f,) class that the image looks like.
        score: (f,) 0..1, 1 = surely not the given label: 1 - self-confidence.
        purity: (f,) share of the nearest neighbours in the suggested class, 0..1.
        is_noise: (f,) True where deep inside the suggested class, False where classes overlap.
        rate: share of wrong labels, 0..1: confident-learning mass times the share of flags that are noise.
        interval: 95 % bootstrap interval; its upper end counts overlap as noise, because features alone
            cannot tell noise between two overlapping classes from the overlap.
        overlap_rate: share of images flagged between classes rather than inside another one, 0..1.
        joint: (C, C) estimated joint of given (rows) and true (columns) label, sums to 1.
        concentration: 0 = confusions spread evenly over all pairs of classes, 1 = all in one direction of one
            pair.
        symmetry: share of the confusion mass that is matched by its opposite, 0..1 (overlap is symmetric).
    """

    rows: np.ndarray
    suggested: np.ndarray
    score: np.ndarray
    purity: np.ndarray
    is_noise: np.ndarray
    rate: float
    interval: tuple[float, float]
    overlap_rate: float
    joint: np.ndarray
    concentration: float
    symmetry: float


def label_noise(
    probabilities: np.ndarray, near: Nearest, targets: np.ndarray, rows: np.ndarray, seed: int = 0
) -> LabelNoise:
    """Returns the evidence of wrong labels among `rows`.

    Args:
        probabilities: (n, C) of `rows`, from a model that has not seen them (`probes.out_of_fold`).
        near: neighbours of all N images, whose labels vouch: training images, whatever `rows` is, so that no
            label of the test split ever decides about a training image.
        targets: (N,) given labels.
        rows: (n,) row numbers under suspicion.
        seed: of the bootstrap.
    """
    labels = targets[rows]
    joint = estimate_joint(labels, probabilities)
    flagged = doubtful(labels, probabilities, joint)  # positions in rows
    suggested = probabilities[flagged].argmax(1).astype(np.int64)
    purity = _purity(near, targets, rows[flagged], suggested, probabilities.shape[1])
    is_noise = purity >= DEEP
    share = float(is_noise.mean()) if len(flagged) else 0.0
    total = float(1.0 - np.trace(joint))
    low, high = _interval(labels, probabilities, seed)
    confusion = joint - np.diag(np.diag(joint))
    return LabelNoise(
        rows=rows[flagged],
        suggested=suggested,
        score=1.0 - probabilities[flagged, labels[flagged]],
        purity=purity,
        is_noise=is_noise,
        rate=total * share,
        interval=(low * share, high),
        overlap_rate=float((~is_noise).sum() / max(1, len(rows))),
        joint=joint,
        concentration=_concentration(confusion),
        symmetry=float(np.minimum(confusion, confusion.T).sum() / confusion.sum())
        if confusion.sum() > 0
        else 0.0,
    )


def neighbour_purity(near: Nearest, targets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns (n,) the share of each row's nearest neighbours that carry its own label, 0..1."""
    found = near.rows[rows, :NEIGHBOURS]
    return np.asarray((targets[found] == targets[rows][:, None]).mean(1))


def _purity(
    near: Nearest, targets: np.ndarray, rows: np.ndarray, suggested: np.ndarray, num_classes: int
) -> np.ndarray:
    """Returns the share of each row's neighbours whose own neighbours vote for the suggested class."""
    closest, similarity = near.rows[:, :NEIGHBOURS], near.similarity[:, :NEIGHBOURS]
    voted = votes(targets[closest], similarity, num_classes).argmax(1)  # (N,), most wrong labels outvoted
    return np.asarray((voted[closest[rows]] == suggested[:, None]).mean(1))


def _interval(labels: np.ndarray, probabilities: np.ndarray, seed: int) -> tuple[float, float]:
    """Returns the 95 % bootstrap interval of the off-diagonal mass."""
    generator = np.random.default_rng(seed)
    draws = generator.integers(0, len(labels), (RESAMPLES, len(labels)))
    masses = [1.0 - np.trace(estimate_joint(labels[draw], probabilities[draw])) for draw in draws]
    low, high = np.percentile(masses, [2.5, 97.5])
    return float(max(0.0, low)), float(max(0.0, high))


def _concentration(confusion: np.ndarray) -> float:
    """Returns 1 - entropy of the confused pairs over its maximum."""
    cells = confusion[~np.eye(len(confusion), dtype=bool)]
    if cells.sum() <= 0 or len(cells) < 2:
        return 0.0
    share = cells[cells > 0] / cells.sum()
    return float(1.0 + (share * np.log(share)).sum() / np.log(len(cells)))
