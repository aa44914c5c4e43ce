"""The table of cases: image set, backbone, healthy base, what is planted. Nothing here is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.diagnosis.faults import FAULTS, Fault

BACKBONES = {  # name -> architecture, weights (bundled, or a name of pretrain.WEIGHTS)
    "lite0": ("tf_efficientnet_lite0", "bundled"),
    "resnet": ("test_resnet", "resnet"),
    "convnext": ("test_convnext", "convnext"),
}
COMMON = {
    "preprocessing.size": 48,
    "batch_norm": "frozen",
    "optimizer.name": "adamw",
    "schedule.name": "cosine",
    "schedule.warmup": 0.1,
    "batch_size": 16,
}
BASES: dict[str, dict[str, Any]] = {
    "all": {**COMMON, "trainable": "all", "optimizer.learning_rate": 2e-3, "schedule.epochs": 12},
    "head": {**COMMON, "trainable": "head", "optimizer.learning_rate": 3e-3, "schedule.epochs": 60},
}
SUITED = {  # to the backbone, with the base "all"
    "lite0": {"schedule.epochs": 8, "optimizer.learning_rate": 5e-4},
    "convnext": {"schedule.epochs": 16, "optimizer.learning_rate": 1e-3},
}
KINDS = ("single", "double", "healthy", "harmless")


@dataclass(frozen=True)
class Case:
    """One recipe to diagnose.

    Attributes:
        set, backbone, base: keys of sets.SETS, BACKBONES, BASES.
        faults: keys of FAULTS, planted together; at most one of them with code, data or weights each.
        kind: single | double | healthy | harmless: what it was made as. What is true is measured (truth.py).
    """

    set: str
    backbone: str
    base: str
    faults: tuple[str, ...] = ()
    kind: str = "single"

    @property
    def name(self) -> str:
        """Returns a name that says all: set-backbone-base, then the faults."""
        return "/".join([f"{self.set}-{self.backbone}-{self.base}", "+".join(self.faults) or "healthy"])

    @property
    def planted(self) -> frozenset[str]:
        """Returns the causes planted, whether they cost anything or not."""
        return frozenset() if self.kind == "healthy" else frozenset(fault.cause for fault in self._faults)

    @property
    def overrides(self) -> Mapping[str, Any]:
        """Returns the recipe's dotted keys: the healthy base, and the faults over it."""
        values = dict(BASES[self.base])
        values |= SUITED.get(self.backbone, {}) if self.base == "all" else {}
        for fault in self._faults:
            values |= fault.recipe
        return values

    @property
    def code(self) -> str | None:
        """Returns the file of forum/ that the recipe uses, without its ending."""
        return next((fault.code for fault in self._faults if fault.code), None)

    @property
    def data(self) -> str | None:
        """Returns the faults of the data, keys of data_faults.FAULTS joined by "+"."""
        return "+".join(fault.data for fault in self._faults if fault.data) or None

    @property
    def architecture(self) -> str:
        """Returns the backbone's name for params.yaml."""
        return BACKBONES[self.backbone][0]

    @property
    def weights(self) -> str:
        """Returns bundled, none, or a name of pretrain.WEIGHTS."""
        return next((fault.weights for fault in self._faults if fault.weights), BACKBONES[self.backbone][1])

    def without(self, cause: str) -> Case:
        """Returns the case with the faults of one cause removed."""
        left = (name if FAULTS[name].cause != cause else FAULTS[name].twin for name in self.faults)
        return replace(self, faults=tuple(name for name in left if name is not None))

    def only(self, cause: str) -> Case:
        """Returns the case with the faults of every other planted cause removed."""
        case = self
        for other in sorted(self.planted - {cause}):
            case = case.without(other)
        return case

    @property
    def _faults(self) -> list[Fault]:
        return [FAULTS[name] for name in self.faults]


def _plan(kind: str, *lines: str) -> list[Case]:
    """Returns cases from lines such as "drawings lite0 all: bytes, rate-1e-6, bytes+head-only"."""
    cases = []
    for line in lines:
        where, _, faults = line.partition(": ")
        for planted in faults.split(", "):
            names = () if planted == "-" else tuple(planted.split("+"))
            cases.append(Case(*where.split(), faults=names, kind=kind))
    return cases


CASES: tuple[Case, ...] = (
    *_plan(
        "single",
        "photographs lite0 head: code-255-twice, rate-1e-6",
        "textures lite0 all: code-module-prefix, code-only-head",
        "digits resnet all: bytes, head-only, code-all-frozen, holds-head, code-relu, mse, nll",
        "digits resnet all: rate-1e-6, one-epoch, noise, imbalance, strong, few, tints",
        "digits resnet all: code-softmax, code-dropout, code-bn-lags",
        "photographs resnet all: code-bgr-bytes, code-sgd-hot, code-no-head, head-only, overlap",
        "photographs resnet all: code-nested, code-bn-lags, tints, code-frozen-backbone",
        "photographs resnet head: code-frozen-bn-trains, no-norm",
        "drawings resnet all: tiny-input, decay, noise, sorted, code-step-lr, few",
        "textures resnet all: strong, tiny-input, overlap, code-decay",
        "digits convnext all: head-only, one-epoch, noise, softmax",
        "textures convnext all: rate-0.03",
    ),
    *_plan(
        "double",
        "digits resnet all: head-only+rate-1e-6, head-only+one-epoch, nll+head-only, imbalance+bytes",
        "photographs resnet all: head-only+bytes, sorted+code-sgd-hot",
        "drawings resnet all: code-nested+one-epoch, noise+rate-1e-6, tiny-input+code-step-lr",
        "textures resnet all: strong+one-epoch",
        "digits convnext all: rate-1e-6+softmax",
    ),
    *_plan(
        "healthy",
        "photographs lite0 head: -",
        "textures lite0 all: -",
        "digits resnet all: -, code-healthy",
        "photographs resnet all: -",
        "drawings resnet all: -",
        "textures resnet all: -, code-transform-healthy",
        "digits convnext all: -",
        "textures convnext all: -",
    ),
    *_plan(
        "harmless",
        "photographs lite0 head: flip",
        "digits resnet all: code-nested, smoothing, bn-train, holds-backbone, code-no-norm",
        "drawings resnet all: unshuffled-mixed, head-only",
        "textures resnet all: bgr, rate-x2",
        "textures convnext all: dropout-0.3",
    ),
)
