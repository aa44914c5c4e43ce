"""The machine a stage runs on: threads, seeds, device, progress bar."""

from __future__ import annotations

import math
import os
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from plateau_cause.errors import PlateauError, shown

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
CGROUP = Path("/sys/fs/cgroup")
SHORT_S = 2.0  # what is done sooner needs no bar
LINE_S = 10.0  # between two lines in a log file
# Rounds that an idle thread of GNU OpenMP looks for work before it sleeps: some 10 µs, as between two
# layers. Waking it each time costs more than a small layer takes. Measured at 48 px on 2 CPUs: twice the
# steps per second; beside a second training 0.7 times as many (ten times the rounds: 0.2).
SPIN_COUNT = 1000
_before: dict[str, str | None] = {}  # what set_up_threads found in the environment


def set_up_threads() -> int:
    """Returns how many threads to compute with, and sets up OpenMP for them; call before torch loads.

    With OpenMP's default waiting policy the idle threads spin: one competing process slows training
    by a factor of 20 to 50. PASSIVE ones sleep, here after SPIN_COUNT rounds. What the caller's environment
    says wins.
    """
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS"):
        _before.setdefault(name, os.environ.get(name))
    if os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE").upper() == "PASSIVE":
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPIN_COUNT))
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # "4,2": per nesting level
    if not wanted.isdecimal() or int(wanted) == 0:
        wanted = os.environ["OMP_NUM_THREADS"] = str(available_cpus())
    return int(wanted)


def users_environment() -> dict[str, str]:
    """Returns the environment as the user gave it, without our thread settings: for programs of the user."""
    restored = {**os.environ, **_before}
    return {name: value for name, value in restored.items() if value is not None}


def available_cpus(cgroup: Path = CGROUP) -> int:
    """Returns how many CPUs this process may use: the less of its affinity and its container's quota."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(min(affinity, cgroup_quota(cgroup)))


def cgroup_quota(cgroup: Path = CGROUP) -> float:
    """Returns the CPU quota of the container in CPUs, such as 1.5, and at least 1; infinity for none."""
    try:
        if (cgroup / "cpu.max").exists():  # cgroup v2: "<quota|max> <period>"
            quota, period = (cgroup / "cpu.max").read_text().split()
        else:  # cgroup v1
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text().strip()
        return max(1.0, int(quota) / int(period)) if quota not in ("max", "-1") else math.inf
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf


def seed_everything(seed: int) -> None:
    """Seeds Python, numpy and torch (every device), and asks torch for repeatable kernels."""
    import random

    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def device(name: str = "auto") -> torch.device:
    """Returns the device of this name; for auto the CUDA device where there is one that works, else the CPU.

    Args:
        name: auto, cpu, cuda, cuda:N or mps, as the key `device` of params.yaml.

    Raises:
        PlateauError: this machine has no such device.
    """
    import torch

    there = devices()
    if name == "auto":
        return torch.device("cuda" if "cuda" in there else "cpu")
    if name not in there:
        raise PlateauError(
            f"device: got {shown(name)}; torch finds no such device here; allowed here: "
            f"{', '.join(('auto', *there))}"
        )
    return torch.device(name)


def devices() -> tuple[str, ...]:
    """Returns the names of the devices that torch can compute on here, such as cpu, cuda, cuda:0."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cards = ("cuda", *(f"cuda:{number}" for number in range(count))) if count else ()
    return ("cpu", *cards, *(("mps",) if torch.backends.mps.is_available() else ()))


def say(line: str) -> None:
    """Writes a line about what comes next to standard error; nothing under pytest."""
    if "PYTEST_CURRENT_TEST" not in os.environ:
        print(line, file=sys.stderr, flush=True)


def progress(iterable: Iterable[T], total: int | None = None, description: str = "") -> Iterator[T]:
    """Yields from `iterable` beside a bar with the time left; silent under pytest and where tqdm is absent.

    On a terminal the bar moves; in a log file it writes a line of its own at most every 10 s.
    """
    if "PYTEST_CURRENT_TEST" in os.environ:
        yield from iterable
        return
    if not sys.stderr.isatty():
        yield from in_lines(iterable, total, description)
        return
    try:
        from tqdm import tqdm
    except ImportError:  # a GPU machine with torch only
        yield from iterable
        return
    yield from tqdm(iterable, total=total, desc=description, mininterval=0.1, delay=SHORT_S)


def in_lines(iterable: Iterable[T], total: int | None, description: str) -> Iterator[T]:
    """Yields from `iterable`, and says every LINE_S how far it is and how long the rest takes."""
    started = said = time.monotonic()
    for number, item in enumerate(iterable):
        now = time.monotonic()
        if number and now - said >= LINE_S:
            said = now
            left = (
                "" if total is None else f"/{total}, {(now - started) / number * (total - number):.0f} s left"
            )
            print(f"{description}: {number}{left}", file=sys.stderr, flush=True)
        yield item


def peak_memory_mb() -> float:
    """Returns the largest resident memory of this process so far, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # bytes on macOS, KiB elsewhere
