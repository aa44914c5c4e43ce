"""What the frozen features alone can tell: k nearest neighbours and the linear probe, in units of accuracy.

One backbone and one data set: ranking scores such as LogME or LEEP say little here (arXiv 2510.06448), while
these two are accuracies and stand beside the recipe's own.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from plateau_cause.errors import PlateauError
from plateau_cause.features.logistic import fit_path, probabilities_of
from plateau_cause.features.neighbors import Nearest, nearest_in, votes
from plateau_cause.images import sample
from plateau_cause.images.sample import stratified_sample

KS = (5, 10, 20)
GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # scikit-learn's C on standardised features, strongest penalty first


@dataclass(frozen=True)
class LinearProbe:
    """A multinomial logistic regression on frozen features, in the raw feature space.

    Attributes:
        weight: (C, D) float32 and
        bias: (C,) float32: logits are `features @ weight.T + bias`, ready to initialise a head (LP-FT).
        regularization: the C that won on validation: inverse L2 penalty on standardised features, summed
            loss.
        accuracy: per split that was given, 0..1.
        probabilities: (N, C) float32 for every row, seen in training or not.
    """

    weight: np.ndarray
    bias: np.ndarray
    regularization: float
    accuracy: Mapping[str, float]
    probabilities: np.ndarray

    @property
    def predictions(self) -> np.ndarray:
        """Returns the most probable class of every row (N,) int64."""
        return np.asarray(self.probabilities.argmax(1), np.int64)


@dataclass(frozen=True)
class KnnProbe:
    """Nearest neighbours in the training split, by cosine similarity.

    Attributes:
        k: neighbours that won on validation.
        accuracy: per split, 0..1; the training split leaves each image itself out.
        by_k: accuracy on validation per k.
        one_nn_error: error of the single nearest neighbour over val and test, 0..1.
        predictions: (N,) int64.
        nearest: the training images that are most similar to each image, for whoever asks after them.
    """

    k: int
    accuracy: Mapping[str, float]
    by_k: Mapping[int, float]
    one_nn_error: float
    predictions: np.ndarray
    nearest: Nearest


def knn_probe(
    features: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    val: np.ndarray,
    test: np.ndarray,
    num_classes: int,
) -> KnnProbe:
    """Returns the accuracy of k nearest neighbours among the training images; k from 5, 10, 20 by validation.

    Args:
        features: (N, D).
        targets: (N,) int64.
        train: row numbers of the neighbours.
        val: row numbers that choose k.
        test: row numbers, for their accuracy only.
        num_classes: C.
    """
    _check(features[np.concatenate([train, val, test])])
    near = nearest_in(features, train, max(KS))
    labels = targets[near.rows]  # (N, k)
    guesses = {k: votes(labels[:, :k], near.similarity[:, :k], num_classes).argmax(1) for k in KS}
    by_k = {k: _accuracy(guess, targets, val) for k, guess in guesses.items()}
    k = max(KS, key=lambda candidate: (by_k[candidate], -candidate))
    splits = {"train": train, "val": val, "test": test}
    held_out = np.concatenate([val, test])
    return KnnProbe(
        k=k,
        accuracy={name: _accuracy(guesses[k], targets, rows) for name, rows in splits.items()},
        by_k=by_k,
        one_nn_error=1.0 - _accuracy(labels[:, 0], targets, held_out),
        predictions=np.asarray(guesses[k], np.int64),
        nearest=near,
    )


def linear_probe(
    features: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    val: np.ndarray,
    num_classes: int,
    test: np.ndarray | None = None,
) -> LinearProbe:
    """Returns the linear probe: L2-penalised logistic regression, its penalty chosen on validation.

    Args:
        features: (N, D); rows in no split are only predicted.
        targets: (N,) int64.
        train: row numbers that are fitted; of many a sample (`images.sample.SIZE`).
        val: row numbers that choose the penalty, likewise; without any the middle of the grid is taken.
        num_classes: C; classes without a training image get weight 0 and are never predicted.
        test: row numbers, for their accuracy only.

    Raises:
        PlateauError: a feature is not a finite number.
    """
    seen, judged = _few(targets, train), _few(targets, val)
    _check(features[seen])
    candidates = fit_path(features[seen], targets[seen], num_classes, GRID)
    best = GRID[len(GRID) // 2]
    if len(val):
        best = max(GRID, key=lambda c: _merit(candidates[c], features[judged], targets[judged]))
    weight, bias = candidates[best]
    probabilities = probabilities_of(features, weight, bias)
    splits = {"train": train, "val": val} | ({} if test is None else {"test": test})
    accuracy = {name: _accuracy(probabilities.argmax(1), targets, rows) for name, rows in splits.items()}
    return LinearProbe(weight, bias, best, accuracy, probabilities)


def fit_predict(
    features: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    rows: np.ndarray,
    num_classes: int,
    penalty: float,
) -> np.ndarray:
    """Returns class probabilities (n, C) of `rows` from a probe fitted on `train` with a known C."""
    weight, bias = fit_path(features[train], targets[train], num_classes, (penalty,))[penalty]
    return probabilities_of(features[rows], weight, bias)


def out_of_fold(
    features: np.ndarray,
    targets: np.ndarray,
    rows: np.ndarray,
    num_classes: int,
    penalty: float,
    groups: np.ndarray | None = None,
    folds: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """Returns class probabilities (n, C) of `rows`, each from a probe that has not seen it (nor its group).

    Args:
        features: (N, D).
        targets: (N,) int64.
        rows: (n,) row numbers that are divided into stratified folds.
        num_classes: C.
        penalty: the C of the logistic regression, from `linear_probe`.
        groups: (N,) group names, or None.
        folds: number of folds at most; as many as the largest class has images where that is fewer.
        seed: of the division.

    Where no two images of any class can be divided, every class is as probable as the others.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    result = np.full((len(rows), num_classes), 1.0 / num_classes, np.float32)
    own_groups = None if groups is None else groups[rows]
    folds = min(folds, int(np.bincount(targets[rows]).max()))
    if own_groups is not None:
        folds = min(folds, len(set(own_groups)))
    if folds < 2:
        return result
    with warnings.catch_warnings():
        # A class smaller than the number of folds: still divided
        warnings.simplefilter("ignore", UserWarning)
        divided = kind(folds, shuffle=True, random_state=seed).split(rows, targets[rows], own_groups)
        for seen, unseen in divided:
            result[unseen] = fit_predict(features, targets, rows[seen], rows[unseen], num_classes, penalty)
    return result


