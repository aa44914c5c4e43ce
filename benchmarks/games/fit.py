"""Fits the ways in which factors work together to games with known values: python -m benchmarks.games.fit.

The games are others than those judged (seeds, sizes of effects, luck); each is asked for every set of
factors twice, so that its structure is plain, and a way's share is the mean responsibility of its
hypotheses (one step of EM until nothing moves). Prints what ways.py holds.
"""

from __future__ import annotations

import itertools

import numpy as np

from benchmarks.games.simulator import KINDS, NoisyGame, structure
from plateau_cause.diagnosis import posterior as posteriors
from plateau_cause.diagnosis import prior as priors
from plateau_cause.diagnosis.game import Game

FIRST_SEED, GAMES, FACTORS, LUCK = 900_000, 12, 4, 0.008
EFFECTS = (0.045, 0.06, 0.1, 0.2, 0.35)
ACTIVE = 0.25
STEPS = 30
PSEUDO = 2.0  # games that every way is taken to have explained, so that none is ruled out


def evidence(kind: str, seed: int, found: priors.Hypotheses) -> np.ndarray:
    """Returns (H,) how well each hypothesis foresees a game that is asked for everything, as a likelihood."""
    rng = np.random.default_rng(seed)
    noisy = NoisyGame(structure(kind, FACTORS, rng, EFFECTS), rng, LUCK)
    names = noisy.truth.names
    game = Game(names, (ACTIVE,) * FACTORS)
    for count in range(FACTORS + 1):
        for chosen in itertools.combinations(names, count):
            for _ in range(2):
                game = game.with_run(frozenset(chosen), noisy.run(frozenset(chosen)))
    log = posteriors.log_evidence(game, found) - found.log_weight
    return np.asarray(np.exp(log - log.max()))


def fit() -> dict[str, float]:
    """Returns WAYS."""
    even = dict.fromkeys(priors.WAYS, 1.0)
    rows = priors.rows((ACTIVE,) * FACTORS, even)
    found = priors.hypotheses((ACTIVE,) * FACTORS, even)
    ways = np.array([row.way for row in rows])
    base = np.array([row.weight for row in rows])
    seen = np.stack([evidence(kind, FIRST_SEED + i, found) for kind in KINDS for i in range(GAMES)])
    share = even
    for _ in range(STEPS):
        weight = base * np.array([share[way] for way in ways])
        responsible = seen * weight / (seen @ weight)[:, None]
        share = {
            way: float((responsible[:, ways == way].sum() + PSEUDO) / base[ways == way].sum())
            for way in share
        }
    return {way: value / share["none"] for way, value in share.items()}


if __name__ == "__main__":
    for way, value in fit().items():
        print(f'    "{way}": {value:.2g},')
