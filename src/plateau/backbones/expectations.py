"""What the weights expect, read from the weights' own metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from plateau.backbones.catalogue import Architecture
from plateau.backbones.types import Expectation

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


def expectation(architecture: Architecture, model: nn.Module, weights: str) -> Expectation:
    """Returns the input that these weights expect.

    Sources: timm's `pretrained_cfg`, torchvision's `weights.transforms()`. A local file says nothing itself,
    unless a `config.json` with a `pretrained_cfg` (timm's layout on the hub) lies beside it: then the
    architecture's default is assumed, and `source` says so.
    """
    note = "" if weights in ("bundled", "pretrained") else f"; assumed, as {_of(weights)} declare nothing"
    if architecture.library == "torchvision":
        return _of_torchvision(architecture.name, note)
    own = _config_beside(weights)
    if own is not None:
        return _of_timm(own, f"{Path(weights).with_name('config.json').name} beside the weights")
    config: Mapping[str, Any] = model.pretrained_cfg  # type: ignore[assignment]
    return _of_timm(config, f"timm's pretrained_cfg of {_full_name(architecture.name, config)}{note}")


def _of(weights: str) -> str:
    return "random weights" if weights == "none" else f"the weights in {Path(weights).name}"


def _of_torchvision(name: str, note: str) -> Expectation:
    import torchvision

    default = torchvision.models.get_model_weights(name).DEFAULT
    preset = default.transforms()
    return Expectation(
        mean=_triple(preset.mean),
        std=_triple(preset.std),
        size=int(preset.crop_size[0]),
        interpolation=_interpolation(preset.interpolation.value),
        crop_frac=min(1.0, preset.crop_size[0] / preset.resize_size[0]),
        source=f"torchvision's transforms of {type(default).__name__}.{default.name}{note}",
    )


def _of_timm(config: Mapping[str, Any], source: str) -> Expectation:
    return Expectation(
        mean=_triple(config["mean"]),
        std=_triple(config["std"]),
        size=int(config["input_size"][1]),
        interpolation=_interpolation(config["interpolation"]),
        crop_frac=min(1.0, float(config["crop_pct"])),
        source=source,
    )


def _full_name(name: str, config: Mapping[str, Any]) -> str:
    tag = config.get("tag", "")
    return f"{name}.{tag}" if tag and "." not in name else name


def _config_beside(weights: str) -> Mapping[str, Any] | None:
    path = Path(weights).with_name("config.json") if Path(weights).suffix else None
    if path is None or not path.is_file():
        return None
    try:
        config = json.loads(path.read_text()).get("pretrained_cfg", {})
    except (ValueError, AttributeError):
        return None
    needed = {"mean", "std", "input_size", "interpolation", "crop_pct"}
    return config if isinstance(config, dict) and needed <= config.keys() else None


def _interpolation(name: str) -> str:
    """Bicubic stands for what we do not offer (Lanczos and the like): it is the nearest in sharpness."""
    return name if name in INTERPOLATIONS else "bicubic"


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
