"""Do two sets of features come from one distribution, and how far apart are they?

Every test permutes labels within the pooled sample, and every reducer is fitted on the pool: PCA fitted on
one side alone rejects every true null. p-values are (1 + #{as extreme}) / (1 + permutations): never 0. A
p-value is only a gate; the effect sizes are `auc` and `distance_sd`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PERMUTATIONS = 200
COMPONENTS = 50
MOST_ROWS = 1000  # per side: the tests have all the power they need, and cost n^2
RIDGE = 1e-2  # relative to the mean variance


@dataclass(frozen=True)
class TwoSample:
    """One test.

    Attributes:
        statistic: what the test measures (MMD^2, AUC).
        interval: 95 % interval of the statistic, or (nan, nan) where the test has none.
        p_value: by permutation.
    """

    statistic: float
    interval: tuple[float, float]
    p_value: float


@dataclass(frozen=True)
class Shift:
    """All that is measured between two sets of features.

    Attributes:
        mmd: maximum mean discrepancy.
        classifier: classifier two-sample test; its statistic is the AUC, 0.5 = indistinguishable.
        distance_sd: distance of the means in standard deviations of the pooled components, sampling error
            removed.
        classes: per class MMD with Holm-adjusted p-values, where both sides have images of it.
        sizes: rows compared on each side.
    """

    mmd: TwoSample
    classifier: TwoSample
    distance_sd: float
    classes: dict[int, TwoSample]
    sizes: tuple[int, int]


def compare(
    first: np.ndarray,
    second: np.ndarray,
    targets: tuple[np.ndarray, np.ndarray] | None = None,
    seed: int = 0,
) -> Shift:
    """Returns the shift between two sets of features (n, D) and (m, D) of different images.

    Args:
        first: features; at most MOST_ROWS seeded rows of each side are used.
        second: features.
        targets: (n,) and (m,) classes for the test per class, or None for no such test.
        seed: of subsample and permutations: the same seed gives the same p-value.
    """
    generator = np.random.default_rng(seed)
    rows = [np.sort(generator.permutation(len(side))[:MOST_ROWS]) for side in (first, second)]
    a, b = pooled_pca([first[rows[0]], second[rows[1]]])
    classes: dict[int, TwoSample] = {}
    if targets is not None:
        classes = per_class(a, b, targets[0][rows[0]], targets[1][rows[1]], seed=seed)
    return Shift(
        mmd=mmd(a, b, seed=seed),
        classifier=classifier_test(a, b, seed=seed),
        distance_sd=mean_distance(a, b),
        classes=classes,
        sizes=(len(a), len(b)),
    )


def pooled_pca(parts: Sequence[np.ndarray], components: int = COMPONENTS) -> list[np.ndarray]:
    """Returns every part (n_i, d) in principal components of all parts together, d <= `components`."""
    from sklearn.decomposition import PCA

    pool = np.concatenate(parts).astype(np.float32)
    count = min(components, pool.shape[1], len(pool) - 1)
    small = min(pool.shape) < 500
    solver = PCA(count, svd_solver="full" if small else "randomized", random_state=0)
    reduced = solver.fit_transform(pool)
    return np.split(reduced, np.cumsum([len(part) for part in parts])[:-1])


def mmd(first: np.ndarray, second: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0) -> TwoSample:
    """Returns the unbiased MMD^2, Gaussian kernel, median heuristic (Gretton et al. 2012, JMLR 13, eq. 3).

    The kernel's width is the median distance of the pool, not of one side, so that relabelling leaves it
    alone. With z = 1 on the first side, every permuted statistic is a quadratic form z'Kz of one Gram matrix:
    one matrix product.
    """
    n, m = len(first), len(second)
    gram = _gram(np.concatenate([first, second]))  # (n+m, n+m), zero diagonal
    # (P+1, n+m), first row as it is
    labels = _permuted(np.arange(n + m) < n, permutations, seed).astype(np.float32)
    products = labels @ gram
    within = (products * labels).sum(1, dtype=np.float64)  # sum of k over pairs inside the first side
    crossed = products.sum(1, dtype=np.float64) - within
    rest = gram.sum(dtype=np.float64) - within - 2 * crossed
    values = within / (n * (n - 1)) + rest / (m * (m - 1)) - 2 * crossed / (n * m)
    return TwoSample(float(values[0]), (float("nan"), float("nan")), _p_value(values))


def classifier_test(
    first: np.ndarray, second: np.ndarray, permutations: int = PERMUTATIONS, folds: int = 5, seed: int = 0
) -> TwoSample:
    """Returns the classifier two-sample test (Lopez-Paz and Oquab 2017): a linear classifier's AUC.

    Fisher's discriminant by ridge regression: its predictions are linear in the labels, so one matrix per
    fold gives all permuted classifiers at once, and the p-value needs no assumption. Labels are permuted
    within folds, which keeps the folds stratified. The interval is Hanley and McNeil's (1982).
    """
    n, m = len(first), len(second)
    x = np.concatenate([first, second]).astype(np.float64)
    generator = np.random.default_rng(seed)
    fold = np.concatenate([generator.permutation(np.arange(size) % folds) for size in (n, m)])
    labels = _permuted(np.arange(n + m) < n, permutations, seed, fold).astype(np.float64)  # (P+1, n+m)
    scores = np.zeros_like(labels)
    for k in range(folds):
        seen, unseen = fold != k, fold == k
        scores[:, unseen] = labels[:, seen] @ _smoother(x[seen], x[unseen]).T
    auc = _auc(scores, labels)
    return TwoSample(float(auc[0]), _hanley_mcneil(float(auc[0]), n, m), _p_value(auc))


def mean_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the distance of the means in pooled within-side standard deviations per component, debiased.

    Components must be uncorrelated (principal components). The expected squared distance under no shift,
    d (1/n + 1/m), is taken off, and nothing below zero is returned.
    """
    n, m = len(first), len(second)
    variance = ((n - 1) * first.var(0, ddof=1) + (m - 1) * second.var(0, ddof=1)) / (n + m - 2)
    squared = (first.mean(0) - second.mean(0)) ** 2 / np.maximum(variance, 1e-12 * variance.max() + 1e-30)
    return float(np.sqrt(max(0.0, squared.sum() - len(squared) * (1 / n + 1 / m))))


