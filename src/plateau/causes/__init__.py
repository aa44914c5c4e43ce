"""The registry of causes: the only place that lists them; everything else works through it."""

from __future__ import annotations

from plateau.causes import (
    augmentation,
    batch_norm,
    class_imbalance,
    data_order,
    frozen_layers,
    head,
    learning_rate,
    loss_function,
    optimizer_parameters,
    preprocessing,
    regularization,
    resolution,
    training_length,
    weights_not_loaded,
)
from plateau.causes.factor import RecipeFactor

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
