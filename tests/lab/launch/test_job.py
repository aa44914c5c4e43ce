"""A worker that outlives a diagnosis: what has changed on disk is what the next job finds."""

import sys

import numpy as np
import pytest
import workers
from tiny import make_arm

from plateau_cause.lab.launch import job

OWN = """
import beside_the_file
import torch


def loss(outputs, targets):
    return beside_the_file.FACTOR * torch.nn.functional.cross_entropy(outputs, targets)
"""


@pytest.fixture
def work(monkeypatch, make_lab, tmp_path):
    """Does in this process what a worker does, for the user's file as it is on disk."""
    code, folder = tmp_path / "own.py", tmp_path / "runs"
    code.write_text(OWN)
    monkeypatch.setattr(job, "_opened", {})
    monkeypatch.syspath_prepend(tmp_path)

    def do(factor):
        (tmp_path / "beside_the_file.py").write_text(f"FACTOR = {factor}  # {'x' * int(factor)}\n")
        arm, opener = make_arm(own=frozenset({"loss"})), workers.opener(folder, code)
        lab = make_lab(code=code, folder=folder)
        wanted = job.Job(opener, folder, lab.key(arm), arm, "own", False, lab.subsets["all"], None, 1)
        assert job.work(wanted) == job.Answer()
        return lab.run(arm)

    return do


def test_a_module_beside_the_users_file_is_read_again(work):
    first, second = work(1.0), work(8.0)
    assert first.key != second.key
    assert sys.modules["beside_the_file"].FACTOR == 8.0
    assert not np.array_equal(first.outcome.test_outputs, second.outcome.test_outputs)


def test_what_is_opened_is_kept_for_the_next_arm(work, monkeypatch):
    work(1.0)
    (lab,) = job._opened.values()
    work(1.0)
    assert list(job._opened.values()) == [lab]
