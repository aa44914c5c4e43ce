"""Which class of one split stands for which of another, by what is taken for what."""

from __future__ import annotations

import numpy as np

SUSPECT, ERRORS = 0.1, 3.0  # accuracy that a mapping must gain to be asked about, and standard errors of it


def best_mapping(predictions: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns (C,) for each predicted class the label it stands for: the one-to-one mapping with most hits.

    A class keeps its own name unless another fits better (Kuhn's assignment on the confusion counts).
    """
    from scipy.optimize import linear_sum_assignment  # a second to import, for the few that ask

    counts = np.zeros((classes, classes))
    np.add.at(counts, (predictions, labels), 1)
    _, mapping = linear_sum_assignment(-(counts + 0.5 * np.eye(classes)))
    return np.asarray(mapping)
