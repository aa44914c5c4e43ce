"""What the weights expect, read from the weights' own metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from plateau_cause.backbones.snapshot import read_json
from plateau_cause.backbones.types import Architecture
from plateau_cause.images.expectation import Expectation

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
PILLOW = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
BYTE = 255.0
# The training recipe of nearly everything that declares nothing: ImageNet's means, a central crop of 224 px.
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
NEEDED_BY_TIMM = {"mean", "std", "input_size", "interpolation", "crop_pct"}


def expectation(architecture: Architecture, model: nn.Module, weights: str) -> Expectation:
    """Returns the input that these weights expect.

    Sources: timm's `pretrained_cfg`, torchvision's `weights.transforms()`, preprocessor_config.json of
    transformers. A local file says nothing itself, unless its name is that of torchvision's own download or
    one of the two JSON files lies beside it: then what the architecture expects is assumed, and `source`
    says so.
    """
    beside = _beside(weights)
    if beside is not None:
        return beside
    note = "" if weights in ("bundled", "pretrained") else f"; assumed, as {_of(weights)} declare nothing"
    if architecture.library == "torchvision":
        return _of_torchvision(architecture.name, weights, note)
    if architecture.library == "transformers":
        return _of_transformers(architecture, model, note)
    config: Any = getattr(model, "pretrained_cfg", None) or getattr(model, "default_cfg", None)
    if isinstance(config, Mapping) and config.keys() >= NEEDED_BY_TIMM:
        name = architecture.entry or _full_name(architecture, config)
        return of_timm(config, f"timm's pretrained_cfg of {name}{note}")
    return _of_hub(architecture, model, weights, note)


def _of(weights: str) -> str:
    return "random weights" if weights == "none" else f"the weights in {Path(weights).name}"


def _beside(weights: str) -> Expectation | None:
    """Reads the JSON files of timm and transformers beside a weights file."""
    path = Path(weights)
    if not path.suffix:
        return None
    config = read_json(path.with_name("config.json")).get("pretrained_cfg", {})
    if isinstance(config, dict) and config.keys() >= NEEDED_BY_TIMM:
        return of_timm(config, "config.json beside the weights")
    preprocessor = read_json(path.with_name("preprocessor_config.json"))
    return of_processor(preprocessor, "preprocessor_config.json beside the weights") if preprocessor else None


def _of_torchvision(name: str, weights: str, note: str) -> Expectation:
    import torchvision

    known = torchvision.models.get_model_weights(name)
    own = next((entry for entry in known if Path(entry.url).name == Path(weights).name), None)
    chosen = own or known.DEFAULT
    preset = chosen.transforms()
    return Expectation(
        mean=_triple(preset.mean),
        std=_triple(preset.std),
        size=int(preset.crop_size[0]),
        interpolation=_interpolation(preset.interpolation.value),
        crop_frac=min(1.0, preset.crop_size[0] / preset.resize_size[0]),
        source=f"torchvision's transforms of {type(chosen).__name__}.{chosen.name}{'' if own else note}",
    )


def of_timm(config: Mapping[str, Any], source: str) -> Expectation:
    """Returns what a `pretrained_cfg` says."""
    return Expectation(
        mean=_triple(config["mean"]),
        std=_triple(config["std"]),
        size=int(config["input_size"][1]),
        interpolation=_interpolation(config["interpolation"]),
        crop_frac=min(1.0, float(config["crop_pct"])),
        source=source,
    )


def of_processor(config: Mapping[str, Any], source: str) -> Expectation:
    """Returns what a preprocessor_config.json of transformers says, in unit scale.

    Its numbers follow from `(pixel * rescale_factor - image_mean) / image_std` with pixels 0..255.
    """
    scale = BYTE * float(config.get("rescale_factor") or 1 / BYTE) if config.get("do_rescale", True) else BYTE
    is_normalised = config.get("do_normalize", True)
    mean = config.get("image_mean") or IMAGENET["mean"] if is_normalised else (0.0,) * 3
    std = config.get("image_std") or IMAGENET["std"] if is_normalised else (1.0,) * 3
    resized = _side(config.get("size"))
    cropped = _side(config.get("crop_size")) if config.get("do_center_crop") else 0
    size = cropped or resized or 224
    crop_frac = cropped / resized if cropped and resized else float(config.get("crop_pct") or 1.0)
    return Expectation(
        mean=_triple([value / scale for value in mean]),
        std=_triple([value / scale for value in std]),
        size=size,
        interpolation=_interpolation(PILLOW.get(config.get("resample", 2), "bilinear")),
        crop_frac=min(1.0, crop_frac),
        source=source,
    )


def _of_transformers(architecture: Architecture, model: Any, note: str) -> Expectation:
    name = architecture.repository or architecture.name
    config = read_json(Path(architecture.name) / "preprocessor_config.json")
    if config:
        return of_processor(config, f"preprocessor_config.json of {name}{note}")
    kind = model.config.model_type
    return of_processor(
        {**_default_processor(model.config), **_own_size(model.config)},
        f"transformers' default for {kind}; assumed, as {name} holds no preprocessor_config.json",
    )


def _default_processor(config: Any) -> Mapping[str, Any]:
    from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING

    try:
        classes = IMAGE_PROCESSOR_MAPPING[type(config)]
        found = classes.values() if isinstance(classes, Mapping) else classes
        return dict(next(kind for kind in found if kind is not None)().to_dict())
    except Exception:  # a model type without processor, or one whose packages are not installed
        return {}


def _own_size(config: Any) -> dict[str, Any]:
    size = getattr(getattr(config, "vision_config", config), "image_size", None)
    return {"size": size, "do_center_crop": False} if isinstance(size, int) else {}


def _of_hub(architecture: Architecture, model: Any, weights: str, note: str) -> Expectation:
    """PyTorch Hub declares nothing: torchvision's models are recognised, for others ImageNet is assumed."""
    import torchvision

    if type(model).__module__.startswith("torchvision.models") and architecture.entry in (
        torchvision.models.list_models(module=torchvision.models)
    ):
        return _of_torchvision(architecture.entry, weights, note)
    return Expectation(
        mean=IMAGENET["mean"],
        std=IMAGENET["std"],
        size=224,
        interpolation="bicubic",
        crop_frac=0.875,
        source=f"ImageNet's usual preprocessing; assumed, as {architecture.name} declares nothing",
    )


def _full_name(architecture: Architecture, config: Mapping[str, Any]) -> str:
    if architecture.repository:
        return architecture.repository
    name, tag = architecture.name.removeprefix("local-dir:"), config.get("tag", "")
    return f"{name}.{tag}" if tag and "." not in name else name


def _side(size: Any) -> int:
    """Returns the side in pixels of what processors write: a number, a pair, or a mapping."""
    if isinstance(size, Mapping):
        size = size.get("shortest_edge") or size.get("height") or size.get("longest_edge")
    if isinstance(size, list | tuple):
        size = size[0]
    return int(size or 0)


def _interpolation(name: str) -> str:
    """Bicubic stands for what we do not offer (Lanczos and the like): it is the nearest in sharpness."""
    return name if name in INTERPOLATIONS else "bicubic"


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
