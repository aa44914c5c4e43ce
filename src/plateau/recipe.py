"""A fine-tuning recipe as frozen values: everything a user decides, nothing that is measured."""

from __future__ import annotations

from dataclasses import dataclass, field

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a decoded image becomes the model's input tensor."""

    size: int = 64  # pixels, height = width
    resize: str = "squash"  # squash | crop | pad
    interpolation: str = "bicubic"  # nearest | bilinear | bicubic
    scale: str = "unit"  # unit: 0..1 | byte: 0..255
    mean: str | Triple | None = "canonical"  # canonical | None: nothing is subtracted | values
    std: str | Triple | None = "canonical"  # canonical | None: nothing divides | values
    channels: str = "rgb"  # rgb | bgr


@dataclass(frozen=True, kw_only=True)
class Head:
    """What stands between the pooled features and the loss."""

    dropout: float = 0.0
    activation: str | None = None  # None | softmax | relu


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The training loss."""

    name: str = "cross_entropy"  # cross_entropy | nll | bce | mse
    label_smoothing: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """What moves the parameters."""

    name: str = "adamw"  # adamw | adam | sgd | rmsprop
    learning_rate: float = 0.001
    weight_decay: float = 0.01
    momentum: float = 0.9  # sgd and rmsprop only
    parameters: str = "trainable"  # trainable | head | backbone: which of them it holds


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long training lasts and how the learning rate moves over it."""

    name: str = "constant"  # constant | cosine | one_cycle
    epochs: int = 6
    warmup: float = 0.0  # fraction of all steps


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One complete fine-tuning recipe."""

    code: str | None = None  # path of the user's own Python file
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    augmentation: str = "none"  # none | flip | crop_flip | strong
    trainable: str = "head"  # none | head | last_block | all
    batch_norm: str = "train"  # train | frozen
    head: Head = field(default_factory=Head)
    loss: Loss = field(default_factory=Loss)
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    batch_size: int = 64
    shuffle: bool = True
    sampler: str = "uniform"  # uniform | balanced
