"""Chance as plateau needs it: kept as it was, or begun anew from a seed."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def chance_kept() -> Iterator[None]:
    """Restores every generator afterwards: Python's, numpy's, torch's on the CPU and on all devices."""
    import torch

    numpy = sys.modules.get("numpy")
    python, arrays = random.getstate(), numpy.random.get_state() if numpy else None
    host = torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        random.setstate(python)
        torch.set_rng_state(host)
        if numpy is not None:
            numpy.random.set_state(arrays)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Begins Python's, numpy's and torch's generators at a seed, and restores them afterwards."""
    import numpy as np
    import torch

    with chance_kept():
        for begin in (random.seed, np.random.seed, torch.manual_seed):
            begin(seed)
        yield
