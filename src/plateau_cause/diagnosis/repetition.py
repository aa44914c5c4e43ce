"""What the runs leave open is run again under further seeds, which average out the luck of one training."""

from __future__ import annotations

from collections.abc import Callable

from plateau_cause.diagnosis.intervention import Investigation, read
from plateau_cause.diagnosis.ledger import Factors, Ledger
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.effect import Effect
from plateau_cause.lab.store import Result

MOST_SEEDS = 3


def further_seeds(seeds: tuple[int, ...]) -> list[int]:
    """Returns the seeds of repetitions, beside those that every run is made with."""
    return [max(seeds) + 1 + i for i in range(max(0, MOST_SEEDS - len(seeds)))]


def repeat(
    investigation: Investigation, run: Callable[[Arm, str], Result], min_effect: float
) -> Investigation:
    """Returns the investigation with what it leaves open run again, as far as the ledger's budget reaches.

    The run with the fewest seeds comes first, of those the cheapest.

    Args:
        investigation: the swaps.
        run: trains an arm and keeps the result under a name.
        min_effect: what is worth reporting.
    """
    ledger = investigation.ledger
    while runs := [taken for taken in _open(investigation, min_effect) if _is_possible(ledger, taken)]:
        taken = min(runs, key=lambda one: (len(ledger.runs[one]), ledger.runs[one][0].cost))
        seed = 1 + max(result.arm.seed for result in ledger.runs[taken])
        arm = ledger.runs[taken][0].arm.with_seed(seed)
        ledger.add(taken, run(arm, f"{ledger.label(taken)}, seed {seed}"))
        investigation = read(ledger, investigation.path, min_effect)
    return investigation


def _open(investigation: Investigation, min_effect: float) -> list[Factors]:
    """Returns the sets of factors whose runs carry what is not decided, once or more.

    That is a factor of the path or one that would be named, the largest effect first, then the gap where it
    is worth reporting.
    """
    gap, path = investigation.gap, investigation.path
    runs = [
        taken
        for found in sorted(investigation.findings, key=lambda found: -found.effect.mean)
        if not found.jointly and (found.factor.name in path or found.effect.mean >= min_effect)
        if _is_open(found.effect, min_effect)
        for taken in found.behind
    ]
    if gap.mean >= min_effect and _is_open(gap, min_effect):
        runs += [frozenset(), investigation.ledger.everything]
    return runs


def _is_open(effect: Effect, min_effect: float) -> bool:
    return effect.low < min_effect < effect.high


def _is_possible(ledger: Ledger, taken: Factors) -> bool:
    return len(ledger.runs[taken]) < MOST_SEEDS and ledger.affords_repetition(taken)
