"""What the runs of an investigation say about one factor."""

from __future__ import annotations

from dataclasses import dataclass

from plateau_cause.causes.factor import RecipeFactor
from plateau_cause.diagnosis.ledger import Factors, Ledger
from plateau_cause.lab.effect import Effect, marginal

Step = tuple[Factors, Factors]  # two sets of factors, before and after


@dataclass(frozen=True)
class Finding:
    """One factor after the investigation.

    Attributes:
        forward, backward: what fixing it gains in the recipe, what breaking it costs in the reference; None
            where not measured.
        effect: the mean of its gains near the recipe and near the reference. Without `forward` where the
            factor hurts alone but is missed in the reference (it pays once the others are fixed), and where
            it gains alone but is not missed (fixing the others does the same). Only its gains once the first
            factor of the path is fixed, where those are not worth reporting and it was not broken in the
            reference. The joint effect of all that the path leaves where it was not measured one by one.
        jointly: whether `effect` is that joint bound.
        behind: the sets of factors whose runs `effect` compares.
    """

    factor: RecipeFactor
    effect: Effect
    forward: Effect | None
    backward: Effect | None
    jointly: bool
    behind: tuple[Factors, ...]


def finding(ledger: Ledger, factor: RecipeFactor, path: tuple[str, ...], min_effect: float) -> Finding:
    """Returns what the ledger's runs say about one factor, given the path that closes the gap."""
    alone, last = ledger.alone(factor.name), ledger.last(factor.name)
    fixed_alone: Step = frozenset(), frozenset({factor.name})
    broken_alone: Step = ledger.everything - {factor.name}, ledger.everything
    left: Step = frozenset(path), ledger.everything
    is_off = bool(path) and factor.name not in path and ledger.closes(path, min_effect)
    if is_off and last is None and alone is not None and alone.mean < min_effect:
        return Finding(factor, alone, alone, None, jointly=False, behind=fixed_alone)
    if (is_off and last is None) or not ledger.behind(factor.name):
        rest = ledger.gain(*left)
        return Finding(factor, rest, alone if is_off else None, None, jointly=True, behind=left)
    if last is not None and is_off:
        # The reference may miss it for another difference than the path's: no more is left than is left.
        least = min(broken_alone, left, key=lambda step: ledger.gain(*step).mean)
        return Finding(factor, ledger.gain(*least), alone, last, jointly=False, behind=least)
    if last is not None and _is_spare(ledger, factor.name, path, min_effect):
        return Finding(factor, last, alone, last, jointly=False, behind=broken_alone)
    first = frozenset(path[:1]) if last is None and factor.name in path[1:] else frozenset()
    after_first = marginal(*ledger.pairs(factor.name, first))
    given = first if after_first.mean < min_effect else frozenset()
    mean = marginal(*ledger.pairs(factor.name, given))
    # Opposite signs: alone it even hurts, so the mean would say that it does not matter. What counts is what
    # it gains once the others that mask it are fixed.
    masked = alone is not None and last is not None and _is_masked(alone, mean, last)
    if masked:
        given = frozenset(path) - {factor.name} or ledger.everything - {factor.name}
        mean = marginal(*ledger.pairs(factor.name, given))
    return Finding(factor, mean, alone, last, jointly=False, behind=ledger.behind(factor.name, given))


def _is_spare(ledger: Ledger, name: str, path: tuple[str, ...], min_effect: float) -> bool:
    """Returns whether the reference does not miss this factor while it misses another one of the path.

    Such a factor helps only as long as the other is broken: more epochs make up for a rate that is too low.
    """
    missed = {other: last.mean for other in path if (last := ledger.last(other)) is not None}
    last = ledger.last(name)
    needed = any(value >= min_effect for other, value in missed.items() if other != name)
    return needed and last is not None and last.mean < min_effect


def _is_masked(alone: Effect, mean: Effect, last: Effect) -> bool:
    return last.low > 0 and (alone.high < 0 or (alone.mean < 0 and mean.low <= 0))
