"""What the rules of version 1 (commit 90b76a8) say of a game, asked of a checkout of it.

git worktree add ../version_1 90b76a8 && PLATEAU_VERSION_1=../version_1 make bench-games
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.games.simulator import MIN_EFFECT, NoisyGame
from plateau_cause.diagnosis.game import Factors

CHECKOUT = os.environ.get("PLATEAU_VERSION_1")
SHARE_FOR_THE_GAP = 0.7  # of the budget: version 1 repeats the two arms so long, until their gap is decided


def is_there() -> bool:
    """Returns whether a checkout of version 1 was named."""
    return CHECKOUT is not None


def play(noisy: NoisyGame, budget: float) -> Factors:
    """Returns the factors that version 1 names, at the same number of runs."""
    one = _modules()
    faults, own = one["games"].FAULTS, sorted(one["games"].FAULTS)[: len(noisy.truth.names)]
    name_of = dict(zip(own, noisy.truth.names, strict=True))
    arm_of, rates = one["tiny"].make_arm, one["tiny"].FixedRates()
    factors = [factor for factor in one["plateau.causes"].RECIPE_FACTORS if factor.name in own]
    sound = arm_of({"batch_norm": "frozen"})
    broken = arm_of(
        {"batch_norm": "frozen", **{key: value for name in own for key, value in faults[name].items()}}
    )
    targets = np.zeros(noisy.images, np.int64)

    def left(arm: Any) -> Factors:
        return frozenset(name_of[f.name] for f in factors if f.is_different(arm, sound, rates))

    def run(arm: Any, label: str) -> Any:
        return one["tiny"].make_result(arm, noisy.run(left(arm)), noisy.truth.price(left(arm)))

    recipe, reference = [run(broken, "")], [run(sound, "")]
    gain, total = one["plateau.ledger"].gain, budget + 1.0
    for seed in one["plateau.repetition"].further_seeds((0,)):
        is_decided = (
            one["plateau.attribution"].verdict(gain(recipe, reference, targets), MIN_EFFECT) != "inconclusive"
        )
        if is_decided or len(recipe) + len(reference) + 2 > SHARE_FOR_THE_GAP * total + 1:
            break
        recipe.append(run(broken.with_seed(seed), ""))
        reference.append(run(sound.with_seed(seed), ""))
    ledger = one["plateau.ledger"].Ledger(
        recipe=recipe, reference=reference, factors=factors, rates=rates, budget=total, targets=targets,
        run=lambda arm, label: [run(arm, label)], estimate=lambda arm: noisy.truth.price(left(arm)),
        asked=frozenset(own), spent=float(len(recipe) + len(reference) - 1),
    )  # fmt: skip
    evidence = replace(one["games"].EVIDENCE, gap=gain(recipe, reference, targets).mean)
    investigate = one["plateau.intervention"].investigate
    found = investigate(ledger, evidence, MIN_EFFECT)
    if not ledger.closes(found.path, MIN_EFFECT):
        found = investigate(ledger, evidence, MIN_EFFECT)
    found = one["plateau.repetition"].repeat(found, run, MIN_EFFECT)
    named = [f for f in found.findings if not f.jointly and f.effect.low > 0 and f.effect.mean >= MIN_EFFECT]
    return frozenset(name_of[f.factor.name] for f in named) if found.verdict == "plateau" else frozenset()


def _modules() -> dict[str, Any]:
    """Returns the modules of the checkout that decide, and its tests' stand-ins for training."""
    assert CHECKOUT is not None
    for folder in ("tests/support", "src"):
        path = str(Path(CHECKOUT).resolve() / folder)
        if path not in sys.path:
            sys.path.insert(0, path)
    parts = ("causes", "intervention", "repetition", "ledger", "attribution")
    return {
        name: importlib.import_module(name) for name in ("games", "tiny", *(f"plateau.{p}" for p in parts))
    }
