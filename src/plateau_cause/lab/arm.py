"""An arm: one recipe to train, with every value concrete."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from plateau_cause.config.recipe import Recipe

# The pieces that a user's file can bring. A piece in `Arm.own` runs as the file has it;
# every other piece follows the declared recipe.
OWN_PIECES = {
    "transform": ("transform", "augmentation", "evaluation"),
    "build_model": ("model", "weights", "trainable", "activation", "dropout"),
    "loss": ("loss",),
    "optimizer": ("optimizer", "parameters", "learning_rate", "weight_decay", "clearing"),
    "on_train_start": (),
}
OTHER_WEIGHTS = "other"  # those of an arm whose model comes with its own


MODEL_PIECES = frozenset(OWN_PIECES["build_model"])


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One recipe to train.

    Attributes:
        recipe: every "canonical" already replaced by numbers.
        weights: what the backbone starts from, as in `backbone.weights`, or OTHER_WEIGHTS.
        own: the pieces (values of OWN_PIECES, "batch_norm") that the user's file decides.
        images: which training images: "all", "half", or a key of the laboratory's subsets.
        seed: of initialisation, order, augmentation and dropout.
    """

    recipe: Recipe
    weights: str
    own: frozenset[str] = frozenset()
    images: str = "all"
    seed: int = 0

    def digest(self, context: str) -> str:
        """Returns a content key: equal arms in an equal context share it."""
        values = {**asdict(self), "own": sorted(self.own), "context": context}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:24]

    def with_seed(self, seed: int) -> Arm:
        """Returns the same arm under another seed."""
        return replace(self, seed=seed)


def pieces_of(functions: tuple[str, ...]) -> frozenset[str]:
    """Returns every piece that a file defining these functions decides."""
    pieces = {piece for name in functions for piece in OWN_PIECES[name]}
    if "build_model" in functions or "on_train_start" in functions:
        pieces.add("batch_norm")  # a model's own train(), or the callback, sets the modes
    return frozenset(pieces)
