"""Running mean and variance per channel, merged batch by batch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation over all values; smallest and largest."""

    mean: float
    std: float
    low: float
    high: float


@dataclass
class RunningMoments:
    """Count, mean and squared deviations per channel, merged pairwise (Chan, Golub and LeVeque 1983)."""

    count: int = 0
    mean: torch.Tensor | None = None  # (C,) float64
    squares: torch.Tensor | None = None  # (C,) float64, sum of squared deviations
    low: float = math.inf
    high: float = -math.inf

    def add(self, x: torch.Tensor, channel: int = 1, bounds: bool = False) -> None:
        """Adds a batch whose channels lie along dimension `channel`; `bounds` keeps the extremes too."""
        # (n, C), a view if NHWC
        values = x.detach().float().movedim(channel, -1).reshape(-1, x.shape[channel])
        raw_mean = values.mean(0)  # torch.var_mean is seven times slower on a CPU
        variance, mean = (values - raw_mean).square_().mean(0).double().cpu(), raw_mean.double().cpu()
        count = len(values)
        if bounds:
            self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        if self.mean is None or self.squares is None:
            self.count, self.mean, self.squares = count, mean, variance * count
            return
        total, delta = self.count + count, mean - self.mean
        self.squares = self.squares + variance * count + delta**2 * (self.count * count / total)
        self.mean, self.count = self.mean + delta * (count / total), total

    def variance(self) -> torch.Tensor:
        """Returns the variance per channel (C,)."""
        assert self.squares is not None
        return self.squares / self.count

    def moments(self) -> Moments:
        """Returns the moments over all channels together (every channel holds equally many values)."""
        assert self.mean is not None
        mean = float(self.mean.mean())
        between = float(((self.mean - mean) ** 2).mean())
        return Moments(mean, math.sqrt(float(self.variance().mean()) + between), self.low, self.high)
