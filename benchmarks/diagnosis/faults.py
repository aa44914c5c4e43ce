"""The vocabulary of faults: what each changes, and the contract's cause that it is planted as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        cause: the contract's name for it.
        recipe: dotted keys of the recipe.
        code: a file of forum/ that the user pasted.
        data: keys of data_faults.FAULTS, joined by "+".
        weights: what the backbone starts from instead.
        twin: the fault that takes its place in the healthy twin, where nothing at all would be unfair.
    """

    cause: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None
    data: str | None = None
    weights: str | None = None
    twin: str | None = None


FAULTS: dict[str, Fault] = {
    # preprocessing
    "bytes": Fault("preprocessing", {"preprocessing.scale": "byte"}),
    "no-norm": Fault("preprocessing", {"preprocessing.mean": None, "preprocessing.std": None}),
    "bgr": Fault("preprocessing", {"preprocessing.channels": "bgr"}),
    "code-no-norm": Fault("preprocessing", code="not_normalised"),
    "code-255-twice": Fault("preprocessing", code="divided_twice"),
    "code-bgr-bytes": Fault("preprocessing", code="bgr_bytes"),
    # what the network sees and learns
    "tiny-input": Fault("resolution", {"preprocessing.size": 16}),
    "strong": Fault("augmentation", {"augmentation": "strong"}),
    "flip": Fault("augmentation", {"augmentation": "flip"}),
    "head-only": Fault("frozen_layers", {"trainable": "head", "optimizer.learning_rate": 3e-3}),
    "code-all-frozen": Fault("frozen_layers", code="all_frozen"),
    "code-frozen-backbone": Fault("frozen_layers", code="frozen_backbone"),
    "code-nested": Fault("weights_not_loaded", code="nested_checkpoint"),
    "code-module-prefix": Fault("weights_not_loaded", code="module_prefix"),
    "bn-train": Fault("batch_norm", {"batch_norm": "train"}),
    "code-bn-lags": Fault("batch_norm", code="batch_norm_lags"),
    "code-frozen-bn-trains": Fault("batch_norm", code="frozen_batch_norm_trains"),
    # head, loss, optimiser
    "softmax": Fault("head", {"head.activation": "softmax"}),
    "code-softmax": Fault("head", code="softmax_twice"),
    "code-relu": Fault("head", code="relu_logits"),
    "nll": Fault("loss_function", {"loss.name": "nll"}),
    "mse": Fault("loss_function", {"loss.name": "mse"}),
    "holds-backbone": Fault("optimizer_parameters", {"optimizer.parameters": "backbone"}),
    "holds-head": Fault("optimizer_parameters", {"optimizer.parameters": "head"}),
    "code-no-head": Fault("optimizer_parameters", code="optimizer_without_head"),
    "code-only-head": Fault("optimizer_parameters", code="optimizer_head_only"),
    "rate-1e-6": Fault("learning_rate_low", {"optimizer.learning_rate": 1e-6}),
    "code-step-lr": Fault("learning_rate_low", code="step_lr_too_small"),
    "rate-0.03": Fault("learning_rate_high", {"optimizer.learning_rate": 0.03}),
    "rate-x2": Fault("learning_rate_high", {"optimizer.learning_rate": 4e-3}),
    "code-sgd-hot": Fault("learning_rate_high", code="sgd_too_hot"),
    "one-epoch": Fault("training_length", {"schedule.epochs": 1}),
    "decay": Fault("regularization", {"optimizer.weight_decay": 200.0}),
    "code-decay": Fault("regularization", code="weight_decay"),
    "code-dropout": Fault("regularization", code="dropout"),
    "smoothing": Fault("regularization", {"loss.label_smoothing": 0.1}),
    "dropout-0.3": Fault("regularization", {"head.dropout": 0.3}),
    # the data and their order
    "sorted": Fault("data_order", {"shuffle": False}),
    "unshuffled-mixed": Fault("data_order", {"shuffle": False}, data="mixed"),
    "imbalance": Fault("class_imbalance", data="imbalance", twin="balanced"),
    "balanced": Fault("limited_data", data="balanced"),
    "double": Fault("limited_data", data="double"),
    "noise": Fault("label_noise", data="noise"),
    "few": Fault("limited_data", data="few"),
    "overlap": Fault("class_overlap", data="overlap"),
    "tints": Fault("feature_misalignment", weights="resnet-tints"),
    "scratch": Fault("feature_misalignment", {"batch_norm": "train"}, weights="none"),
    # nothing wrong
    "code-healthy": Fault("head", code="healthy"),
    "code-transform-healthy": Fault("preprocessing", code="transform_healthy"),
}
