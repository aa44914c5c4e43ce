"""Classes of very different size, and how the sampler deals with them."""

from __future__ import annotations

import numpy as np

from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.hypothesis import Bench, DataFacts, DataFinding, DataHypothesis, hits, on_subset
from plateau_cause.lab import store
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.effect import Effect, effect


def _suspicion(arm: Arm, other: Arm, evidence: Evidence) -> float:
    return evidence.gap * (0.5 if evidence.imbalance >= 3 else 0.02)


def _explain(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The largest class has {evidence.imbalance:.1f} times the training images of the smallest; sampler "
        f"{arm.recipe.sampler} was exchanged for {other.recipe.sampler}."
    ]


FACTOR = RecipeFactor(name="class_imbalance", keys=("sampler",), suspicion=_suspicion, explain=_explain)


IMBALANCED = 3.0  # largest over smallest class from which sampling is worth a run
SHOWN = 5  # classes in a sentence
STRENGTHS = (0.5, 1.0)  # of the correction: 1 is exact for outputs that are well calibrated log-probabilities


def _data_suspicion(facts: DataFacts) -> float:
    already = facts.best.arm.recipe.sampler == "balanced"
    return 0.5 * facts.headroom if facts.imbalance >= IMBALANCED and not already else 0.0


def _data_test(bench: Bench, facts: DataFacts) -> DataFinding | None:
    """Makes some of the common classes as rare as the rare ones, and counts what they lose.

    Where that decides nothing, correcting the outputs for the classes' shares may, for free.
    """
    strength = _strength(facts)
    thinned = _thinned(bench, facts, strength)
    if thinned is not None and (thinned.effect.low > 0 or strength is None):
        return thinned
    return None if strength is None else _corrected(facts, strength)


def _thinned(bench: Bench, facts: DataFacts, strength: float | None) -> DataFinding | None:
    rare = rare_classes(facts)
    losing = np.setdiff1d(np.arange(len(facts.classes)), rare)[
        ::2
    ]  # the rest stays, as the rare ones have it now
    images = max(1, round(int(np.isin(facts.targets[facts.train], rare).sum()) / len(rare)))
    rows = thin(facts.train, facts.targets, losing, images)
    tested = np.isin(facts.targets[facts.test], losing)
    if not tested.any():
        return None
    bench.add_subset("some classes thinned", rows)
    name = "best - images of some classes"
    arm = on_subset(facts.best.arm, "some classes thinned", len(rows), len(facts.train))
    after = bench.run(arm, name)
    lost = effect([(hits(after, facts)[tested], hits(facts.best, facts)[tested])])
    share = float(np.isin(facts.targets[facts.test], rare).mean())
    gain = Effect(lost.mean * share, lost.error * share, lost.low * share, lost.high * share)
    until = "" if strength is None else f"; until then subtract {_formula(strength)} from the outputs"
    return DataFinding(
        cause="class_imbalance",
        effect=gain,
        evidence=[
            f"{_sizes(facts)}. Made as rare ({images} training images each), {_names(facts, losing)} lose "
            f"{lost.mean:+.3f} [{lost.low:+.3f}, {lost.high:+.3f}] of their test images (measured); the rare "
            f"classes hold {share:.0%} of the test images, so as many images for them would add about "
            f"{gain.mean:+.3f}."
        ],
        fix={"data": f"more images of {_names(facts, rare)}{until}"},
        runs=[name],
    )


def rare_classes(facts: DataFacts) -> np.ndarray:
    """Returns the classes that have IMBALANCED times fewer training images than the largest."""
    sizes = np.bincount(facts.targets[facts.train], minlength=len(facts.classes))
    return np.flatnonzero(sizes * IMBALANCED <= sizes.max())


def thin(rows: np.ndarray, targets: np.ndarray, classes: np.ndarray, images: int) -> np.ndarray:
    """Returns the rows with this many of each of these classes, evenly spaced, in the given order."""
    labels = targets[rows]
    kept = ~np.isin(labels, classes)
    for label in classes:
        own = np.flatnonzero(labels == label)
        kept[own[np.linspace(0, len(own) - 1, min(images, len(own))).astype(int)]] = True
    return rows[kept]


def _strength(facts: DataFacts) -> float | None:
    """Returns the correction that gains most on validation images; None where none gains enough."""
    outputs, labels = facts.best.outcome.val_outputs, facts.targets[facts.val]

    def gained(strength: float) -> float:
        before, after = (store.hits(corrected(outputs, shares(facts), s), labels) for s in (0.0, strength))
        return float(after.mean() - before.mean())

    best = max(STRENGTHS, key=gained)
    return best if gained(best) >= facts.min_effect else None


def _corrected(facts: DataFacts, strength: float) -> DataFinding:
    outputs, labels = facts.best.outcome.test_outputs, facts.targets[facts.test]
    before, after = (store.hits(corrected(outputs, shares(facts), s), labels) for s in (0.0, strength))
    formula = _formula(strength)
    return DataFinding(
        cause="class_imbalance",
        effect=effect([(before, after)]),
        evidence=[
            f"{_sizes(facts)}; {formula} subtracted from the outputs of the best run takes test accuracy "
            f"from {before.mean():.3f} to {after.mean():.3f} (the strength chosen on validation images)."
        ],
        fix={"data": f"more images of the small classes; until then subtract {formula} from the outputs"},
        runs=[],
    )


def corrected(outputs: np.ndarray, share: np.ndarray, strength: float) -> np.ndarray:
    """Returns outputs (n, C) without the classes' shares (C,) of the training images (Menon et al. 2021)."""
    return np.asarray(outputs - strength * np.log(share))


def shares(facts: DataFacts) -> np.ndarray:
    """Returns the classes' shares (C,) of the training images; one without any counts as half an image."""
    counts = np.bincount(facts.targets[facts.train], minlength=len(facts.classes))
    return np.asarray(np.maximum(counts, 0.5) / len(facts.train))


def _formula(strength: float) -> str:
    return f"{strength:g} · log(share of the class in the training images)"


def _names(facts: DataFacts, classes: np.ndarray) -> str:
    named = [facts.classes[label] for label in classes[:SHOWN]]
    return ", ".join(named) + (f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else "")


def _sizes(facts: DataFacts) -> str:
    return f"The largest class has {facts.imbalance:.1f} times the training images of the smallest"


HYPOTHESIS = DataHypothesis(name="class_imbalance", suspicion=_data_suspicion, test=_data_test)
