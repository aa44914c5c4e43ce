"""Fits what is believed of games to games with known values: python -m benchmarks.games.fit prints it.

The games are others than those judged (seeds, sizes of effects, luck); each is asked for every set of factors
twice, so that its structure is plain, and a share is the mean responsibility of the hypotheses it belongs to
(steps of EM). How often a training fails is the share of the runs that the simulator let fail.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from benchmarks.games.simulator import FAILS, KINDS, NoisyGame, structure
from plateau_cause.diagnosis.game import Game
from plateau_cause.diagnosis.natures import LUCKS
from plateau_cause.diagnosis.posterior import log_evidence
from plateau_cause.diagnosis.prior import BELIEFS, Beliefs, Common, hypotheses, rows

FIRST_SEED, GAMES, FACTORS = 900_000, 12, 4
EFFECTS = (0.045, 0.06, 0.1, 0.2, 0.35)
LUCK = (0.003, 0.006, 0.012, 0.018)
COMMONS = (Common(0.0, 0.002, 0.5), Common(0.012, 0.005, 0.5))
ACTIVE = 0.25
STEPS = 30
PSEUDO = 1.0  # games that every share is taken to have explained, so that none is ruled out


def evidence(kind: str, seed: int, start: Beliefs) -> np.ndarray:
    """Returns (V, H) how well nature and hypothesis foresee a game that is asked for everything."""
    rng = np.random.default_rng(seed)
    noisy = NoisyGame(structure(kind, FACTORS, rng, EFFECTS), rng, float(rng.choice(LUCK)))
    names = noisy.truth.names
    game = Game(names, (ACTIVE,) * FACTORS)
    for count in range(FACTORS + 1):
        for chosen in itertools.combinations(names, count):
            for _ in range(2):
                game = game.with_run(frozenset(chosen), noisy.run(frozenset(chosen)))
    found = hypotheses((ACTIVE,) * FACTORS, start)
    log = log_evidence(game, found) - found.log_weight
    return np.asarray(np.exp(log - log.max()))


def fit() -> Beliefs:
    """Returns what is believed of games of these kinds."""
    start = replace(BELIEFS, ways=dict.fromkeys(BELIEFS.ways, 1.0), commons=COMMONS,
                    lucks=(1.0 / len(LUCKS),) * len(LUCKS), fails=FAILS / len(KINDS))  # fmt: skip
    found = rows((ACTIVE,) * FACTORS, start.ways)
    ways, base = np.array([row.way for row in found]), np.array([row.weight for row in found])
    seen = np.stack([evidence(kind, FIRST_SEED + i, start) for kind in KINDS for i in range(GAMES)])
    share, natures = start.ways, np.full(seen.shape[1], 1.0 / seen.shape[1])
    for _ in range(STEPS):
        weight = base * np.array([share[way] for way in ways])
        together = seen * natures[:, None] * weight
        together /= together.sum((1, 2), keepdims=True)
        of_way, of_nature = together.sum((0, 1)), together.sum((0, 2))
        share = {way: float((of_way[ways == way].sum() + PSEUDO) / base[ways == way].sum()) for way in share}
        natures = (of_nature + PSEUDO) / (of_nature + PSEUDO).sum()
    table = natures.reshape(len(LUCKS), len(COMMONS))
    commons = tuple(c._replace(chance=float(p)) for c, p in zip(COMMONS, table.sum(0), strict=True))
    return replace(start, ways={way: value / share["none"] for way, value in share.items()},
                   lucks=tuple(table.sum(1).tolist()), commons=commons)  # fmt: skip


if __name__ == "__main__":
    print(fit())
