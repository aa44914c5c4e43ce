"""The laboratory: the data, the backbone and the user's code held fixed, while arms are trained in it.

What is finished is kept in a folder by content, so that no arm is ever trained twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from plateau_cause.backbones import load_backbone
from plateau_cause.backbones.types import Backbone
from plateau_cause.config.recipe import Preprocessing
from plateau_cause.errors import PlateauError
from plateau_cause.features.embed import embed
from plateau_cause.images import resized
from plateau_cause.images.store import Dataset
from plateau_cause.lab import build, identity, store
from plateau_cause.lab.arm import OTHER_WEIGHTS, Arm
from plateau_cause.lab.store import Result
from plateau_cause.training.loop import train
from plateau_cause.training.task import Rows
from plateau_cause.training.transform_inputs import TransformInputs
from plateau_cause.training.user_code import UserCode, renewed

OnEpoch = Callable[[str, dict[str, float]], None]
Wanted = tuple[Arm, str]  # an arm, and the name that is shown beside its progress


class Team(Protocol):
    """Who trains several arms at once, in other processes or on other machines (lab/launch)."""

    def workers(self, lab: Laboratory) -> int:
        """Returns how many arms are trained at once."""
        ...

    def finish(self, lab: Laboratory, wanted: Sequence[Wanted], keep_weights: bool) -> None:
        """Returns when the runs lie in the laboratory's folder, save those that are better trained here."""
        ...


