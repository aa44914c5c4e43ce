"""How images of one loader become as if they came from another: a scale and a shift per channel."""

from __future__ import annotations

import re
from typing import Any

NORMALIZE = re.compile(r"Normalize\(mean=\D*([\d., ]+)\]?\)?, std=\D*([\d., ]+)")
PLAIN_MEAN, PLAIN_STD = 0.05, 0.08  # measured so near to 0 and 1, a normalisation is none
Settings = dict[str, Any]
Moments = dict[str, Any]  # mean and std per channel; perhaps `channels`, which are rgb or bgr


def from_to(other: Moments, wanted: Moments) -> Settings:
    """Returns scale, shift and flips that turn images under one normalisation into those under another."""
    flips = other.get("channels", "rgb") != wanted.get("channels", "rgb")
    step = -1 if flips else 1
    mean, std = other["mean"][::step], other["std"][::step]
    pairs = list(zip(mean, std, wanted["mean"], wanted["std"], strict=True))
    return {"scale": [s / t for _, s, _, t in pairs], "shift": [(m - n) / t for m, _, n, t in pairs],
            "flips": flips}  # fmt: skip


def between(other: Moments, wanted: Moments) -> Settings:
    """Returns the same from moments of the values themselves: what is loaded in several ways looks alike."""
    scale = [t / max(s, 1e-6) for s, t in zip(other["std"], wanted["std"], strict=True)]
    shift = [n - m * k for m, n, k in zip(other["mean"], wanted["mean"], scale, strict=True)]
    return {"scale": scale, "shift": shift, "flips": False}


def normalisation(loader: dict[str, Any]) -> Moments | None:
    """Returns how a loader normalises: as its transform says where that agrees with what was measured."""
    measured: Moments | None = (loader["image"] or {}).get("normalisation")
    transform = loader["data_set"]["transform"]
    written = NORMALIZE.search(" ".join(transform["steps"])) if transform else None
    if measured is None:
        return None
    if written is not None:
        said = {"mean": _numbers(written[1]), "std": _numbers(written[2])}
        if len(said["mean"]) == len(said["std"]) == 3 and _is_near(said, measured):
            return {**said, "channels": measured["channels"]}
    plain = {"mean": [0.0] * 3, "std": [1.0] * 3}
    is_plain = all(abs(one) < PLAIN_MEAN for one in measured["mean"]) and all(
        abs(one - 1) < PLAIN_STD for one in measured["std"]
    )
    return {**plain, "channels": measured["channels"]} if is_plain else measured


def _numbers(text: str) -> list[float]:
    return [float(one) for one in re.findall(r"\d*\.?\d+", text)]


def _is_near(said: Moments, measured: Moments) -> bool:
    means = zip(said["mean"], measured["mean"], strict=True)
    stds = zip(said["std"], measured["std"], strict=True)
    return all(abs(a - b) < 0.1 for a, b in means) and all(0.75 < a / b < 1.33 for a, b in stds)
