"""A laboratory whose arms are trained by workers, and what plain training gives."""

import os
import sys

import numpy as np
import pytest
from tiny import make_arm

ARMS = [(make_arm(seed=seed), f"seed {seed}") for seed in range(4)]


@pytest.fixture
def arms():
    """Four arms of the tiny network, with their names."""
    return list(ARMS)


@pytest.fixture
def plain(make_lab):
    """What these arms come to where they are trained one after the other, in this process."""
    return make_lab().run_all(ARMS)


@pytest.fixture
def same():
    """Returns a function that asserts that two lists of results are equal bit for bit."""

    def compare(found, expected):
        for one, other in zip(found, expected, strict=True):
            assert one.key == other.key
            assert np.array_equal(one.outcome.test_outputs, other.outcome.test_outputs)
            assert one.outcome.history == other.outcome.history

    return compare


@pytest.fixture
def on_path(monkeypatch):
    """Puts this process's import path into the environment, for workers that a cluster starts."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
