"""One finding as plain types: what it is called, what was measured, what mends it."""

from __future__ import annotations

from typing import Any

import numpy as np

from plateau_cause import numbers
from plateau_cause.causes import frozen_layers
from plateau_cause.causes.factor import RecipeFactor
from plateau_cause.diagnosis import repair
from plateau_cause.diagnosis.diagnose import Diagnosed
from plateau_cause.diagnosis.game import Factors
from plateau_cause.diagnosis.questions import REST
from plateau_cause.diagnosis.verdict import HARMLESS, UNDECIDED, Finding
from plateau_cause.lab.belief import Belief
from plateau_cause.lab.effect import effect


def finding_record(finding: Finding, diagnosed: Diagnosed, limit: float) -> dict[str, Any]:
    """Returns one finding; effects with the probability that they are at least `limit`."""
    swaps = diagnosed.swaps
    parts = [factor for factor in swaps.factors if swaps.part(factor) == finding.factor]
    cause = finding.factor if finding.factor == REST else _cause(parts[0], diagnosed)
    words = {} if finding.factor == REST else repair.words(parts[0].said(cause))
    own = {} if finding.factor == REST else repair.own(parts[0], diagnosed)
    made = {
        "factor": finding.factor,
        "cause": cause,
        "standing": _standing(finding, limit),
        "difference": "; ".join(factor.difference(swaps.recipe, swaps.reference) for factor in parts),
        **belief_record(finding.effect, limit),
        "probability": finding.probability,
        "need": belief_record(finding.need, limit),
        "alone": belief_record(finding.alone, limit),
        "alternatives": [_named(name, diagnosed) for name in finding.alternatives],
        "evidence": _evidence(parts, diagnosed, finding),
        "fix": {} if finding.factor == REST else repair.fix(parts[0], diagnosed),
        "runs": _runs(finding.factor, diagnosed),
        **words,
        **own,
    }
    is_unused = finding.factor == frozen_layers.FACTOR.name and repair.moves_nothing(diagnosed)
    return {**made, **repair.unused(made, diagnosed)} if is_unused else made


def _standing(finding: Finding, limit: float) -> str:
    """Returns how a factor stands; harmless only where the interval that is shown says so as well."""
    is_open = finding.standing == HARMLESS and finding.effect.interval()[1] >= limit
    return UNDECIDED if is_open or finding.factor == REST else finding.standing


def _named(name: str, diagnosed: Diagnosed) -> str:
    """Returns the cause that a factor of the game is reported as; the rest is nobody's."""
    found = [factor for factor in diagnosed.swaps.factors if factor.name == name]
    return _cause(found[0], diagnosed) if found else name


def _cause(factor: RecipeFactor, diagnosed: Diagnosed) -> str:
    swaps = diagnosed.swaps
    return factor.reported(swaps.recipe, swaps.reference, swaps.rates)


def _evidence(parts: list[RecipeFactor], diagnosed: Diagnosed, finding: Finding) -> list[str]:
    """Returns what the causes' own files say, and what each run that isolates the factor showed."""
    swaps = diagnosed.swaps
    said = [
        line for part in parts for line in part.explain(swaps.recipe, swaps.reference, diagnosed.evidence)
    ]
    return said + [
        line for line in (_fixed_alone(finding, diagnosed), _broken_alone(finding, diagnosed)) if line
    ]


def _fixed_alone(finding: Finding, diagnosed: Diagnosed) -> str | None:
    everything = diagnosed.question.game.everything
    change = _measured(everything, everything - {finding.factor}, diagnosed)
    return change and f"Fixed alone in the recipe: test accuracy {change}."


def _broken_alone(finding: Finding, diagnosed: Diagnosed) -> str | None:
    change = _measured(frozenset(), frozenset({finding.factor}), diagnosed)
    return change and f"Broken alone in the reference: test accuracy {change}."


def _measured(before: frozenset[str], after: frozenset[str], diagnosed: Diagnosed) -> str | None:
    """Returns the change between two sets as their runs have it, paired; None where one was not run."""
    game = diagnosed.question.game
    sides = [[run.hits for run in game.runs if run.broken == side] for side in (before, after)]
    if not all(sides) or before == after:
        return None
    change = effect([(np.mean(sides[0], axis=0), np.mean(sides[1], axis=0))])
    return numbers.points_with_interval(change.mean, (change.low, change.high))


def _runs(factor: str, diagnosed: Diagnosed) -> list[str]:
    """Returns the names of the runs that isolate a factor: those beside which another differs in it alone."""
    question = diagnosed.question
    sets = set(question.results)
    ends: tuple[Factors, ...] = (frozenset(), question.game.everything)
    return [
        question.label(taken) for taken in question.results if taken ^ {factor} in sets and taken not in ends
    ]


def belief_record(belief: Belief, limit: float) -> dict[str, Any]:
    """Returns an effect with its interval and the probability that it reaches the limit.

    A belief is Gaussian and knows no ends; a change of accuracy has them, between 0 and 100 %.
    """
    mean, *interval = (min(1.0, max(-1.0, value)) for value in (belief.mean, *belief.interval()))
    return {"effect": mean, "ci": interval, "probability": belief.probability(limit)}
