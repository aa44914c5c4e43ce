"""Which swap next: factors are swapped one by one, in both directions, until the intervals decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.diagnosis.finding import Finding, finding
from plateau_cause.diagnosis.ledger import CHEAP, WORTH_KEEPING, Ledger
from plateau_cause.lab.effect import Effect, verdict

SHORT = 0.6  # of the reference's cost: a run that tells much for little
STRONG = 0.5  # of the gap: a suspicion that is measured before cheaper explanations are believed


@dataclass(frozen=True)
class Investigation:
    """Everything that the swaps showed.

    Attributes:
        gap: reference minus recipe.
        path: the factors whose joint fix closes the gap, in the order in which they were taken.
        findings: one per differing factor.
    """

    ledger: Ledger
    gap: Effect
    verdict: str
    path: tuple[str, ...]
    findings: tuple[Finding, ...]


def investigate(ledger: Ledger, evidence: Evidence, min_effect: float) -> Investigation:
    """Returns which factors carry the gap between recipe and reference."""
    gap = ledger.gain(frozenset(), ledger.everything)
    path: tuple[str, ...] = ()
    if ledger.swapped and verdict(gap, min_effect) != "healthy":
        _run_cheap(ledger)
        path = _walk(ledger, evidence, min_effect)
        _confirm(ledger, path, min_effect)
        _complete(ledger, path, min_effect)
    return read(ledger, path, min_effect)


def read(ledger: Ledger, path: tuple[str, ...], min_effect: float) -> Investigation:
    """Returns what the ledger's runs say, given the path."""
    gap = ledger.gain(frozenset(), ledger.everything)
    findings = tuple(finding(ledger, factor, path, min_effect) for factor in ledger.swapped)
    return Investigation(ledger, gap, verdict(gap, min_effect), path, findings)


def _run_cheap(ledger: Ledger) -> None:
    for factor in ledger.swapped:
        one = frozenset({factor.name})
        for taken in (one, ledger.everything - one):
            if ledger.is_cheap(taken):
                ledger.measure(taken)


def _walk(ledger: Ledger, evidence: Evidence, min_effect: float) -> tuple[str, ...]:
    """Takes factors one by one, the most promising first, until the recipe equals the reference."""
    taken: list[str] = []
    aside: list[str] = []
    too_dear: list[str] = []
    for name in _by_promise(ledger, evidence):
        if ledger.closes(taken, min_effect):
            break
        if _is_idle(ledger, taken, name, evidence, min_effect):
            continue
        step = frozenset([*taken, name])
        if not ledger.affords(step):
            too_dear.append(name)
            continue
        ledger.measure(step)
        gained = ledger.gain(frozenset(taken), step).mean
        (taken if gained >= WORTH_KEEPING * min_effect else aside).append(name)
    if not ledger.closes(taken, min_effect):
        taken += _unmask(ledger, taken, aside, evidence, min_effect)
    if not ledger.closes(taken, min_effect):
        taken = _one_that_closes(ledger, min_effect) or taken
    if not ledger.closes(taken, min_effect):
        _break_each(ledger, too_dear)  # the reference may be short where the recipe is long
    return tuple(taken)


def _one_that_closes(ledger: Ledger, min_effect: float) -> list[str]:
    """Returns the factor that was measured to close the gap by itself and gains most, in a list; else []."""
    names = [f.name for f in ledger.swapped if ledger.alone(f.name) and ledger.closes([f.name], min_effect)]
    return sorted(names, key=lambda name: -ledger.gain(frozenset(), frozenset({name})).mean)[:1]


def _is_idle(ledger: Ledger, taken: list[str], name: str, evidence: Evidence, min_effect: float) -> bool:
    """Returns whether less is left than is worth reporting and nothing points at this factor."""
    rest = ledger.gain(frozenset(taken), ledger.everything)
    is_unsuspected = _suspicion(ledger, name, evidence) < WORTH_KEEPING * min_effect
    return is_unsuspected and ledger.alone(name) is None and rest.mean < min_effect


def _break_each(ledger: Ledger, names: Iterable[str]) -> None:
    """Measures what the reference misses without each of these, as far as the budget reaches."""
    for name in names:
        broken = ledger.everything - {name}
        if ledger.affords(broken):
            ledger.measure(broken)


