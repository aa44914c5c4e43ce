"""The plateau rules of four published tools, ported with their thresholds unchanged, over one recorded run.

Sources: umlaut/heuristics.py (Schoop et al., CHI 2021), DeepDiagnosis callback/callbacks.py (Wardat et al.,
ICSE 2022), AUTOTRAINER utils/monitor.py (Zhang et al., ICSE 2021), and the documented defaults of SageMaker
Debugger's built-in rules. Rules about text, profiling, or layers that no recorded signal shows are left out.

The tools name symptoms, not our causes. Each symptom is mapped to every cause that its advice could mean: a
hit is any of them. Rules that would fire on a correct PyTorch model only because its loss takes logits (no
softmax) are not raised, and warnings that mean no cause of ours are no accusation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Observed:
    """What the tools can see of one run of the user's recipe.

    Attributes:
        train_loss, val_loss, train_accuracy, val_accuracy: one value per epoch.
        learning_rate: the peak; dropout: of the head; activation: softmax, relu or None.
        loss_name: as declared or recognised.
        input_low, input_high, input_mean, input_size: of one batch as the network reads it.
        gradients: (epochs, blocks) upper bound of the mean absolute gradient, input side first.
        gradient_norms: (epochs, blocks).
        updates: (epochs, blocks) change of one step over the weights.
        outputs: (n_val, C) of the kept epoch; targets: (n_val,).
        class_counts: (C,) training images.
    """

    train_loss: np.ndarray
    val_loss: np.ndarray
    train_accuracy: np.ndarray
    val_accuracy: np.ndarray
    learning_rate: float
    dropout: float
    activation: str | None
    loss_name: str
    input_low: float
    input_high: float
    input_mean: float
    input_size: tuple[int, int]
    gradients: np.ndarray
    gradient_norms: np.ndarray
    updates: np.ndarray
    outputs: np.ndarray
    targets: np.ndarray
    class_counts: np.ndarray


@dataclass(frozen=True)
class Symptom:
    """What a rule found, and the causes of ours that its advice may mean."""

    name: str
    causes: frozenset[str]


def _means(*causes: str) -> frozenset[str]:
    return frozenset(causes)


INPUT = _means("preprocessing")
RATE_HIGH, RATE_LOW = _means("learning_rate_high"), _means("learning_rate_low")
OVERFIT = _means("limited_data", "regularization", "augmentation", "label_noise")
NOT_NUMBERS = _means("learning_rate_high", "preprocessing", "loss_function")
UNCHANGED = _means("frozen_layers", "optimizer_parameters", "learning_rate_low")
NOT_LEARNING = _means(
    *("learning_rate_low", "learning_rate_high", "training_length", "frozen_layers"),
    *("optimizer_parameters", "head", "loss_function", "weights_not_loaded"),
)
UNSTABLE = _means("learning_rate_high", "data_order", "batch_norm", "training_length")
Checks = list[tuple[str, bool, frozenset[str]]]


def umlaut(run: Observed) -> list[Symptom]:
    """Returns UMLAUT's messages in the order of its heuristics."""
    rising = (np.diff(run.train_loss) < 0) & (np.diff(run.val_loss) > 0)
    return _found(
        [
            (
                "input is not square",
                run.input_size[0] != run.input_size[1],
                _means("preprocessing", "resolution"),
            ),
            ("input exceeds typical limits", run.input_low < -1 or run.input_high > 1, INPUT),
            ("loss is not a number", not np.isfinite(run.train_loss).all(), NOT_NUMBERS),
            ("learning rate is high", run.learning_rate > 0.01, RATE_HIGH),
            ("learning rate is low", run.learning_rate < 1e-7, RATE_LOW),
            ("possible overfitting", bool(rising.any()), OVERFIT),
            ("activation on the last layer", run.activation == "relu", _means("head")),
            ("dropout above 0.5", run.dropout > 0.5, _means("regularization")),
        ]
    )


def deep_diagnosis(run: Observed) -> list[Symptom]:
    """Returns DeepDiagnosis' symptom: the first match stops the run."""
    moving = run.updates[run.updates > 0]
    dead = float((run.outputs <= 0).mean()) if run.activation == "relu" else 0.0
    found = _found(
        [
            ("not a number", not np.isfinite(run.train_loss).all(), NOT_NUMBERS),
            ("normalise the data", run.input_low < -1 or run.input_high > 1, INPUT),
            ("learning rate too high", bool((moving > 0.1).any()), RATE_HIGH),
            ("learning rate too low", bool((moving < 1e-5).any()), RATE_LOW),
            ("dead node", dead >= 0.7, _means("head", "learning_rate_high")),
            ("saturated activation", _saturated(run) > 0.5, _means("head", "preprocessing")),
            ("vanishing gradient", bool((run.gradients < 1e-7).any()), UNCHANGED | _means("head")),
            ("unchanged weight", _longest_still(run.updates) >= 5, UNCHANGED),
            ("loss not moving", _still(run.train_loss, 5), NOT_LEARNING),
            ("accuracy not moving", _still(run.train_accuracy, 5), NOT_LEARNING),
        ]
    )
    return found[:1]


