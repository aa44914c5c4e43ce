"""Classes of very different size, and how the sampler deals with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from plateau_cause import numbers
from plateau_cause.causes.factor import Evidence, RecipeFactor
from plateau_cause.causes.trial import DataCause, DataFacts, Trial, on_subset, points
from plateau_cause.causes.words import Words
from plateau_cause.lab import store
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.belief import Belief

IMBALANCED = 3.0  # largest over smallest class from which sampling is worth a run
SHOWN = 5  # classes in a sentence
STRENGTHS = (0.5, 1.0)  # of the correction: 1 is exact for outputs that are well calibrated log-probabilities
SURELY = 1.64  # standard errors above nothing: one in twenty by chance
THINNED = "some classes thinned"


def _prior(arm: Arm, other: Arm, evidence: Evidence) -> float:
    return 0.4 if evidence.imbalance >= IMBALANCED else 0.03


def _explain_sampler(arm: Arm, other: Arm, evidence: Evidence) -> list[str]:
    return [
        f"The largest class has {evidence.imbalance:.1f} times the training images of the smallest; sampler "
        f"{arm.recipe.sampler} was exchanged for {other.recipe.sampler}."
    ]


WORDS = Words(
    title="A few classes crowd out the rest",
    repair="Correct the imbalance",
    explanation=(
        "Most training images belong to few classes, so the model can do well in training and ignore "
        "the others."
    ),
)
FACTOR = RecipeFactor(
    order=12, words=WORDS, name="class_imbalance", keys=("sampler",), prior=_prior, explain=_explain_sampler
)


def _data_prior(facts: DataFacts) -> float:
    already = facts.best.arm.recipe.sampler == "balanced"
    is_asked = facts.imbalance >= IMBALANCED and not already and 0.5 * facts.headroom >= facts.min_effect
    return 0.4 if is_asked else 0.0


def _trial(facts: DataFacts) -> Trial | None:
    """Returns the outputs corrected for the classes' shares where validation says that this helps.

    Elsewhere some of the common classes are made as rare as the rare ones, and what they lose is counted.
    """
    strength = _strength(facts)
    return _thinned(facts) if strength is None else _corrected(facts, strength)


def _thinned(facts: DataFacts) -> Trial | None:
    rare = rare_classes(facts)
    # The rest stays, as the rare ones have it
    losing = np.setdiff1d(np.arange(len(facts.classes)), rare)[::2]
    images = max(1, round(int(np.isin(facts.targets[facts.train], rare).sum()) / max(1, len(rare))))
    rows = thin(facts.train, facts.targets, losing, images)
    tested = np.isin(facts.targets[facts.test], losing)
    share = float(np.isin(facts.targets[facts.test], rare).mean())
    if not tested.any() or not share:
        return None
    return Trial(
        base=facts.best,
        base_name="best",
        name="best - images of some classes",
        arms=(on_subset(facts.best.arm, THINNED, len(rows), len(facts.train)),),
        subsets={THINNED: rows},
        repairs=False,
        counted=tested,
        carried=partial(Belief.times, factor=share),
        facts={"losing": _names(facts, losing), "images": images, "share": share},
    )


def _corrected(facts: DataFacts, strength: float) -> Trial:
    outputs = corrected(facts.best.outcome.test_outputs, shares(facts), strength)
    return Trial(
        base=facts.best,
        base_name="best",
        name="best, outputs corrected",
        after=store.hits(outputs, facts.targets[facts.test]),
        facts={"strength": strength},
    )


def _explain(facts: DataFacts, trial: Trial, measured: Belief) -> list[str]:
    sizes = f"The largest class has {facts.imbalance:.1f} times the training images of the smallest"
    if "strength" in trial.facts:
        return [
            f"{sizes}; {_formula(trial.facts['strength'])} subtracted from the outputs of the best run "
            f"changes its test accuracy by {points(measured)} (the strength chosen on validation images)."
        ]
    return [
        f"{sizes}. Made as rare ({trial.facts['images']} training images each), {trial.facts['losing']} "
        f"lose {points(measured)} on their test images (measured); the rare classes hold "
        f"{trial.facts['share']:.0%} of the test images, so as many images for them would add about "
        f"{numbers.points(trial.carried(measured).mean)} (extrapolated)."
    ]


def _fix(facts: DataFacts, trial: Trial) -> Mapping[str, Any]:
    if "strength" in trial.facts:
        formula = _formula(trial.facts["strength"])
        return {"data": f"more images of the small classes; until then subtract {formula} from the outputs"}
    return {"data": f"more images of {_names(facts, rare_classes(facts))}"}


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
    """Returns the correction that gains most on validation images; None where none surely gains enough."""
    outputs, labels = facts.best.outcome.val_outputs, facts.targets[facts.val]
    before = store.hits(outputs, labels).astype(float)

    def change(strength: float) -> np.ndarray:
        return np.asarray(store.hits(corrected(outputs, shares(facts), strength), labels) - before)

    strength = max(STRENGTHS, key=lambda strength: float(change(strength).sum()))
    gained = change(strength)
    is_sure = gained.sum() >= SURELY * np.sqrt(np.abs(gained).sum())  # so many may change by chance
    return strength if gained.mean() >= facts.min_effect and is_sure else None


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


DATA_CAUSE = DataCause(
    name="class_imbalance", words=WORDS, prior=_data_prior, trial=_trial, explain=_explain, fix=_fix
)