def _unmask(
    ledger: Ledger, taken: list[str], aside: list[str], evidence: Evidence, min_effect: float
) -> list[str]:
    """Returns which of the factors put aside close the gap together: each alone is masked by the others.

    What the reference misses when one is broken is the shortest way to know, where that run is short itself.
    """
    aside = sorted(aside, key=lambda name: _suspicion(ledger, name, evidence), reverse=True)
    limit = SHORT * ledger.estimate(ledger.reference[0].arm)
    for name in aside:
        broken = ledger.everything - {name}
        if ledger.estimate(ledger.arm(broken)) <= limit and ledger.affords(broken):
            ledger.measure(broken)
    missed = {name: last.mean for name in aside if (last := ledger.last(name)) is not None}
    suspects = [name for name in aside if missed.get(name, 0.0) >= WORTH_KEEPING * min_effect]
    unknown = [name for name in aside if name not in missed]
    found: list[str] = []
    for more in [*([suspects] if suspects else []), *([name] for name in unknown)]:
        together = frozenset([*taken, *found, *more])
        if not ledger.affords(together):
            break  # what is returned has been measured together
        found += more
        ledger.measure(together)
        if ledger.closes(together, min_effect):
            break
    return found


def _by_promise(ledger: Ledger, evidence: Evidence) -> list[str]:
    """Returns the factors in the order to take them: by gain where measured, by suspicion where not.

    A strong suspicion comes before gains that cost nothing to measure but were suspected less: with nothing
    but a head left to train, a rate that is far too high does no harm, yet the rate is what is wrong. What is
    not measured yet counts by its price, in runs of the reference.
    """
    suspicion = {factor.name: _suspicion(ledger, factor.name, evidence) for factor in ledger.swapped}
    gains = {
        name: max(side.mean for side in sides)  # who is masked shows it from one side only
        for name in suspicion
        if (sides := [side for side in (ledger.alone(name), ledger.last(name)) if side])
    }
    tried = [suspicion[name] for name in gains if ledger.alone(name)]
    whole = ledger.estimate(ledger.reference[0].arm)

    def promise(name: str) -> float:
        is_strong = suspicion[name] >= STRONG * evidence.gap and suspicion[name] > max(tried, default=0.0)
        if is_strong and not ledger.alone(name):
            return 1.0 + suspicion[name]
        if name in gains:
            return gains[name]
        price = ledger.estimate(ledger.arm(frozenset({name}))) / whole if whole else 1.0
        return suspicion[name] / max(price, CHEAP)

    return sorted(suspicion, key=promise, reverse=True)


def _suspicion(ledger: Ledger, name: str, evidence: Evidence) -> float:
    factor = next(factor for factor in ledger.swapped if factor.name == name)
    return factor.suspicion(ledger.recipe[0].arm, ledger.reference[0].arm, evidence)


def _confirm(ledger: Ledger, path: tuple[str, ...], min_effect: float) -> None:
    """Breaks each factor of the path in the reference: the second direction.

    A single factor that closes the gap by itself needs none: what it gains and that the rest is harmless are
    both measured already.
    """
    if len(path) == 1 and ledger.closes(path, min_effect):
        return
    _break_each(ledger, path)


def _complete(ledger: Ledger, path: tuple[str, ...], min_effect: float) -> None:
    """Spends what is left on the other direction of what one showed to matter, the largest first.

    Where the path closes the gap, what is off it is harmless once the path is fixed, even if it gains alone.
    """
    if _is_settled(ledger, path, min_effect):
        return

    def gain(factor: RecipeFactor) -> float:
        sides = [side.mean for side in (ledger.alone(factor.name), ledger.last(factor.name)) if side]
        return sides[0] if len(sides) == 1 else 0.0

    open_ones = [f for f in ledger.swapped if f.name in path or not ledger.closes(path, min_effect)]
    for factor in sorted(open_ones, key=gain, reverse=True):
        one = frozenset({factor.name})
        if gain(factor) >= WORTH_KEEPING * min_effect:
            for taken in (one, ledger.everything - one):
                if ledger.affords(taken):
                    ledger.measure(taken)


def _is_settled(ledger: Ledger, path: tuple[str, ...], min_effect: float) -> bool:
    """Returns whether one factor closes the gap by itself and surely matters: nothing is left to decide."""
    alone = ledger.alone(path[0]) if len(path) == 1 else None
    return alone is not None and alone.low >= min_effect and ledger.closes(path, min_effect)
