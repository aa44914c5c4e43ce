"""The one place that says cause, alternative, harmless, undecided, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from plateau_cause.diagnosis.decision import SURE, SURELY_NOT, UNLIKELY, WORTH, matters, targets
from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.natures import image_noise
from plateau_cause.diagnosis.posterior import Posterior
from plateau_cause.lab.belief import Belief

CAUSE, HARMLESS, UNDECIDED = "cause", "harmless", "undecided"
FAR = 2.0  # standard errors: where the reference is surely worse, few images have shown enough
PLATEAU, HEALTHY, INCONCLUSIVE = "plateau", "healthy", "inconclusive"


@dataclass(frozen=True)
class Finding:
    """What the runs say about one factor.

    Attributes:
        factor: its name.
        standing: cause | harmless | undecided.
        need: what the repaired training loses when it alone stays broken.
        alone: what fixing it alone gains.
        probability: that it is needed for `min_effect`, or one of several repairs that suffice.
        sure: the same for WORTH of it.
        is_spare: whether it is likelier one of several that suffice than needed itself.
        exceeds: whether it is needed for more than the recipe lacks, where the other repairs are in place.
        alternatives: of a spare one, the others.
    """

    factor: str
    standing: str
    need: Belief
    alone: Belief
    probability: float
    sure: float
    is_spare: bool = False
    exceeds: bool = False
    alternatives: tuple[str, ...] = ()

    @property
    def effect(self) -> Belief:
        """Returns the effect to report: what it is needed for, or does alone where others do as well.

        What is open is a hope: it is no more than the recipe can gain.
        """
        is_hope = self.standing == UNDECIDED and self.exceeds
        return self.alone if self.is_spare or is_hope else self.need


@dataclass(frozen=True)
class Verdict:
    """What the runs say.

    Attributes:
        verdict: plateau | healthy | inconclusive.
        gap: what the reference reaches beyond the recipe.
        findings: one per factor, in the game's order.
    """

    verdict: str
    gap: Belief
    findings: tuple[Finding, ...]

    @property
    def causes(self) -> list[Finding]:
        """Returns the causes, the largest effect first."""
        found = [finding for finding in self.findings if finding.standing == CAUSE]
        return sorted(found, key=lambda finding: -finding.effect.mean)


def judge(game: Game, found: Posterior, sets: list[Factors], min_effect: float) -> Verdict:
    """Returns what a posterior over these sets decides.

    Args:
        game: its factors.
        found: of the sets, the corners among them.
        sets: in the order of the posterior.
        min_effect: smallest change of accuracy worth reporting.
    """
    changes, k = targets(game, sets).changes(found), len(game.factors)
    beliefs = [Belief(found.weight, changes.center[:, t], changes.deviation[:, t]) for t in range(2 * k + 1)]
    surely, likely = (
        np.minimum(1.0, found.weight @ matters(changes, least, min_effect))  # but for rounding it is
        for least in (WORTH * min_effect, min_effect)
    )
    verdict, most = verdict_on(beliefs[-1], min_effect, gap_error(game)), beliefs[-1].interval()[1]
    findings = []
    for i, name in enumerate(game.factors):
        need, alone = beliefs[i], beliefs[k + i]
        needed = need.probability(min_effect)
        # Likelier one of several that suffice than needed itself
        is_spare = bool(likely[i] - needed > needed)
        effect = alone if is_spare else need
        is_shown = game.isolates(name)  # what follows from the other factors' runs alone accuses nobody
        is_cause = verdict == PLATEAU and is_shown and surely[i] >= SURE and effect.mean >= min_effect
        standing = CAUSE if is_cause else HARMLESS if likely[i] <= 1.0 - SURELY_NOT else UNDECIDED
        chances = float(likely[i]), float(surely[i])
        findings.append(Finding(name, standing, need, alone, *chances, is_spare, need.mean > most))
    return Verdict(verdict, beliefs[-1], tuple(_with_alternatives(findings)))


def withheld(verdict: Verdict) -> Verdict:
    """Returns a verdict that names no cause, where no run has learned to tell the classes apart."""
    if verdict.verdict != PLATEAU:
        return verdict
    findings = (
        replace(one, standing=UNDECIDED) if one.standing == CAUSE else one for one in verdict.findings
    )
    return Verdict(INCONCLUSIVE, verdict.gap, tuple(findings))


def verdict_on(gap: Belief, min_effect: float, error: float) -> str:
    """Returns plateau | healthy | inconclusive; what few test images cannot show, no prior calls healthy.

    Args:
        gap: what is believed to be reachable beyond the recipe, accuracy 0..1.
        min_effect: smallest change of accuracy worth reporting.
        error: standard error of the measured gap by the choice of test images.
    """
    if gap.probability(WORTH * min_effect) >= SURE and gap.mean >= min_effect:
        return PLATEAU
    is_seen = error <= min_effect or gap.mean + FAR * error <= min_effect
    return HEALTHY if is_seen and gap.probability(min_effect) <= UNLIKELY else INCONCLUSIVE


def gap_error(game: Game) -> float:
    """Returns the standard error of the measured gap by the choice of images; 0 where none was measured."""
    noise = np.diagonal(image_noise(game.hits))
    arms = [
        [i for i, run in enumerate(game.runs) if run.broken == end]
        for end in {frozenset[str](), game.everything}  # one and the same without a factor
    ]
    if len(arms) < 2 or not all(arms):
        return 0.0
    return float(np.sqrt(sum(noise[rows].mean() / len(rows) for rows in arms)))


def _with_alternatives(findings: list[Finding]) -> list[Finding]:
    """Returns the findings, each spare one with the other spare ones that are no harmless ones."""
    spare = [finding.factor for finding in findings if finding.is_spare and finding.standing != HARMLESS]
    return [
        replace(finding, alternatives=tuple(name for name in spare if name != finding.factor))
        if finding.factor in spare
        else finding
        for finding in findings
    ]
