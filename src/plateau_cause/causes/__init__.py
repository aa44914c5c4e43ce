"""The registry of causes: the only place that lists them; everything else works through it."""

from __future__ import annotations

from plateau_cause.causes import (
    augmentation,
    batch_norm,
    class_imbalance,
    class_overlap,
    data_order,
    feature_misalignment,
    frozen_layers,
    head,
    label_noise,
    learning_rate,
    limited_data,
    loss_function,
    optimizer_parameters,
    preprocessing,
    regularization,
    resolution,
    training_length,
    weights_not_loaded,
)
from plateau_cause.causes.factor import RecipeFactor
from plateau_cause.causes.hypothesis import DataHypothesis

# Swapped in this order where several are swapped at once: what moves comes before how fast it moves.
RECIPE_FACTORS: tuple[RecipeFactor, ...] = (
    weights_not_loaded.FACTOR,
    preprocessing.FACTOR,
    resolution.FACTOR,
    augmentation.FACTOR,
    frozen_layers.FACTOR,
    optimizer_parameters.FACTOR,
    batch_norm.FACTOR,
    head.FACTOR,
    loss_function.FACTOR,
    regularization.FACTOR,
    data_order.FACTOR,
    class_imbalance.FACTOR,
    training_length.FACTOR,
    learning_rate.FACTOR,
)

DATA_HYPOTHESES: tuple[DataHypothesis, ...] = (
    label_noise.HYPOTHESIS,
    limited_data.HYPOTHESIS,
    class_imbalance.HYPOTHESIS,
    class_overlap.HYPOTHESIS,
    feature_misalignment.HYPOTHESIS,
)
