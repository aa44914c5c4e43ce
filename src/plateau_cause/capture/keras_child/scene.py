"""What the doors have seen so far, by object: where it was made, how, and in what order things happened."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plateau_cause.capture.child.album import Album
from plateau_cause.capture.child.places import Place, Registry
from plateau_cause.capture.keras_child.unsaved import Unsaved


@dataclass
class Written:
    """A value that the script wrote: where, and when among everything that it wrote."""

    place: Place | None
    order: int
    value: Any = None


@dataclass
class Built:
    """What a function of Keras made: by which name, from which arguments, where."""

    by: str
    arguments: dict[str, Any]
    place: Place | None


@dataclass
class Called:
    """How a layer was called when the model was put together, or while it ran."""

    place: Place | None
    training: bool | None  # as the script gave it; None: left to Keras


@dataclass
class Compiled:
    """One call of `compile`."""

    place: Place | None
    arguments: dict[str, Any]
    order: int
    trainable: set[int] | None = None  # identities of what the first fit after it trained


@dataclass
class Scene:
    """Everything that was seen, filled by the doors."""

    places: Registry[Place] = field(default_factory=Registry)  # layers, optimizers, losses, data sets
    networks: Registry[Built] = field(default_factory=Registry)  # models of keras.applications, of Hub
    readers: Registry[Built] = field(default_factory=Registry)  # data sets and generators that read folders
    steps: Registry[Built] = field(default_factory=Registry)  # tf.data: the step that led to a data set
    calls: Registry[Called] = field(default_factory=Registry)  # models and layers within a model
    flags: Registry[Written] = field(default_factory=Registry)  # `trainable` of layers
    compiled: Registry[Compiled] = field(default_factory=Registry)
    album: Album | None = None  # of what the script decodes; None: nothing asks for it
    wholes: Registry[Any] = field(default_factory=Registry)  # network and head as one, see beforehand
    unsaved: Unsaved = field(default_factory=Unsaved)  # of a peek
    fitted: set[int] = field(default_factory=set)  # identities of models that were trained
    loaded: list[Any] = field(default_factory=list)  # weights from files, see loading.Loaded
    preprocessed: list[Built] = field(default_factory=list)  # calls of preprocess_input
    tape: Place | None = None  # the first gradient that the script itself asked a tape for
    by_batch: Place | None = None  # the first call of `train_on_batch`
    when_by_hand: Callable[[], None] = lambda: None  # is told that a script trains without `fit`
    is_training: bool = False  # whether a fit or an evaluation runs now
    training_at: Place | None = None  # the script's call of it
    refused: str | None = None  # what cannot be captured, in one line
    clock: Any = field(default_factory=itertools.count)

    def now(self) -> int:
        """Returns a number higher than every one before."""
        return int(next(self.clock))
