"""The bound: the exact posterior over the simulator's own structures, and a look ahead by one run.

No tool can know that prior, nor the luck of a training; how near one comes at the same number of runs says
how good it is.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from benchmarks.games.simulator import EFFECTS, FAILED, FAILS, MAY, MIN_EFFECT, MUST, NoisyGame
from plateau_cause.diagnosis.game import Factors

SURE = 0.85  # probability from which a factor is named
SETTLED, LEAST_GAIN, MOST_REPETITIONS = 0.03, 1e-4, 4
TOP, TOP_DEVIATION = 0.885, 0.05
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@cache
def _hypotheses(k: int) -> tuple[list[Factors], np.ndarray, np.ndarray]:
    """Returns all sets of k factors, the losses (H, 2^k) of every structure, and their log weights (H,)."""
    names = [f"f{i}" for i in range(k)]
    sets = [frozenset(chosen) for r in range(k + 1) for chosen in itertools.combinations(names, r)]
    rows: list[list[float]] = []
    weights: list[float] = []

    def add(kind_weight: float, losses: list[list[float]]) -> None:
        rows.extend(losses)
        weights.extend([kind_weight / len(losses)] * len(losses))

    small = EFFECTS[:-1]
    pairs, ordered = list(itertools.combinations(names, 2)), list(itertools.permutations(names, 2))
    add(1, [[e * (a in s) for s in sets] for a in names for e in EFFECTS])
    add(3, [[e * (a in s) + d * (b in s) for s in sets] for a, b in ordered for e in EFFECTS for d in small])
    add(1, [[e * bool({a, b} & s) for s in sets] for a, b in pairs for e in EFFECTS])
    add(1, [[e * ({a, b} <= s) for s in sets] for a, b in pairs for e in EFFECTS])
    add(1, [[e * (b in s) + 0.1 * (a in s) + 0.16 * (b in s and a not in s) for s in sets]
            for a, b in ordered for e in EFFECTS])  # fmt: skip
    add(1, [[0.0 for _ in sets]])
    add(1, [[0.012 * len(s) for s in sets]])
    add(1, [[e * bool(set(t) & s) for s in sets] for t in itertools.combinations(names, 3) for e in EFFECTS])
    return sets, np.array(rows), np.log(weights)


@cache
def _right(k: int) -> np.ndarray:
    """Returns (H, k) whether each factor is a cause under each structure."""
    sets, losses, _ = _hypotheses(k)
    at = {chosen: i for i, chosen in enumerate(sets)}
    everything = frozenset(f"f{i}" for i in range(k))
    one = [at[frozenset({f"f{i}"})] for i in range(k)]
    others = [at[everything - {f"f{i}"}] for i in range(k)]
    gap = losses[:, at[everything]]
    need, alone = losses[:, one], gap[:, None] - losses[:, others]
    spare = ((gap >= MUST) & (need.max(1) < MAY))[:, None] & (alone >= MUST)
    return ((need >= MIN_EFFECT) | spare).astype(float)


def play(noisy: NoisyGame, budget: float) -> tuple[Factors, float]:
    """Returns the factors that the ideal names, and what its runs cost."""
    k = len(noisy.truth.names)
    sets, losses, log_weight = _hypotheses(k)
    right, price = _right(k), np.array([noisy.truth.price(chosen) for chosen in sets])
    top = np.full(len(losses), TOP)
    variance, spent = TOP_DEVIATION**2, 0.0
    seen: list[np.ndarray] = []
    used = np.zeros(len(sets), int)

    def measure(row: int) -> None:
        nonlocal log_weight, top, variance, spent
        hits = noisy.run(sets[row])
        changes = np.median([np.mean(hits != other) for other in seen]) if seen else 0.08
        noise = float(np.clip(changes, 0.02, 0.10)) / (2 * len(hits)) + noisy.luck**2
        seen.append(hits)
        used[row] += 1
        spent += price[row] if len(seen) > 2 else 0.0
        value = float(hits.mean())
        log_weight = log_weight + _log_likelihood(
            value, top - losses[:, row], variance + noise, noisy.truth.fails
        )
        gain = variance / (variance + noise)
        top = top + gain * (value + losses[:, row] - top) * _held(
            value, top - losses[:, row], variance + noise, noisy.truth.fails
        )
        variance = variance * (1 - gain)

    measure(len(sets) - 1)
    measure(0)
    while True:
        weight = _normalised(log_weight)
        p = weight @ right
        allowed = (used < MOST_REPETITIONS) & (spent + price <= budget)
        if (np.minimum(p, 1 - p) <= SETTLED).all() or not allowed.any():
            break
        gains = np.full(len(sets), -np.inf)
        noise = 0.06 / (2 * noisy.images) + noisy.luck**2 + variance
        now = np.minimum(p, 1 - p).sum()
        rows = weight > 1e-6
        for row in np.flatnonzero(allowed):
            foreseen = (top - losses[:, row])[rows]
            gains[row] = (now - _expected(foreseen, weight[rows], right[rows], noise)) / price[row]
        best = int(gains.argmax())
        if gains[best] < LEAST_GAIN:
            break
        measure(best)
    named = np.flatnonzero(_normalised(log_weight) @ right >= SURE)
    return frozenset(f"f{i}" for i in named), spent


def _log_likelihood(value: float, expected: np.ndarray, variance: float, fails: float) -> np.ndarray:
    sound = np.exp(-0.5 * (value - expected) ** 2 / variance) / np.sqrt(variance)
    if not fails:
        return np.asarray(np.log(sound + 1e-300))
    return np.asarray(np.log((1 - FAILS) * sound + FAILS * _failed(value, expected, variance) + 1e-300))


def _failed(value: float, expected: np.ndarray, variance: float) -> np.ndarray:
    lost, spread = sum(FAILED) / 2, (FAILED[1] - FAILED[0]) ** 2 / 12 + variance
    return np.asarray(np.exp(-0.5 * (value - expected + lost) ** 2 / spread) / np.sqrt(spread))


def _held(value: float, expected: np.ndarray, variance: float, fails: float) -> np.ndarray:
    """Returns (H,) the probability that the run did not fail: only then it tells about the level."""
    if not fails:
        return np.ones_like(expected)
    sound = (1 - FAILS) * np.exp(-0.5 * (value - expected) ** 2 / variance) / np.sqrt(variance)
    return np.asarray(sound / (sound + FAILS * _failed(value, expected, variance) + 1e-300))


def _expected(foreseen: np.ndarray, weight: np.ndarray, right: np.ndarray, variance: float) -> float:
    mean = float(weight @ foreseen)
    deviation = np.sqrt(weight @ (foreseen - mean) ** 2 + variance)
    mass = 0.0
    for node, share in zip(NODES, WEIGHTS, strict=True):
        then = _normalised(np.log(weight) - 0.5 * (mean + deviation * node - foreseen) ** 2 / variance)
        p = then @ right
        mass += share * float(np.minimum(p, 1 - p).sum())
    return mass


def _normalised(log_weight: np.ndarray) -> np.ndarray:
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())
