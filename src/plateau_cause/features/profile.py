"""What the network sees, layer by layer: batch-norm statistics against the ones it was pretrained with.

Each batch-norm layer remembers mean and variance of its input over the pretraining data. Comparing them with
the same moments over the target images needs no source data (DeepInversion, Yin et al. 2020; Neural Mean
Discrepancy, arXiv 2104.11408). A wrong input scale shows at the stem (log-variance ratio = 2 ln scale); a
foreign domain or too small an image shows in the middle and late layers. It works from hooks,
on any torch.nn.Module.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from plateau_cause.features.moments import Moments, RunningMoments

LIVE_FRAC = 1e-4  # channels whose pretrained variance is below this share of the layer's median are dead
TRUSTED_IQR = 1.0  # above it, the channels disagree and the scale says nothing
DEPTHS = ("stem", "early", "mid", "late")


@dataclass(frozen=True)
class LayerProfile:
    """One batch-norm layer, medians over live channels, target images against pretraining.

    Attributes:
        name: the module's name; depth: stem, early, mid or late.
        kl: KL divergence of the pretraining Gaussian from the target's, nats.
        z: distance of the means in pretraining standard deviations.
        rho: ln(target variance / pretraining variance).
        rho_iqr: interquartile range of rho over channels.
        live, channels: channels counted, channels there are.
    """

    name: str
    depth: str
    kl: float
    z: float
    rho: float
    rho_iqr: float
    live: int
    channels: int


@dataclass(frozen=True)
class Profile:
    """The profile of one network on one set of images.

    Attributes:
        layers: one entry per batch-norm layer, in the order of the forward pass; empty for a model without
            any.
        stages: moments of each named part's output.
        input: moments of the input tensor, all channels; channel_means, channel_stds: (3,) each.
        entropy: mean entropy of the pretrained head's softmax over ln(its classes), 0..1; None without a
            head.
        feature_norm: mean length of the feature vectors, None where not recorded.
        images: images seen.
    """

    layers: tuple[LayerProfile, ...]
    stages: Mapping[str, Moments]
    input: Moments | None
    channel_means: tuple[float, ...]
    channel_stds: tuple[float, ...]
    entropy: float | None
    feature_norm: float | None
    images: int

    @property
    def by_depth(self) -> dict[str, dict[str, float]]:
        """Returns the median of kl, z and rho over the layers of each depth."""
        result = {}
        for depth in DEPTHS:
            layers = [layer for layer in self.layers if layer.depth == depth]
            if layers:
                result[depth] = {
                    m: float(np.median([getattr(x, m) for x in layers])) for m in ("kl", "z", "rho")
                }
        return result

    @property
    def scale_error(self) -> float | None:
        """Returns how many times too large the input is (exp(rho/2), stem); None where not to be trusted."""
        if not self.layers or self.layers[0].rho_iqr > TRUSTED_IQR:
            return None
        return math.exp(self.layers[0].rho / 2)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain types for JSON."""
        return {**asdict(self), "by_depth": self.by_depth, "scale_error": self.scale_error}


