"""Confident learning: the joint of given and true label, and which labels to doubt (arXiv 1911.00068).

The same estimators as the cleanlab package's `estimate_joint` and `prune_by_noise_rate`, which a test
compares with; written out because they are two short functions, run on a machine without it, and take classes
without images.
"""

from __future__ import annotations

import numpy as np


def estimate_joint(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Returns the joint (C, C) of given (rows) and true (columns) label; sums to 1.

    An image counts as truly k where its probability of k reaches the mean probability of k among the images
    labelled k; where several classes do, the most probable one.

    Args:
        labels: (n,) given.
        probabilities: (n, C) from a model that has not seen the image.
    """
    num_classes = probabilities.shape[1]
    given = np.bincount(labels, minlength=num_classes)  # (C,)
    own = probabilities[np.arange(len(labels)), labels]
    sums = np.bincount(labels, own, num_classes)
    threshold = np.divide(sums, given, out=np.full(num_classes, np.inf), where=given > 0)
    confident = probabilities >= threshold - 1e-6  # (n, C)
    several = confident.sum(1) > 1
    true = np.where(several, probabilities.argmax(1), confident.argmax(1))
    counted = confident.any(1)
    counts = np.zeros((num_classes, num_classes))
    np.add.at(counts, (labels[counted], true[counted]), 1.0)
    present = np.flatnonzero(given)
    counts[present, present] = np.maximum(counts[present, present], 1.0)
    rows = counts.sum(1, keepdims=True)
    scaled = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0) * given[:, None]
    return np.asarray(scaled / scaled.sum())


def doubtful(labels: np.ndarray, probabilities: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Returns positions of doubted labels, the least self-confident first ("prune by noise rate").

    Of every pair (given, true) as many images as the joint says, those whose probabilities differ most.
    """
    flagged = np.zeros(len(labels), bool)
    wanted = np.rint(joint * len(labels)).astype(np.int64)
    for given, true in zip(*np.nonzero(wanted), strict=True):
        if given != true:
            members = np.flatnonzero(labels == given)
            margin = probabilities[members, true] - probabilities[members, given]
            flagged[members[np.argsort(-margin, kind="stable")[: wanted[given, true]]]] = True
    found = np.flatnonzero(flagged & (probabilities.argmax(1) != labels))
    return np.asarray(found[np.argsort(probabilities[found, labels[found]], kind="stable")])


def told_apart(joint: np.ndarray) -> float:
    """Returns how far a model tells classes apart: the mean share of a class that it finds, 0 at chance.

    Where it hardly does, as of a class that is too rare to be learned, what contradicts a label is the model.

    Args:
        joint: (C, C) of given (rows) and true (columns) label.
    """
    if len(joint) < 2:
        return 0.0
    given = joint.sum(axis=1)
    found = np.diag(joint)[given > 0] / given[given > 0]
    chance = 1.0 / len(joint)
    return float((found.mean() - chance) / (1.0 - chance))
