"""Whether what a part of the images showed holds with all of them: one training at full scale, and its word.

The same rule decides as everywhere: the verdict on the gap, here between the user's recipe and the best that
is known, both trained on all images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from plateau_cause.config.recipe import Recipe
from plateau_cause.diagnosis.decision import corners
from plateau_cause.diagnosis.diagnose import Diagnosed
from plateau_cause.diagnosis.game import Game
from plateau_cause.diagnosis.natures import LUCKS, luck_scale
from plateau_cause.diagnosis.posterior import posterior
from plateau_cause.diagnosis.prior import BELIEFS, hypotheses
from plateau_cause.diagnosis.verdict import INCONCLUSIVE, PLATEAU, verdict_on
from plateau_cause.lab import build
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.belief import Belief
from plateau_cause.lab.effect import effect
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.scale import Scale
from plateau_cause.lab.store import Result


@dataclass(frozen=True)
class Confirmation:
    """Two recipes trained on all images.

    Attributes:
        name: of the run of the part that was trained again.
        arm: as it trains on all images.
        before, after: results of the user's recipe and of this arm, one per seed; `after` is empty where the
            budget does not pay for it.
        gain: what it reaches beyond the user's; None without `after`.
        verdict: plateau | healthy | inconclusive, on this gain; None without it.
    """

    name: str
    arm: Arm
    before: list[Result]
    after: list[Result]
    gain: Belief | None = None
    verdict: str | None = None

    @property
    def cost(self) -> float:
        """Returns what it cost beside the user's own training, in the unit of Result.cost."""
        return sum(result.cost for result in self.after)


def confirm(
    lab: Laboratory,
    scale: Scale,
    diagnosed: Diagnosed,
    recipe: Sequence[Result],
    given: Recipe,
    left: float,
    min_effect: float,
) -> Confirmation:
    """Returns the best run of a part of the images, trained on all of them, beside the user's recipe.

    Args:
        lab: over all images.
        scale: the part.
        diagnosed: what it showed.
        recipe: results of the user's recipe on all images, one per seed.
        given: the user's recipe.
        left: what may be spent, in the unit of Result.cost.
        min_effect: smallest change of accuracy worth reporting.
    """
    name = _candidate(diagnosed)
    best = diagnosed.runs[name].arm
    arm = replace(best, recipe=scale.whole(best.recipe, given))
    if len(recipe) * build.cost(lab, arm) > left:
        return Confirmation(name, arm, list(recipe), [])
    shown = f"{name}, all images"
    after = lab.run_all([(arm.with_seed(one.arm.seed), shown) for one in recipe], keep_weights=True)
    targets = lab.dataset.targets[lab.dataset.indices("test")]
    sides = [np.mean([one.correct(targets) for one in side], axis=0) for side in (recipe, after)]
    gain, verdict = judged(diagnosed.question.game, (sides[0], sides[1]), len(recipe), min_effect)
    return Confirmation(name, arm, list(recipe), after, gain, verdict)


def judged(
    game: Game, sides: tuple[np.ndarray, np.ndarray], seeds: int, min_effect: float
) -> tuple[Belief, str]:
    """Returns what is believed about the gain between two recipes, and the verdict on it.

    Args:
        game: of the part; its runs say how large the luck of one training is.
        sides: hits of the user's recipe and of the other on all images, (n,) each, means over seeds.
        seeds: under which each was trained.
        min_effect: smallest change of accuracy worth reporting.
    """
    change = effect([sides])
    found = posterior(game, corners(game), hypotheses(game.active))
    luck = np.sqrt(np.dot(found.lucks, np.square(LUCKS)))
    lucks = luck * luck_scale(np.array([side.mean() for side in sides]), BELIEFS)
    deviation = np.hypot(change.error, np.sqrt((lucks**2).sum() / seeds))
    gain = Belief(np.ones(1), np.array([change.mean]), np.array([deviation]))
    return gain, verdict_on(gain, min_effect, change.error)


def _candidate(diagnosed: Diagnosed) -> str:
    """Returns the run to train on all images: the recommended one; the reference where that is the user's."""
    if diagnosed.recommended.arm == diagnosed.runs["recipe"].arm:
        return "reference"
    return next(name for name, result in diagnosed.runs.items() if result.key == diagnosed.recommended.key)


def agreed(of_part: str, of_all: str | None) -> bool:
    """Returns whether a part and all images say the same; where the part decides nothing they do not."""
    return of_part != INCONCLUSIVE and of_all in (None, of_part)


def final(of_part: str, of_all: str | None) -> str:
    """Returns the verdict where no larger part is asked.

    A plateau that shows on a part alone is none that is known; one that shows on all images is.
    """
    if of_all in (None, of_part):
        return of_part
    return PLATEAU if of_all == PLATEAU else INCONCLUSIVE
