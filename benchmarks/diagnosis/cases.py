"""The table of cases: image set, backbone, healthy base, what is planted. Nothing here is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.diagnosis.faults import FAULTS, Fault

BACKBONES = {  # name -> architecture, weights (bundled, or a name of pretrain.WEIGHTS)
    "lite0": ("tf_efficientnet_lite0", "bundled"),
    "resnet": ("resnet10t", "resnet"),
    "convnext": ("test_convnext", "convnext"),
}
COMMON = {
    "preprocessing.size": 64,
    "batch_norm": "frozen",
    "optimizer.name": "adamw",
    "schedule.name": "cosine",
    "schedule.warmup": 0.1,
    "batch_size": 32,
}
BASES: dict[str, dict[str, Any]] = {
    "all": {**COMMON, "trainable": "all", "optimizer.learning_rate": 5e-4, "schedule.epochs": 12},
    "head": {**COMMON, "trainable": "head", "optimizer.learning_rate": 3e-3, "schedule.epochs": 60},
}
LONGER = {"convnext": {"schedule.epochs": 40, "optimizer.learning_rate": 2e-3}}  # with the base "all"
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
        values |= LONGER.get(self.backbone, {}) if self.base == "all" else {}
        for fault in self._faults:
            values |= fault.recipe
        return values

    @property
    def code(self) -> str | None:
        """Returns the file of forum/ that the recipe uses, without its ending."""
        return next((fault.code for fault in self._faults if fault.code), None)

    @property
    def data(self) -> str | None:
        """Returns the fault of the data, a key of data_faults.FAULTS."""
        return next((fault.data for fault in self._faults if fault.data), None)

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
        "drawings lite0 all: bytes, head-only, bn-train, rate-1e-6, one-epoch, decay, code-module-prefix",
        "drawings lite0 all: code-softmax, code-decay, noise, imbalance, few, tiny-input",
        "photographs lite0 all: sorted, code-sgd-hot, code-all-frozen, no-weights, nll",
        "photographs lite0 head: no-norm, code-bgr-bytes, code-255-twice, code-frozen-bn-trains",
        "photographs lite0 head: rate-1e-6",
        "textures lite0 all: code-frozen-backbone, code-step-lr, code-only-head, code-no-head",
        "textures lite0 all: code-bn-lags, overlap, few",
        "digits lite0 all: code-relu, code-dropout, rate-0.03, one-epoch, sorted, noise, strong",
        "digits resnet all: holds-head, all-frozen, imbalance, softmax, rate-1e-6",
        "textures resnet all: tints, mse",
        "photographs resnet all: tints, rate-0.03, overlap",
        "digits convnext all: head-only, one-epoch",
        "photographs convnext all: tiny-input, decay, noise",
    ),
    *_plan(
        "double",
        "drawings lite0 all: head-only+rate-1e-6, no-weights+one-epoch, bn-train+noise",
        "photographs lite0 all: head-only+bytes, sorted+bn-train",
        "textures lite0 all: code-softmax+rate-1e-6, head-only+few, tiny-input+code-step-lr",
        "digits lite0 all: strong+one-epoch, imbalance+bn-train",
        "digits resnet all: nll+head-only",
        "photographs convnext all: rate-1e-6+softmax",
    ),
    *_plan(
        "healthy",
        "drawings lite0 all: -, code-healthy",
        "photographs lite0 all: -",
        "photographs lite0 head: -",
        "textures lite0 all: -, code-transform-healthy",
        "digits lite0 all: -",
        "digits resnet all: -",
        "photographs convnext all: -",
    ),
    *_plan(
        "harmless",
        "drawings lite0 all: smoothing, unshuffled-mixed, code-no-norm",
        "photographs lite0 all: bgr, dropout-0.3",
        "photographs lite0 head: flip, code-frozen-backbone",
        "textures lite0 all: bgr, rate-x2",
        "digits resnet all: smoothing, bn-train, holds-backbone",
    ),
)
