"""Threads, GPU, disk."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

from plateau_cause import runtime
from plateau_cause.doctor.check import FAIL, OK, WARN, Check

GIB = 2**30
# A diagnosis of a small set; its pictures, models and cache with room
LEAST_BYTES, ENOUGH_BYTES = (
    GIB,
    5 * GIB,
)


def threads() -> Check:
    """Checks that torch computes with as many threads as there are CPUs, and that idle ones sleep."""
    import torch

    cpus, count = runtime.available_cpus(), torch.get_num_threads()
    policy = os.environ.get("OMP_WAIT_POLICY", "").upper()
    found = f"torch {torch.__version__} computes with {count} of {cpus} CPUs, OMP_WAIT_POLICY={policy}"
    if policy != "PASSIVE":
        return Check(
            WARN, found, "unset OMP_WAIT_POLICY: idle threads that spin slow a shared machine 20-fold"
        )
    if count > cpus:
        return Check(WARN, found, f"export OMP_NUM_THREADS={cpus}")
    return Check(OK, found)


def gpu() -> Check:
    """Checks that a GPU, where there is one, can be computed on."""
    import torch

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        is_there = torch.cuda.is_available()
    if is_there:
        torch.ones(8, device="cuda").sum().item()  # a card that torch was not built for fails here
        memory_bytes = torch.cuda.get_device_properties(0).total_memory
        return Check(OK, f"{torch.cuda.get_device_name(0)}, {memory_bytes / GIB:.0f} GiB")
    if said and _has_nvidia():
        reason = " ".join(str(said[-1].message).split())[:160]
        return Check(
            WARN,
            f"not usable: {reason}",
            f"install a torch that fits the driver (here: {torch.version.cuda})",
        )
    if _has_nvidia():
        mend = "install torch with CUDA: https://pytorch.org/get-started/locally"
        return Check(WARN, f"a NVIDIA card is here, but torch {torch.__version__} does not see it", mend)
    return Check(OK, "none: everything runs on the CPU")


def _has_nvidia() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidia0").exists()


def disk(folder: Path | None = None) -> Check:
    """Checks the room that is left where the results go."""
    free_bytes = shutil.disk_usage(folder or Path()).free
    found = f"{free_bytes / GIB:.1f} GiB free in {(folder or Path()).resolve()}"
    if free_bytes < LEAST_BYTES:
        return Check(
            FAIL, found, f"free {LEAST_BYTES // GIB} GiB: `dvc gc -w` removes what no file refers to"
        )
    if free_bytes < ENOUGH_BYTES:
        return Check(
            WARN, found, "`dvc gc -w` removes what no file refers to; .plateau/runs may be removed too"
        )
    return Check(OK, found)
