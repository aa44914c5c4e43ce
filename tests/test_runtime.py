"""Threads, seeds, device and progress bar."""

import os
import random

import numpy as np
import pytest
import torch

from plateau_cause import runtime
from plateau_cause.errors import PlateauError


@pytest.fixture
def no_openmp(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)


def test_idle_threads_sleep_soon(no_openmp):
    threads = runtime.set_up_threads()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert 0 < int(os.environ["GOMP_SPINCOUNT"]) < 10_000
    assert os.environ["OMP_NUM_THREADS"] == str(threads) == str(runtime.available_cpus())


def test_the_callers_settings_win(no_openmp, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert runtime.set_up_threads() == 3
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    assert "GOMP_SPINCOUNT" not in os.environ


@pytest.mark.parametrize("threads", ["4,2", "nonsense", "", "0"])
def test_unusual_thread_counts(monkeypatch, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert runtime.set_up_threads() == (4 if threads == "4,2" else runtime.available_cpus())


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "50000 100000\n"}, 1.0),
        ({"cpu.max": "max 100000\n"}, float("inf")),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, float("inf")),
        ({"cpu.max": "what"}, float("inf")),
        ({}, float("inf")),
    ],
)
def test_quota_of_a_container(tmp_path, files, cpus):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert runtime.cgroup_quota(tmp_path) == cpus
    assert runtime.available_cpus(tmp_path) == min(len(os.sched_getaffinity(0)), max(1, int(min(cpus, 1e6))))


def test_seeding_repeats_every_generator():
    def draw():
        runtime.seed_everything(7)
        return random.random(), np.random.rand(), torch.rand(1).item()

    assert draw() == draw()


class TestDevice:
    @pytest.fixture
    def cards(self, monkeypatch):
        """Returns a function that lets torch find so many CUDA cards, and an Apple GPU or none."""

        def set_up(count, has_mps=False):
            monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
            monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
            monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_mps)

        return set_up

    def test_auto_takes_a_card_that_works(self, cards):
        cards(2)
        assert runtime.device() == torch.device("cuda")
        cards(0, has_mps=True)
        assert runtime.device() == runtime.device("auto") == torch.device("cpu")

    @pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1", "mps"])
    def test_a_name_is_taken_at_its_word(self, cards, name):
        cards(2, has_mps=True)
        assert runtime.device(name) == torch.device(name)

    @pytest.mark.parametrize(
        ("count", "name", "allowed"),
        [(0, "cuda", "auto, cpu"), (2, "cuda:2", "auto, cpu, cuda, cuda:0, cuda:1"), (0, "mps", "auto, cpu")],
    )
    def test_one_that_is_not_there_is_one_line(self, cards, count, name, allowed):
        cards(count)
        with pytest.raises(PlateauError) as error:
            runtime.device(name)
        (line,) = error.value.lines
        assert line.startswith(f"device: got '{name}'; ")
        assert line.endswith(f"allowed here: {allowed}")


def test_progress_yields_everything_and_is_silent_in_tests(capfd):
    assert list(runtime.progress(range(5), total=5, description="counting")) == [0, 1, 2, 3, 4]
    assert capfd.readouterr() == ("", "")


def test_what_is_done_at_once_needs_no_bar(capfd, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    assert list(runtime.progress(range(5), total=5, description="counting")) == list(range(5))
    assert capfd.readouterr().err == ""


def test_progress_shows_what_and_how_far(capfd, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.setattr(runtime, "SHORT_S", 0.0)
    monkeypatch.setattr(runtime.sys.stderr, "isatty", lambda: True, raising=False)
    list(runtime.progress(range(5), total=5, description="counting"))
    assert "counting: 100%" in capfd.readouterr().err


def test_peak_memory_is_in_mebibytes():
    assert 50 < runtime.peak_memory_mb() < 100_000


def test_a_log_gets_lines_of_their_own(monkeypatch, capsys):
    monkeypatch.setattr(runtime, "LINE_S", 0.0)
    assert list(runtime.in_lines("abcd", 4, "decode")) == list("abcd")
    said = capsys.readouterr().err
    assert said.splitlines() == [f"decode: {n}/4, 0 s left" for n in (1, 2, 3)] and "\r" not in said
    monkeypatch.setattr(runtime, "LINE_S", 60.0)
    assert list(runtime.in_lines("abcd", None, "decode")) == list("abcd")
    assert capsys.readouterr().err == ""
