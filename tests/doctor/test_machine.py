"""Threads, GPU and disk, as this machine has them and as planted."""

import shutil
import warnings

import pytest
import torch

from plateau_cause.doctor import machine
from plateau_cause.doctor.check import FAIL, OK, WARN


def test_threads_that_sleep(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    monkeypatch.setattr(machine.runtime, "available_cpus", lambda: 512)
    assert machine.threads().status == OK


def test_threads_that_spin(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    found = machine.threads()
    assert (found.status, "unset OMP_WAIT_POLICY" in found.mend) == (WARN, True)


def test_more_threads_than_cpus(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.setattr(machine.runtime, "available_cpus", lambda: 3)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert machine.threads().mend == "export OMP_NUM_THREADS=3"


@pytest.mark.gpu
def test_a_gpu_that_computes():
    found = machine.gpu()
    assert found.status == OK
    assert "GiB" in found.found


def test_no_gpu_is_fine(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(machine, "_has_nvidia", lambda: False)
    assert machine.gpu().status == OK


def test_a_card_whose_driver_is_too_old(monkeypatch):
    def is_available():
        warnings.warn("The NVIDIA driver on your system is too old", stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    monkeypatch.setattr(machine, "_has_nvidia", lambda: True)
    found = machine.gpu()
    assert found.status == WARN
    assert "too old" in found.found


def test_a_card_that_torch_was_not_built_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(machine, "_has_nvidia", lambda: True)
    assert "install torch with CUDA" in machine.gpu().mend


@pytest.mark.parametrize(("gib", "status"), [(0.5, FAIL), (3, WARN), (50, OK)])
def test_disk(monkeypatch, tmp_path, gib, status):
    usage = shutil.disk_usage(tmp_path)._replace(free=int(gib * machine.GIB))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    found = machine.disk(tmp_path)
    assert (found.status, bool(found.mend)) == (status, status != OK)
