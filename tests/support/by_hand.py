"""Games written down by hand: a loss, and test images that show it without luck."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from plateau_cause.diagnosis.decision import corners
from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.posterior import Posterior, posterior
from plateau_cause.diagnosis.prior import hypotheses
from plateau_cause.diagnosis.verdict import Finding, Verdict, judge

IMAGES = 400
MIN_EFFECT = 0.03
Loss = Callable[[Factors], float]


def hits(accuracy: float, images: int = IMAGES) -> np.ndarray:
    """Returns (images,) hits of so large a share: the easy images, always the same ones."""
    return np.asarray(np.arange(images) < round(accuracy * images))


def game_of(names: str, active: float | tuple[float, ...] = 0.25) -> Game:
    """Returns a game whose factors are these letters, before any run."""
    chances = (active,) * len(names) if isinstance(active, float) else active
    return Game(tuple(names), chances)


def played(game: Game, loss: Loss, sets: Iterable[str], top: float = 0.9, images: int = IMAGES) -> Game:
    """Returns the game after runs of these sets, each a word of the letters that are left broken."""
    for broken in map(frozenset, sets):
        game = game.with_run(broken, hits(top - loss(broken), images))
    return game


def believed(game: Game) -> Posterior:
    """Returns what the runs say about the sets that decide."""
    return posterior(game, corners(game), hypotheses(game.active))


def judged(game: Game, min_effect: float = MIN_EFFECT) -> Verdict:
    """Returns what the runs decide."""
    return judge(game, believed(game), corners(game), min_effect)


def finding(verdict: Verdict, name: str) -> Finding:
    """Returns what was found about a factor."""
    return next(found for found in verdict.findings if found.factor == name)
