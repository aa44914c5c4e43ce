"""Processes of this machine: shares of CPUs and cards; one that dies takes only its own call along."""

import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from plateau_cause import runtime
from plateau_cause.errors import PlateauError
from plateau_cause.lab.launch.local import Processes, WorkerDied, places


class TestPlaces:
    @pytest.fixture(autouse=True)
    def cards(self, monkeypatch):
        monkeypatch.setattr(runtime, "devices", lambda: ("cpu", "cuda", "cuda:0", "cuda:1"))
        for name in ("PLATEAU_WORKERS", "CUDA_VISIBLE_DEVICES"):
            monkeypatch.delenv(name, raising=False)

    @pytest.mark.parametrize(
        ("cpus", "workers", "threads"), [(1, 1, 1), (2, 1, 2), (4, 1, 4), (8, 2, 4), (20, 5, 4)]
    )
    def test_cpus_are_shared(self, cpus, workers, threads):
        found = places("cpu", cpus)
        assert len(found) == workers and {place["OMP_NUM_THREADS"] for place in found} == {str(threads)}

    def test_so_many_as_are_asked_for(self, monkeypatch):
        monkeypatch.setenv("PLATEAU_WORKERS", "3")
        assert [place["OMP_NUM_THREADS"] for place in places("cpu", 2)] == ["1", "1", "1"]

    @pytest.mark.parametrize("given", ["0", "two", "-1", "1.5", "9999"])
    def test_what_is_no_number_of_workers(self, monkeypatch, given):
        monkeypatch.setenv("PLATEAU_WORKERS", given)
        with pytest.raises(PlateauError, match=f"PLATEAU_WORKERS: got '{given}'; allowed: a number from 1"):
            places("cpu", 2)

    def test_every_card_has_a_worker(self):
        assert [place["CUDA_VISIBLE_DEVICES"] for place in places("cuda", 8)] == ["0", "1"]

    def test_a_named_card_is_the_only_one(self, monkeypatch):
        assert [place["CUDA_VISIBLE_DEVICES"] for place in places("cuda:1", 8)] == ["1"]
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
        assert [place["CUDA_VISIBLE_DEVICES"] for place in places("cuda:1", 8)] == ["7"]

    def test_more_workers_than_cards_share_them(self, monkeypatch):
        monkeypatch.setenv("PLATEAU_WORKERS", "3")
        assert [place["CUDA_VISIBLE_DEVICES"] for place in places("cuda", 8)] == ["0", "1", "0"]


class TestProcesses:
    @pytest.fixture
    def two(self):
        with Processes([{"OMP_NUM_THREADS": "1"}] * 2) as executor:
            yield executor

    def test_two_calls_run_at_once_in_other_processes(self, two):
        started = [two.submit(_pid_after, 0.3) for _ in range(4)]
        pids = [future.result() for future in started]
        assert len(set(pids)) == 2 and os.getpid() not in pids

    def test_the_place_is_what_the_worker_finds(self, two):
        assert two.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"

    def test_a_process_that_dies_takes_its_own_call_along(self, two):
        dying, living = two.submit(os._exit, 5), two.submit(_pid_after, 0.5)
        with pytest.raises(WorkerDied, match="status 5"):
            dying.result()
        assert living.result() != os.getpid()
        assert two.submit(os.getpid).result() != os.getpid()  # in its place there is another

    def test_a_killed_process_is_seen(self, two):
        with pytest.raises(WorkerDied, match="-9"):
            two.submit(_kill_yourself).result()

    def test_what_a_call_raises_comes_with_its_lines(self, two):
        with pytest.raises(RuntimeError, match=r"invalid literal for int(.|\n)*'three'"):
            two.submit(int, "three").result()

    def test_what_a_worker_cannot_import_is_no_death(self, two, monkeypatch):
        here = types.ModuleType("only_here")
        here.call = lambda: None
        here.call.__module__, here.call.__qualname__ = "only_here", "call"
        monkeypatch.setitem(sys.modules, "only_here", here)
        with pytest.raises(RuntimeError, match="No module named 'only_here'"):
            two.submit(here.call).result()

    def test_shutdown_at_once_kills(self):
        executor = Processes([{}])
        running = executor.submit(time.sleep, 60)
        while executor._workers[0]._process is None:
            time.sleep(0.01)
        executor.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(WorkerDied):
            running.result(timeout=20)


def test_a_worker_ends_with_who_started_it():
    code = (
        "import time, os; from plateau_cause.lab.launch.local import Processes\n"
        "p = Processes([{}]); print(p.submit(os.getpid).result(), flush=True)\n"
        "p.submit(time.sleep, 60); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while _lives(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _lives(worker)


def _lives(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# Functions of the standard library and of this path alone reach a worker: it imports nothing of pytest's.
def _pid_after(seconds):
    time.sleep(seconds)
    return os.getpid()


def _kill_yourself():
    os.kill(os.getpid(), signal.SIGKILL)
