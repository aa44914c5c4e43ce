"""What a loaded backbone is: its stages, what its weights expect, how they were loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from plateau.recipe import Triple


@dataclass(frozen=True)
class Expectation:
    """The input that a backbone's weights were trained on, in unit scale and RGB order.

    Attributes:
        mean, std: per channel, of pixel values 0..1.
        size: input height = width, pixels.
        interpolation: nearest | bilinear | bicubic.
        crop_frac: side of the central crop divided by the side of the resized image.
        source: where these numbers come from, in words.
    """

    mean: Triple
    std: Triple
    size: int
    interpolation: str
    crop_frac: float
    source: str


@dataclass(frozen=True)
class LoadReport:
    """How a set of weights fitted a model; names are the model's own, of `unexpected` the weights'.

    Attributes:
        missing: entries of the model that the weights lack.
        unexpected: entries of the weights that the model lacks.
        mismatched: entries in both, of different shape; they were not loaded.
        loaded_frac: share of the body's numbers (everything but the classifier) that was loaded.
        prefix: what was stripped from the weights' names, such as "module."; "" if nothing.
        matched_by: "name", or "order" where no name agreed and every shape did, entry by entry.
        head_loaded: whether the classifier's entries were loaded too.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    loaded_frac: float = 0.0
    prefix: str = ""
    matched_by: str = "name"
    head_loaded: bool = False


@dataclass
class Backbone:
    """A classification model without its classifier, cut into stages that run one after the other.

    Attributes:
        name: as given, such as "resnet18".
        stages: float images (B, 3, S, S) -> pooled features (B, feature_dim). The last stage holds the final
            block, the neck and the pooling. A model that cannot be cut has a single stage, "body".
        stage_names: "stem", "block1", ...
        feature_dim: number of features.
        expects: the input that the weights were trained on.
        pretrained_head: features -> outputs for the classes of pretraining; None where the weights have none.
        load_report: how the weights fitted.
        original_names: name of each state entry of `stages` -> its name in the library's own model.
    """

    name: str
    stages: nn.Sequential
    stage_names: tuple[str, ...]
    feature_dim: int
    expects: Expectation
    pretrained_head: nn.Module | None
    load_report: LoadReport
    original_names: dict[str, str] = field(default_factory=dict)
