"""The rule on noisy games with known values, beside the ideal at the same budget: make bench-games.

python -m benchmarks.games.run [--games 200] [--factors 4 6] [--luck 0.004 0.015] [--runs 6] [--jobs 2]

Nothing is trained; the prior was fitted to other games (`fit.py`). PLATEAU_VERSION_1, a checkout of 90b76a8,
puts its rules beside (`version_1.py`). Exit status 1 below the bars of score.py.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import sys
from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.games import ideal, score, version_1
from benchmarks.games.beliefs import BELIEFS
from benchmarks.games.simulator import KINDS, MIN_EFFECT, NoisyGame, key, structure
from plateau_cause.diagnosis.decision import corners
from plateau_cause.diagnosis.game import Game
from plateau_cause.diagnosis.posterior import posterior
from plateau_cause.diagnosis.prior import Hypotheses, hypotheses
from plateau_cause.diagnosis.search import look
from plateau_cause.diagnosis.verdict import Verdict, judge

ACTIVE = 0.25  # probability that a factor matters: the same for all, for nothing points at any
FIRST_SEED = 1000


@dataclass(frozen=True)
class Cell:
    """Games of one kind, size and luck.

    Attributes:
        luck: standard deviation of one training's accuracy.
        runs: budget in runs, the two arms among them.
    """

    kind: str
    factors: int
    luck: float
    runs: int
    games: int


def play(noisy: NoisyGame, budget: float) -> Verdict:
    """Returns what the rule says of a game after the two arms and runs for so much more."""
    names, price = noisy.truth.names, noisy.truth.price
    game, prior = Game(names, (ACTIVE,) * len(names)), _prior(len(names))
    for broken in (game.everything, frozenset[str]()):
        game = game.with_run(broken, noisy.run(broken))
    while True:
        ahead = look(game, prior, MIN_EFFECT, price, budget)
        if ahead.broken is None:
            break
        budget -= price(ahead.broken)
        game = game.with_run(ahead.broken, noisy.run(ahead.broken))
    sets = corners(game)
    return judge(game, posterior(game, sets, prior), sets, MIN_EFFECT)


@cache
def _prior(factors: int) -> Hypotheses:
    return hypotheses((ACTIVE,) * factors, BELIEFS)


def measure(cell: Cell) -> score.Row:
    """Returns how the rule and the ideal do on the games of a cell."""
    answers, bounds, before = [], [], []
    for number in range(cell.games):
        ours, bound, old = (_game(cell, number) for _ in range(3))
        right = key(ours.truth)
        verdict = play(ours, cell.runs - 2)
        named = frozenset(finding.factor for finding in verdict.causes)
        stated = [(finding.probability, finding.factor) for finding in verdict.findings]
        answers.append(score.Answer(named, right, stated))
        bounds.append(score.Answer(ideal.play(bound, cell.runs - 2)[0], right, []))
        if version_1.is_there():
            before.append(score.Answer(version_1.play(old, cell.runs - 2), right, []))
    return score.row(cell.kind, cell.factors, cell.luck, answers, bounds, before)


def _game(cell: Cell, number: int) -> NoisyGame:
    rng = np.random.default_rng(FIRST_SEED + number)
    return NoisyGame(structure(cell.kind, cell.factors, rng), rng, cell.luck)


def main() -> int:
    """Plays all games, prints a line per kind, size and luck, and the bars; returns the exit status."""
    arguments = _arguments()
    cells = [
        Cell(kind, factors, luck, arguments.runs, arguments.games)
        for factors, luck, kind in itertools.product(arguments.factors, arguments.luck, arguments.kinds)
    ]
    rows = []
    with multiprocessing.get_context("spawn").Pool(arguments.jobs) as pool:
        for row in pool.imap(measure, cells):
            print(score.line(row), flush=True)
            rows.append(row)
    missed = score.failures(rows)
    print("\n".join(score.summary(rows) + [f"below the bar: {words}" for words in missed]))
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, default=200, help="of each kind, size and luck")
    parser.add_argument("--factors", type=int, nargs="+", default=[4, 6], help="in which the arms differ")
    parser.add_argument("--luck", type=float, nargs="+", default=[0.004, 0.015], help="of one training")
    parser.add_argument("--runs", type=int, default=6, help="budget, the two arms among them")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS, help="of structure")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
