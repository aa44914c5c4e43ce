"""The reference recipe: what the weights declare, trained with care; the best of a few on validation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from plateau_cause.config.recipe import Optimizer, Preprocessing, Recipe, Schedule, put
from plateau_cause.features.probes import linear_probe
from plateau_cause.images.preprocessing import canonical
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.effort import epochs_of_all
from plateau_cause.lab.laboratory import Laboratory
from plateau_cause.lab.rates import USUAL, Rates
from plateau_cause.lab.store import Result, hits

BATCH_SIZE = 32
SMALL_SET, SMALL_BATCH = 512, 16  # few images: twice the steps for the same work
HEAD_STEPS, MOST_HEAD_EPOCHS = 1500, 200  # on cached features a step costs next to nothing, an epoch does not
WEIGHT_DECAY = {"adamw": 0.01, "adam": 0.0, "rmsprop": 0.0, "sgd": 1e-4}
# Plain SGD diverges at three times its range-test optimum (measured), so close to it training is luck.
RATIO = {"sgd": 0.5}  # of the optimum; 1 for the others
SMALL_PX = 64  # up to this size doubling the input more than once costs little
WORTH_LARGER = (
    0.03  # accuracy that must be missing, and that a probe must gain, before larger images are tried
)
SIMILAR = 0.03  # validation accuracy: less is not worth reporting
NOTHING_LEFT = 0.995  # validation accuracy from which tuning more layers cannot show a gain
FITTED = 0.97  # training accuracy below which a network whose every layer moves is tried at a higher rate
HIGHER = 3.0  # times its rate


def candidates(lab: Laboratory, rates: Rates, recipe: Arm) -> list[Arm]:
    """Returns what may become the reference: a new head alone, every layer; the one like the recipe first."""
    n = len(lab.subsets["all"])
    steps = math.ceil(n / _batch_size(n))
    head = _arm(lab, recipe, "head", min(MOST_HEAD_EPOCHS, math.ceil(HEAD_STEPS / steps)))
    everything = _arm(lab, recipe, "all", epochs_of_all(n))
    # What the user's network does between its layers would be in every arm: the declared one goes beside it.
    arms = [everything, replace(everything, own=frozenset())] if everything.own else [head, everything]
    arms.sort(key=lambda arm: not _is_like(arm, recipe))
    return [_at_its_rate(rates, arm) for arm in arms]


def train(lab: Laboratory, rates: Rates, recipe: Arm) -> list[Result]:
    """Returns the trained candidates; the rest is spared once one leaves nothing to gain.

    Where arms are trained at once, nothing is spared; what would have been does not count: the answer is the
    same.
    """
    results: list[Result] = []
    wanted = [(arm, f"reference ({_kind(recipe, arm)})") for arm in candidates(lab, rates, recipe)]
    if lab.workers > 1:
        lab.run_all(wanted, keep_weights=True)
    for one in wanted:
        if not results or validation(lab, results[-1]) < NOTHING_LEFT:
            results += lab.run_all([one], keep_weights=True)
    best = choose(lab, results)
    faster = _faster(best) if validation(lab, best) < NOTHING_LEFT else None
    if faster is not None:
        results += lab.run_all([(faster, "reference (higher rate)")], keep_weights=True)
    best = choose(lab, results)
    larger = _enlarged(lab, rates, best)
    if larger is not None:
        larger = _at_higher_rate(larger) if best.arm == faster else larger
        name = f"reference ({larger.recipe.preprocessing.size} px)"
        results += lab.run_all([(larger, name)], keep_weights=True)
    return results


@dataclass(frozen=True)
class Trained:
    """A reference, trained.

    Attributes:
        results: one per seed.
        tried: the other candidates.
        seconds: of all, range tests included.
    """

    results: list[Result]
    tried: list[Result]
    seconds: float


def train_all(lab: Laboratory, rates: Rates, recipe: Arm, seeds: Sequence[int]) -> Trained:
    """Returns the best candidate under every seed, and the others under that of the recipe's arm."""
    tried = train(lab, rates, recipe)
    best = choose(lab, tried)
    results = lab.run_all([(best.arm.with_seed(seed), "reference") for seed in seeds], keep_weights=True)
    everything = {result.key: result for result in [*tried, *results]}
    seconds = sum(result.outcome.seconds for result in everything.values()) + rates.seconds
    return Trained(results, [result for result in tried if result.key != best.key], seconds)


def _kind(recipe: Arm, arm: Arm) -> str:
    is_declared = "model" in recipe.own and not arm.own
    return f"declared network, {arm.recipe.trainable}" if is_declared else str(arm.recipe.trainable)


def _faster(best: Result) -> Arm | None:
    """Returns the best candidate at a higher rate, where every layer moved and did not fit the images.

    The range test is believed within a decade of what suits usual networks; a small one, or one that was
    pretrained on little, needs more (six drawn shapes: 0.89 at 0.0007, 0.95 at 0.002).
    """
    arm, kept = best.arm, best.outcome.kept_epoch
    if arm.recipe.trainable != "all" or kept == 0:
        return None
    if best.outcome.history[kept - 1]["train_accuracy"] >= FITTED:
        return None
    return _at_higher_rate(arm)