def autotrainer(run: Observed) -> list[Symptom]:
    """Returns AUTOTRAINER's problems, in the order in which it repairs them."""
    ratio = run.gradient_norms[:, 0] / np.maximum(run.gradient_norms[:, -1], 1e-30)
    vanishing = bool(((ratio < 1e-3) & (run.gradient_norms[:, 0] < 1e-4)).any())
    exploding = (
        bool((ratio > 70).any()) or not np.isfinite(run.train_loss).all() or run.train_loss.max() >= 1e3
    )
    return _found(
        [
            ("abnormal data", abs(run.input_mean) > 10, INPUT),
            ("improper activation", run.activation == "relu", _means("head")),
            ("improper loss", run.loss_name in ("nll", "mse", "bce"), _means("loss_function")),
            ("exploding gradient", exploding, NOT_NUMBERS),
            ("vanishing gradient", vanishing, UNCHANGED | _means("head", "weights_not_loaded")),
            (
                "dying relu",
                float((run.gradient_norms == 0).mean()) >= 0.7,
                UNCHANGED | _means("head", "learning_rate_high"),
            ),
            ("oscillating", _oscillates(run.train_accuracy), UNSTABLE),
            ("not converged", _not_converged(run), NOT_LEARNING),
        ]
    )


def sagemaker(run: Observed) -> list[Symptom]:
    """Returns the alarms of SageMaker Debugger's rules under their defaults; an epoch counts as 10 steps."""
    losses = run.train_loss
    falls = (losses[1:] <= 0.999 * losses[:-1]).all() if len(losses) > 1 else True
    gap = (run.val_loss - run.train_loss) / np.maximum(np.abs(run.train_loss), 1e-12)
    counts = run.class_counts[run.class_counts > 0]
    return _found(
        [
            ("ExplodingTensor", not np.isfinite(losses).all(), NOT_NUMBERS),
            ("CheckInputImages", abs(run.input_mean) > 0.2, INPUT),
            ("VanishingGradient", bool((run.gradients < 1e-7).any()), UNCHANGED | _means("head")),
            ("UnchangedTensor", _longest_still(run.updates) >= 3, UNCHANGED),
            ("WeightUpdateRatio high", bool((run.updates > 10).any()), RATE_HIGH),
            ("WeightUpdateRatio low", bool(((run.updates < 1e-8) & (run.updates > 0)).any()), RATE_LOW),
            ("ClassImbalance", counts.max() / counts.min() > 10, _means("class_imbalance")),
            ("LossNotDecreasing", not bool(falls), NOT_LEARNING | UNSTABLE),
            ("Overfit", int((gap > 0.1).sum()) > 1, OVERFIT),
            (
                "Confusion",
                _confused(run),
                _means("class_overlap", "label_noise", "class_imbalance", "limited_data"),
            ),
        ]
    )


RULES: dict[str, Callable[[Observed], list[Symptom]]] = {
    "UMLAUT rules": umlaut,
    "DeepDiagnosis rules": deep_diagnosis,
    "AUTOTRAINER rules": autotrainer,
    "SageMaker rules": sagemaker,
}


def _found(checks: Checks) -> list[Symptom]:
    return [Symptom(name, causes) for name, fires, causes in checks if fires]


def _saturated(run: Observed) -> float:
    """Returns the share of outputs beyond +-5 where a saturating activation reads them."""
    if run.activation != "softmax":
        return 0.0
    return float((np.abs(np.log(np.clip(run.outputs, 1e-12, 1.0))) > 5).mean())


def _longest_still(updates: np.ndarray) -> int:
    """Returns the most recorded steps in a row in which a block's weights did not change."""
    longest = 0
    for column in updates.T:
        run = 0
        for value in column:
            run = run + 1 if value == 0 else 0
            longest = max(longest, run)
    return longest


def _still(curve: np.ndarray, epochs: int) -> bool:
    return len(curve) >= epochs and bool(np.allclose(curve[-epochs:], curve[-1]))


def _oscillates(accuracy: np.ndarray) -> bool:
    """Zeta 0.03: falls by that much; eta 0.2: in that share of the epochs."""
    return len(accuracy) > 1 and float((np.diff(accuracy) <= -0.03).mean()) >= 0.2


def _not_converged(run: Observed) -> bool:
    """Theta 0.6 on both accuracies; delta 0.01, the largest gain of an epoch after 30 % of them."""
    late = slice(int(0.3 * len(run.train_accuracy)), None)
    gains = np.diff(run.train_accuracy[late])
    slow = not len(gains) or float(gains.max()) < 0.01
    return slow and max(run.train_accuracy.max(), run.val_accuracy.max()) < 0.6


def _confused(run: Observed) -> bool:
    """Diagonal below 0.9 or an off-diagonal cell above 0.1 of a row of the confusion matrix."""
    counts = np.zeros((run.outputs.shape[1],) * 2)
    np.add.at(counts, (run.targets, np.nan_to_num(run.outputs).argmax(1)), 1)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    seen = counts.sum(1) > 0
    off = shares - np.diag(np.diag(shares))
    return bool((np.diag(shares)[seen] < 0.9).any() or (off > 0.1).any())
