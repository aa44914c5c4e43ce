"""Every intervention on a Keras script by its name, in the order in which they are made."""

from __future__ import annotations

from plateau_cause.capture.keras_child.interventions.base import Change
from plateau_cause.capture.keras_child.interventions.data import (
    AugmentedAnew,
    EvaluationClean,
    LabelsByFolder,
    LabelsMapped,
    Shuffle,
    SplitShuffled,
    TrainingClean,
)
from plateau_cause.capture.keras_child.interventions.held_out import HoldOut
from plateau_cause.capture.keras_child.interventions.model import (
    BatchNorm,
    EvaluationMode,
    NoDropout,
    NormMomentum,
    Preprocessing,
    Unfreeze,
)
from plateau_cause.capture.keras_child.interventions.training import (
    CallbackTurned,
    ClassWeight,
    CompileAgain,
    LogitsToLoss,
    NoEarlyStop,
    Rate,
    RateFull,
    Schedule,
    TrainingLength,
    WholePasses,
)
from plateau_cause.capture.keras_child.interventions.weights import (
    KeepLoaded,
    NoClipping,
    NoDecay,
    NoPenalty,
)

KINDS: dict[str, type[Change]] = {
    "hold_out": HoldOut,
    "keep_loaded": KeepLoaded,
    "unfreeze": Unfreeze, "batch_norm": BatchNorm,
    "norm_momentum": NormMomentum,
    "evaluation_mode": EvaluationMode,
    "preprocessing": Preprocessing, "evaluation_normalised": Preprocessing,
    "rate": Rate, "schedule": Schedule, "rate_full": RateFull,
    "logits_to_loss": LogitsToLoss, "training_length": TrainingLength,
    "whole_passes": WholePasses,
    "class_weight": ClassWeight, "compile_again": CompileAgain,
    "split_shuffled": SplitShuffled, "shuffle": Shuffle,
    "labels_mapped": LabelsMapped, "labels_by_folder": LabelsByFolder,
    "evaluation_clean": EvaluationClean, "training_clean": TrainingClean,
    "augmented_anew": AugmentedAnew,
    "no_dropout": NoDropout, "no_decay": NoDecay,
    "no_penalty": NoPenalty, "no_clipping": NoClipping,
    "no_early_stop": NoEarlyStop, "callback_turned": CallbackTurned,
}  # fmt: skip
ORDER = list(KINDS)  # what is trained on, then layers before rates, so that a rate is of what trains