def bayes_error_bound(one_nn_error: float, num_classes: int) -> float:
    """Returns a lower bound of the Bayes error, 0..1, from the error of one nearest neighbour.

    Cover and Hart (1967), inverted: R* >= (C-1)/C (1 - sqrt(1 - C/(C-1) R_1NN)). Exact for endless data only.
    """
    share = (num_classes - 1) / num_classes
    return float(share * (1.0 - np.sqrt(max(0.0, 1.0 - one_nn_error / share))))


def _few(targets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns the rows, or a stratified sample of them where they are many."""
    found: np.ndarray = rows[stratified_sample(targets[rows], np.zeros(len(rows), np.int8), sample.SIZE)]
    return found


def _merit(
    candidate: tuple[np.ndarray, np.ndarray], features: np.ndarray, targets: np.ndarray
) -> tuple[float, float]:
    """Accuracy first; where it ties, the mean log-probability of the right class."""
    probabilities = probabilities_of(features, *candidate)
    right = probabilities[np.arange(len(targets)), targets]
    return float((probabilities.argmax(1) == targets).mean()), float(np.log(right + 1e-12).mean())


def _accuracy(predictions: np.ndarray, targets: np.ndarray, rows: np.ndarray) -> float:
    return float((predictions[rows] == targets[rows]).mean()) if len(rows) else float("nan")


def _check(features: np.ndarray) -> None:
    if not np.isfinite(features).all():
        raise PlateauError("backbone.weights: the backbone gives features that are not finite numbers")