@dataclass
class Recorder:
    """Records the batches that pass through `record`; the model carries no hooks in between.

    Attributes:
        model: any module; put it in eval mode, or it compares with statistics that move.
        parts: named modules whose outputs' moments are recorded, in order.
        head: the pretrained classifier, on features, for its entropy; None for none.
    """

    model: nn.Module
    parts: Mapping[str, nn.Module] = field(default_factory=dict)
    head: nn.Module | None = None
    _layers: dict[str, RunningMoments] = field(default_factory=dict)
    _stages: dict[str, RunningMoments] = field(default_factory=dict)
    _input: RunningMoments = field(default_factory=RunningMoments)
    _entropies: list[float] = field(default_factory=list)
    _norms: list[float] = field(default_factory=list)
    _images: int = 0

    def record(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns the model's output (B, D), float32, for a batch (B, 3, H, W); records on the way."""
        handles = self._hook()
        try:
            output: torch.Tensor = self.model(inputs)
        finally:
            for handle in handles:
                handle.remove()
        self._input.add(inputs, bounds=True)
        self._images += len(inputs)
        values = output.detach().float()
        if values.ndim == 2:
            self._record_features(values)
        return values

    def _record_features(self, values: torch.Tensor) -> None:
        self._norms += values.norm(dim=1).tolist()
        if self.head is not None:
            log_p = torch.log_softmax(self.head(values).float(), dim=1)
            entropy = -(log_p.exp() * log_p).sum(1) / math.log(max(2, log_p.shape[1]))
            self._entropies += entropy.tolist()

    def profile(self) -> Profile:
        """Returns what was recorded."""
        norms = _batch_norms(self.model)
        seen = [(name, sums) for name, sums in self._layers.items()]
        layers = [
            _layer(name, _depth(i, len(seen)), sums, norms[name]) for i, (name, sums) in enumerate(seen)
        ]
        has_input = self._input.mean is not None
        return Profile(
            layers=tuple(layers),
            stages={name: sums.moments() for name, sums in self._stages.items()},
            input=self._input.moments() if has_input else None,
            channel_means=tuple(self._input.mean.tolist()) if self._input.mean is not None else (),
            channel_stds=tuple(self._input.variance().sqrt().tolist()) if has_input else (),
            entropy=float(np.mean(self._entropies)) if self._entropies else None,
            feature_norm=float(np.mean(self._norms)) if self._norms else None,
            images=self._images,
        )

    def _hook(self) -> list[Any]:
        norms, parts = _batch_norms(self.model).items(), self.parts.items()
        handles = [module.register_forward_pre_hook(self._layer_hook(name)) for name, module in norms]
        return handles + [part.register_forward_hook(self._stage_hook(name)) for name, part in parts]

    def _layer_hook(self, name: str) -> Any:
        return lambda _module, arguments: self._layers.setdefault(name, RunningMoments()).add(arguments[0])

    def _stage_hook(self, name: str) -> Any:
        def hook(_module: nn.Module, _arguments: Any, output: torch.Tensor) -> None:
            channel = -1 if output.ndim == 3 else 1  # (B, tokens, C) of a transformer
            self._stages.setdefault(name, RunningMoments()).add(output, channel, bounds=True)

        return hook


def _batch_norms(model: nn.Module) -> dict[str, nn.Module]:
    """Returns modules with running statistics: batch norm, and its frozen or activated relatives."""
    modules = dict(model.named_modules())
    return {
        name: module
        for name, module in modules.items()
        if isinstance(getattr(module, "running_mean", None), torch.Tensor)
        and isinstance(getattr(module, "running_var", None), torch.Tensor)
    }


def _depth(index: int, count: int) -> str:
    return "stem" if index == 0 else ("early", "mid", "late")[min(2, 3 * (index - 1) // max(1, count - 1))]


def _layer(name: str, depth: str, sums: RunningMoments, module: Any) -> LayerProfile:
    mean_r, var_r = module.running_mean.double().cpu(), module.running_var.double().cpu()
    assert sums.mean is not None
    mean_t, var_t = sums.mean, sums.variance()
    live = (var_r > LIVE_FRAC * var_r.median()) & (var_r > 0)
    mean_r, var_r, mean_t, var_t = mean_r[live], var_r[live], mean_t[live], var_t[live]
    floor = torch.maximum(var_t, 1e-12 * var_r)  # a constant channel: a large, finite divergence
    kl = 0.5 * (torch.log(var_r / floor) + (floor + (mean_t - mean_r) ** 2) / var_r - 1.0)
    rho = torch.log(floor / var_r).numpy()
    z = (mean_t - mean_r).abs() / var_r.sqrt()
    low, high = np.percentile(rho, [25, 75])
    median = float(np.median(rho)), float(high - low)
    return LayerProfile(
        name, depth, float(np.median(kl)), float(np.median(z)), *median, int(live.sum()), len(live)
    )