@dataclass
class Laboratory:
    """What every arm shares.

    Attributes:
        dataset: the prepared images and their splits.
        backbone_name, weights: what params.yaml declares.
        code: the user's own functions.
        device: where training runs.
        folder: finished runs and checkpoints, or None to keep nothing.
        shelves: further folders in which finished runs may lie; read only.
        subsets: training rows by name; an arm's `images` chooses one.
        probes: validation accuracies of linear probes, by preprocessing and weights.
        pixels: folder for resized images and features of large sets; None for the system's temporary one.
        part_of: how many training images there are, where these are only a part of them.
        part: rows of all images that are in this part.
        team: trains arms that are asked for together; None: one after the other, in this process.
    """

    dataset: Dataset
    backbone_name: str
    weights: str
    code: UserCode
    device: torch.device
    folder: Path | None = None
    shelves: tuple[Path, ...] = ()
    subsets: dict[str, np.ndarray] = field(default_factory=dict)
    probes: dict[tuple[Preprocessing, str], float] = field(default_factory=dict)
    pixels: Path | None = None
    on_epoch: OnEpoch | None = None
    part_of: int | None = None
    part: np.ndarray | None = None
    team: Team | None = None
    _backbones: dict[str, Backbone] = field(default_factory=dict)
    _images: dict[Preprocessing, np.ndarray] = field(default_factory=dict)
    _features: dict[tuple[Preprocessing, str], np.ndarray] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._model_files = identity.model_files(self.backbone_name)
        self.subsets.setdefault("all", self.dataset.indices("train"))
        self.targets = torch.tensor(self.dataset.targets, device=self.device)

    @property
    def num_classes(self) -> int:
        """Returns the number of classes."""
        return len(self.dataset.classes)

    @cached_property
    def sides_differ(self) -> bool:
        """Returns whether the user's transform gives evaluation other images, in more than chance."""
        transform = self.code.transform
        if transform is None:
            return False
        return TransformInputs(self.dataset.store, transform, True, self.device).sides_differ()

    def over(self, rows: np.ndarray) -> Laboratory:
        """Returns a laboratory like this one over a part of the images; the features at hand go along."""
        return replace(
            self,
            dataset=self.dataset.subset(rows),
            part_of=len(self.dataset.indices("train")),
            part=rows if self.part is None else self.part[rows],
            subsets={},
            probes={},
            _images={},
            _features={key: found[rows] for key, found in self._features.items()},
        )

    def rows(self, arm: Arm) -> Rows:
        """Returns the manifest rows that the arm trains, chooses and is judged on."""
        return Rows(self.subsets[arm.images], self.dataset.indices("val"), self.dataset.indices("test"))

    def backbone(self, weights: str | None = None) -> Backbone:
        """Returns the declared backbone under these weights (the declared ones for None), loaded once."""
        key = self.weights if weights is None else weights
        if key not in self._backbones:
            self._backbones[key] = load_backbone(self.backbone_name, key)
        return self._backbones[key]

    def can_load(self, weights: str) -> bool:
        """Returns whether these weights exist for the declared backbone on this machine."""
        try:
            self.backbone(weights)
        except PlateauError:
            return False
        return True

    def images(self, preprocessing: Preprocessing) -> np.ndarray:
        """Returns all images (N, 3, S, S) uint8, resized as the preprocessing says, resized once.

        Large sets lie in a mapped file, see `images.resized`.
        """
        spatial = Preprocessing(
            size=preprocessing.size, resize=preprocessing.resize, interpolation=preprocessing.interpolation
        )
        if spatial not in self._images:
            self._images[spatial] = resized.whole(self.dataset, spatial, self.pixels)
        return self._images[spatial]

    def features(self, preprocessing: Preprocessing, weights: str | None = None) -> np.ndarray:
        """Returns the frozen backbone's features (N, D) float32 of all images, computed once."""
        key = (preprocessing, self.weights if weights is None else weights)
        if key not in self._features:
            backbone = self.backbone(key[1])
            images = self.images(preprocessing)
            found, _ = embed(backbone, images, preprocessing, self.device, folder=self.pixels)
            self._features[key] = found
        return self._features[key]

    def remember(self, views: Mapping[tuple[Preprocessing, str], np.ndarray]) -> None:
        """Takes features that an earlier stage computed."""
        self._features.update(views)

    def add_subset(self, name: str, rows: np.ndarray) -> None:
        """Names a set of training rows, for `Arm.images`."""
        self.subsets[name] = rows

    def context(self, arm: Arm) -> str:
        """Returns what besides the arm decides its result: images, weights, code of plateau and the user."""
        network = [self.backbone_name, self._model_files, self._weights_digest(arm.weights)]
        code = [identity.own_code(), self.code.digest]
        return "/".join([self.dataset.digest, *network, *code, self.device.type])

    def key(self, arm: Arm) -> str:
        """Returns the arm's content key in this laboratory, the images it learns from included."""
        rows = self.subsets[arm.images]
        return arm.digest(f"{self.context(arm)}/{store.rows_digest(rows)}")

    def _weights_digest(self, weights: str) -> str:
        """Returns what these weights are; of those that the user's model brings its code tells enough."""
        if weights in ("none", OTHER_WEIGHTS):
            return weights
        if weights not in self._digests:
            of_file = identity.file_bytes(weights)
            self._digests[weights] = of_file or identity.state(self.backbone(weights))
        return self._digests[weights]

    def run(self, arm: Arm, name: str = "train", keep_weights: bool = False) -> Result:
        """Returns the arm's result, trained now unless it was before.

        Args:
            arm: what to train.
            name: shown beside the progress bar.
            keep_weights: also keep the trained weights; `weights_file` says where.
        """
        key = self.key(arm)
        finished = self._finished(key)
        if finished is not None and (not keep_weights or self.weights_file(key) is not None):
            return finished
        self.code = renewed(self.code)
        task = build.task(self, arm, name)
        on_epoch = partial(self.on_epoch, name) if self.on_epoch else None
        outcome = train(task, store.checkpoint(self.folder, key), on_epoch)
        result = Result(key=key, arm=arm, outcome=outcome, cost=build.cost(self, arm))
        if keep_weights:
            store.save_weights(self.folder, key, task.model)
        store.save(self.folder, result)
        return result

    @property
    def workers(self) -> int:
        """Returns how many arms are trained at once."""
        return 1 if self.team is None else self.team.workers(self)

    def run_all(self, wanted: Sequence[Wanted], keep_weights: bool = False) -> list[Result]:
        """Returns the results of independent arms in their order, trained at once where that pays.

        Args:
            wanted: the arms, each with its name.
            keep_weights: also keep the trained weights.
        """
        if self.team is not None:
            self.team.finish(self, wanted, keep_weights)
        return [self.run(arm, name, keep_weights) for arm, name in wanted]

    def weights_file(self, key: str) -> Path | None:
        """Returns the file with a finished run's weights, or None."""
        return next(
            (path for folder in self.folders() if (path := store.weights_path(folder, key)).exists()), None
        )

    def trained(self, result: Result) -> torch.nn.Module:
        """Returns a finished run's network with its trained weights, on the CPU, in eval mode.

        Raises:
            PlateauError: the run's weights were not kept.
        """
        path = self.weights_file(result.key)
        if path is None:
            raise PlateauError(f"the weights of run {result.key} were not kept")
        network = build.network(self, result.arm)
        network.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        return network.eval()

    def _finished(self, key: str) -> Result | None:
        return next(
            (found for folder in self.folders() if (found := store.load(folder, key)) is not None), None
        )

    def folders(self) -> list[Path]:
        """Returns the folders in which finished work may lie, its own first."""
        return [folder for folder in (self.folder, *self.shelves) if folder is not None]
