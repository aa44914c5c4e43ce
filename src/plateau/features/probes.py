"""What the frozen features alone can tell: k nearest neighbours and the linear probe, in units of accuracy.

One backbone and one data set: ranking scores such as LogME or LEEP say little here (arXiv 2510.06448), while
these two are accuracies and stand beside the recipe's own (METHODS section 2).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from plateau.errors import PlateauError
from plateau.features.neighbors import nearest, positions, votes

KS = (5, 10, 20)
GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # scikit-learn's C on standardised features, strongest penalty first
ABSENT_BIAS = -30.0  # logit of a class without a training image: the others sum to zero, so it never wins


@dataclass(frozen=True)
class LinearProbe:
    """A multinomial logistic regression on frozen features, in the raw feature space.

    Attributes:
        weight: (C, D) float32 and
        bias: (C,) float32: logits are `features @ weight.T + bias`, ready to initialise a head (LP-FT).
        regularization: the C that won on validation: inverse L2 penalty on standardised features, summed loss.
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
    """

    k: int
    accuracy: Mapping[str, float]
    by_k: Mapping[int, float]
    one_nn_error: float
    predictions: np.ndarray


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
        train, val, test: row numbers.
        num_classes: C.
    """
    _check(features[np.concatenate([train, val, test])])
    everything = np.arange(len(features))
    found, similarity = nearest(features, features[train], max(KS), positions(everything, train))
    labels = targets[train][found]  # (N, k)
    guesses = {k: votes(labels[:, :k], similarity[:, :k], num_classes).argmax(1) for k in KS}
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
    )


def linear_probe(
    features: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    val: np.ndarray,
    num_classes: int,
    test: np.ndarray | None = None,
) -> LinearProbe:
    """Returns the linear probe: L2-penalised multinomial logistic regression, its penalty chosen on validation.

    Args:
        features: (N, D); rows in no split are only predicted.
        targets: (N,) int64.
        train, val, test: row numbers; without validation rows the middle of the grid is taken.
        num_classes: C; classes without a training image get weight 0 and are never predicted.

    Raises:
        PlateauError: a feature is not a finite number.
    """
    _check(features[train])
    candidates = _path(features[train], targets[train], num_classes, GRID)
    best = GRID[len(GRID) // 2]
    if len(val):
        best = max(GRID, key=lambda c: _merit(candidates[c], features[val], targets[val]))
    weight, bias = candidates[best]
    probabilities = _probabilities(features, weight, bias)
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
    weight, bias = _path(features[train], targets[train], num_classes, (penalty,))[penalty]
    return _probabilities(features[rows], weight, bias)


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
        folds: number of folds.
        seed: of the division.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    result = np.zeros((len(rows), num_classes), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # a class smaller than the number of folds: still divided
        own_groups = None if groups is None else groups[rows]
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


def _path(
    features: np.ndarray, targets: np.ndarray, num_classes: int, grid: tuple[float, ...]
) -> dict[float, tuple[np.ndarray, np.ndarray]]:
    """Returns (weight, bias) in raw feature space per C; each fit starts from the last one's solution."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, std = features.mean(0, dtype=np.float64), features.std(0, dtype=np.float64)
    std = np.where(std > 1e-6 * (np.abs(mean) + std), std, np.inf)  # a constant feature has no say
    standard = ((features - mean) / std).astype(np.float32)  # (n, D)
    if len(np.unique(targets)) == 1:
        return dict.fromkeys(grid, _only_class(int(targets[0]), num_classes, features.shape[1]))
    model, result = LogisticRegression(warm_start=True, max_iter=500), {}
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # 500 steps are where separable classes stop mattering
        for penalty in grid:
            model.set_params(C=penalty).fit(standard, targets)
            result[penalty] = _raw(model, mean, std, num_classes)
    return result


def _raw(model: object, mean: np.ndarray, std: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the fitted weight (C, D) and bias (C,) folded back to features that are not standardised."""
    coefficients, intercepts, present = model.coef_, model.intercept_, model.classes_  # type: ignore[attr-defined]
    if len(present) == 2:  # scikit-learn keeps one row for two classes: halves with both signs say the same
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    weight, bias = np.zeros((num_classes, len(mean))), np.full(num_classes, ABSENT_BIAS)
    weight[present] = coefficients / std
    bias[present] = intercepts - (coefficients / std) @ mean
    return weight.astype(np.float32), bias.astype(np.float32)


def _only_class(target: int, num_classes: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    bias = np.full(num_classes, ABSENT_BIAS, np.float32)
    bias[target] = 0.0
    return np.zeros((num_classes, width), np.float32), bias


def _probabilities(features: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    logits = features @ weight.T + bias  # (N, C)
    logits -= logits.max(1, keepdims=True)
    exponent = np.exp(logits)
    return np.asarray(exponent / exponent.sum(1, keepdims=True), np.float32)


def _merit(
    candidate: tuple[np.ndarray, np.ndarray], features: np.ndarray, targets: np.ndarray
) -> tuple[float, float]:
    """Accuracy first; where it ties, the mean log-probability of the right class."""
    probabilities = _probabilities(features, *candidate)
    right = probabilities[np.arange(len(targets)), targets]
    return float((probabilities.argmax(1) == targets).mean()), float(np.log(right + 1e-12).mean())


def _accuracy(predictions: np.ndarray, targets: np.ndarray, rows: np.ndarray) -> float:
    return float((predictions[rows] == targets[rows]).mean()) if len(rows) else float("nan")


def _check(features: np.ndarray) -> None:
    if not np.isfinite(features).all():
        raise PlateauError("backbone.weights: the backbone gives features that are not finite numbers")