def _at_higher_rate(arm: Arm) -> Arm:
    rate = float(f"{HIGHER * arm.recipe.optimizer.learning_rate:.3g}")
    return replace(arm, recipe=put(arm.recipe, {"optimizer.learning_rate": rate}))


def _enlarged(lab: Laboratory, rates: Rates, best: Result) -> Arm | None:
    """Returns the best candidate with larger images, where frozen features on them reach what it reached.

    A frozen probe that comes up to a trained network says that the images were too small; one that only gains
    says little, for training makes up for that, and every doubling costs four times the work.
    """
    arm, reached = best.arm, validation(lab, best)
    given = arm.recipe.preprocessing
    sizes = larger_sizes(given.size, lab.backbone(arm.weights).expects.size)
    if not sizes or arm.own or 1.0 - reached < WORTH_LARGER:
        return None
    seen = {size: probed(lab, replace(given, size=size), arm.weights) for size in [given.size, *sizes]}
    wanted = max(reached, seen[given.size] + WORTH_LARGER)
    size = next((size for size in sizes if seen[size] >= wanted), None)
    if size is None:
        return None
    larger = replace(arm, recipe=put(arm.recipe, {"preprocessing.size": size}))
    return _at_its_rate(rates, larger)


def larger_sizes(given: int, expected: int) -> list[int]:
    """Returns input sizes to try, smallest first: doublings up to 64 px, or one, within what is expected."""
    sizes = [2 * given]
    while 2 * sizes[-1] <= SMALL_PX:
        sizes.append(2 * sizes[-1])
    return [size for size in sizes if size <= expected]


def probed(lab: Laboratory, preprocessing: Preprocessing, weights: str) -> float:
    """Returns the validation accuracy of a linear probe on the frozen features under this preprocessing."""
    key = (preprocessing, weights)
    if key not in lab.probes:
        train, val = lab.dataset.indices("train"), lab.dataset.indices("val")
        features, targets = lab.features(preprocessing, weights), lab.dataset.targets
        lab.probes[key] = linear_probe(features, targets, train, val, lab.num_classes).accuracy["val"]
    return lab.probes[key]


def choose(lab: Laboratory, results: list[Result]) -> Result:
    """Returns the result with the highest validation accuracy, the cheaper one where they are equal.

    One that trains every layer is preferred within SIMILAR, a few validation images: a frozen one would hide
    what frozen layers cost, and what is wrong with how the others are trained. So is the user's own network.
    """
    least = max(validation(lab, result) for result in results) - SIMILAR
    preferred = [r for r in results if r.arm.recipe.trainable == "all" and validation(lab, r) >= least]
    own = [result for result in preferred if result.arm.own]
    return max(own or preferred or results, key=lambda result: (validation(lab, result), -result.cost))


def _is_like(arm: Arm, recipe: Arm) -> bool:
    return arm.recipe.trainable == recipe.recipe.trainable


def validation(lab: Laboratory, result: Result) -> float:
    """Returns the validation accuracy of the kept epoch."""
    rows = lab.dataset.indices("val")
    return float(hits(result.outcome.val_outputs, lab.dataset.targets[rows]).mean())


def _arm(lab: Laboratory, recipe: Arm, trainable: str, epochs: int) -> Arm:
    name = recipe.recipe.optimizer.name if recipe.recipe.optimizer.name in USUAL else "adamw"
    weights = "bundled" if lab.weights == "none" and lab.can_load("bundled") else lab.weights
    size = recipe.recipe.preprocessing.size
    values = Recipe(
        preprocessing=canonical(lab.backbone(weights).expects, size),
        trainable=trainable,
        batch_norm="frozen",
        optimizer=Optimizer(name=name, weight_decay=WEIGHT_DECAY[name]),
        schedule=Schedule(name="cosine", epochs=epochs, warmup=0.1, keep="best"),
        batch_size=_batch_size(len(lab.subsets["all"])),
    )
    return Arm(recipe=values, weights=weights, own=_own(recipe), seed=recipe.seed)


def _at_its_rate(rates: Rates, arm: Arm) -> Arm:
    return rates.carry(arm, arm, ratio=RATIO.get(arm.recipe.optimizer.name, 1.0))


def _own(recipe: Arm) -> frozenset[str]:
    """Returns the pieces of the user's file that the reference keeps: a model with the backbone's layers."""
    return frozenset() if recipe.weights == "other" else recipe.own & {"model"}


def _batch_size(images: int) -> int:
    """Returns images per step: on 180 drawings half the batch took the reference from 0.90 to 0.97."""
    return SMALL_BATCH if images <= SMALL_SET else BATCH_SIZE
