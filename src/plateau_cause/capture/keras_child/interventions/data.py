"""Interventions on what is read: the order of training, labels and images of validation."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from plateau_cause.capture.child.doors.decoding import Raw
from plateau_cause.capture.keras_child import feeds, pipelines
from plateau_cause.capture.keras_child.describe import origins
from plateau_cause.capture.keras_child.dividing import unchanged
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.feeds import Feed, training_feed
from plateau_cause.capture.keras_child.filed import filed
from plateau_cause.capture.keras_child.interventions.base import Change, Fit, Phase
from plateau_cause.capture.keras_child.scene import Built, Scene

BUFFER = 10_000  # images that a shuffled pipeline keeps at once
SEED = 20_011


class Shuffle(Change):
    """Has training images come in another order in every epoch."""

    def before(self, fit: Fit) -> None:
        """Changes `x`, or `shuffle`."""
        feed = training_feed(fit.given)
        if feed.kind == "tf.data":
            size = origins.batch_size(feed, self._scene) or 32
            fit.given["x"] = feed.x.unbatch().shuffle(BUFFER, seed=SEED).batch(size).prefetch(1)
        elif feed.kind == "sequence" and hasattr(feed.x, "index_array"):
            feed.x.shuffle, feed.x.index_array = True, None
        elif feed.kind != "arrays":
            self._as_arrays(fit, feed)
        fit.given["shuffle"] = True
        self.took = feed.kind != "generator"

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Keeps where pipelines have their steps."""
        self._scene: Scene = doors.scene

    def _as_arrays(self, fit: Fit, feed: Feed) -> None:
        if feed.kind == "generator":
            self.words = "a generator has no order that could be changed"
            return
        x, y = feeds.whole(feed)
        fit.given |= {"x": x, "y": y, "batch_size": origins.batch_size(feed, self._scene)}
        fit.given.pop("steps_per_epoch", None)


class SplitShuffled(Change):
    """Puts arrays into another order before `validation_split` takes their end."""

    def before(self, fit: Fit) -> None:
        """Changes `x`, `y` and `sample_weight`."""
        feed = Feed(fit.given.get("x"), fit.given.get("y"), fit.given.get("sample_weight"))
        if feed.kind != "arrays" or not fit.given.get("validation_split"):
            return
        total = feeds.length(feed) or 0
        fit.train_on(feeds.taken(feed, random.Random(SEED).sample(range(total), total)))
        self.took = True


class LabelsMapped(Change):
    """Judges held-out images by the numbers that their classes have in training.

    Settings: `mapping`, from the number of a class in validation to its number in training.
    """

    def labels(self, numbers: Any) -> Any:
        """Returns the labels as in training."""
        import numpy as np

        mapping = {int(key): int(value) for key, value in self.settings["mapping"].items()}
        self.took = True
        return np.asarray([mapping.get(int(one), int(one)) for one in numbers])


class LabelsByFolder(Change):
    """Gives every image of an array the label of the folder that its file lies in.

    Settings: `level` of the path, `labels` by the folder's name.
    """

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Keeps what the script has decoded."""
        self._scene: Scene = doors.scene

    def before(self, fit: Fit) -> None:
        """Changes `y`."""
        feed = Feed(fit.given.get("x"), fit.given.get("y"))
        changed = self._labelled(feed)
        fit.given["y"] = changed.y
        self.took = changed is not feed

    def held_out(self, feed: Feed) -> Feed:
        """Returns the images under the labels of their folders."""
        return self._labelled(feed)

    def _labelled(self, feed: Feed) -> Feed:
        import numpy as np

        files = filed(feed, self._scene, range(feeds.length(feed) or 0)) if feed.kind == "arrays" else []
        told = [_of_folder(one.raw, self.settings) if one.raw else None for one in files]
        if not any(one is not None for one in told):
            return feed
        given = np.array(feed.y)
        is_shares = given.ndim == 2 and given.shape[1] > 1
        for number, label in enumerate(told):
            if label is not None:
                given[number] = np.eye(given.shape[1])[label] if is_shares else label
        return replace(feed, y=given)


def _of_folder(raw: Raw, settings: dict[str, Any]) -> int | None:
    parts = Path(raw.path or "").parts
    level = settings["level"]
    found: int | None = settings["labels"].get(parts[-level]) if len(parts) >= level else None
    return found


class EvaluationClean(Change):
    """Judges held-out images as they are: what changes them at random is left out of their pipeline."""

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Keeps where pipelines have their steps; layers of the model that act at random are told not to."""
        self._scene: Scene = doors.scene

        def act(layer: Any, named: dict[str, Any]) -> dict[str, Any]:
            if phase.is_training or not type(layer).__name__.startswith("Random"):
                return named
            self.took = True
            return {**named, "training": False}

        doors.acts.append(act)

    def held_out(self, feed: Feed) -> Feed:
        """Returns the images without the steps that change them at random."""
        cleaned = _cleaned(feed, self._scene)
        self.took = self.took or cleaned is not None
        return feed if cleaned is None else replace(feed, x=cleaned)


class TrainingClean(Change):
    """Trains on images as they are: layers and steps that change them at random are left out."""

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Keeps where pipelines have their steps; layers that act at random are told not to."""
        self._scene: Scene = doors.scene

        def act(layer: Any, named: dict[str, Any]) -> dict[str, Any]:
            if not type(layer).__name__.startswith("Random"):
                return named
            self.took = True
            return {**named, "training": False}

        doors.acts.append(act)

    def before(self, fit: Fit) -> None:
        """Changes `x`."""
        cleaned = _cleaned(training_feed(fit.given), self._scene)
        if cleaned is not None:
            fit.given["x"] = cleaned
            self.took = True


class AugmentedAnew(Change):
    """Changes images at random in every epoch: what a pipeline caches behind that is not cached."""

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Keeps where pipelines have their steps."""
        self._scene: Scene = doors.scene

    def before(self, fit: Fit) -> None:
        """Changes `x`."""
        feed = training_feed(fit.given)
        cached = origins.caches_behind_chance(feed, self._scene)

        def redo(so_far: Any, step: Built) -> Any:
            return so_far if any(step is one for one in cached) else pipelines.plainly(so_far, step)

        if cached:
            fit.given["x"] = pipelines.built(*pipelines.root(feed.x, self._scene), redo)
            self.took = True


def _cleaned(feed: Feed, scene: Scene) -> Any:
    """Returns what a feed reads without the steps that change images at random; None where there are none."""
    if origins.generator(feed, scene) is not None:
        iterator = copy.copy(feed.x)
        iterator.image_data_generator = unchanged(feed.x.image_data_generator)
        return iterator
    quietly = pipelines.quietly(feed, scene)
    return None if quietly is None else pipelines.built(*pipelines.root(feed.x, scene), quietly)