def per_class(
    first: np.ndarray,
    second: np.ndarray,
    first_targets: np.ndarray,
    second_targets: np.ndarray,
    seed: int = 0,
) -> dict[int, TwoSample]:
    """Returns the MMD test within each class with 5 images on both sides, p-values adjusted (Holm 1979)."""
    shared = np.intersect1d(first_targets, second_targets)
    pairs = {int(c): (first[first_targets == c], second[second_targets == c]) for c in shared}
    tests = {c: mmd(a, b, seed=seed) for c, (a, b) in pairs.items() if min(len(a), len(b)) >= 5}
    order = sorted(tests, key=lambda c: tests[c].p_value)
    steps = [min(1.0, (len(order) - i) * tests[c].p_value) for i, c in enumerate(order)]
    adjusted = np.maximum.accumulate(np.array(steps, float))
    return {
        c: TwoSample(tests[c].statistic, tests[c].interval, float(p))
        for c, p in zip(order, adjusted, strict=True)
    }


def _gram(x: np.ndarray) -> np.ndarray:
    squared = (x.astype(np.float32) ** 2).sum(1)
    distance = np.maximum(squared[:, None] + squared[None] - 2 * (x @ x.T), 0.0)  # squared, (N, N)
    width = float(np.median(distance[np.triu_indices(len(x), 1)])) or 1.0
    gram = np.exp(-distance / (2 * width)).astype(np.float32)
    np.fill_diagonal(gram, 0.0)
    return np.asarray(gram)


def _permuted(
    is_first: np.ndarray, permutations: int, seed: int, fold: np.ndarray | None = None
) -> np.ndarray:
    """Returns labels (P+1, N): as they are, then permuted, within folds where given."""
    generator = np.random.default_rng([seed, 1])
    result = np.tile(is_first, (permutations + 1, 1))
    groups = np.zeros(len(is_first), np.int64) if fold is None else fold
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        result[1:, members] = generator.permuted(result[1:, members], axis=1)
    return result


def _smoother(seen: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    """Returns the matrix (u, s) that turns seen labels into ridge predictions for unseen rows, centred."""
    mean = seen.mean(0)
    a, b = seen - mean, unseen - mean
    normal = a.T @ a
    normal[np.diag_indices_from(normal)] += RIDGE * np.trace(normal) / len(normal) + 1e-12
    return np.asarray(b @ np.linalg.solve(normal, a.T))


def _auc(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns the area under the ROC curve per row (P,), ties counted half (Mann-Whitney)."""
    from scipy.stats import rankdata

    n, m = labels[0].sum(), (1 - labels[0]).sum()
    ranks = rankdata(scores, axis=1)
    return np.asarray(((ranks * labels).sum(1) - n * (n + 1) / 2) / (n * m))


def _hanley_mcneil(auc: float, n: int, m: int) -> tuple[float, float]:
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (auc * (1 - auc) + (n - 1) * (q1 - auc**2) + (m - 1) * (q2 - auc**2)) / (n * m)
    half = 1.96 * float(np.sqrt(max(variance, 0.0)))
    return max(0.0, auc - half), min(1.0, auc + half)


def _p_value(values: np.ndarray) -> float:
    """Returns the share of statistics at least as large as the first (Phipson and Smyth 2010)."""
    return float((values >= values[0] - 1e-12).mean())
