"""Dask: the same answer from its workers, also when one of them is killed in the middle."""

import os
import signal
import threading
import time
from functools import partial

import pytest
import workers

from plateau_cause import runtime
from plateau_cause.errors import PlateauError
from plateau_cause.lab.launch import dask as launcher
from plateau_cause.lab.launch.team import Team

distributed = pytest.importorskip(
    "distributed", reason="distributed is not installed (pip install '.[dask]')"
)
pytestmark = pytest.mark.slow


@pytest.fixture
def one_thread(monkeypatch, on_path):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(runtime, "_before", {})


def test_a_worker_that_is_killed_changes_nothing(
    one_thread, monkeypatch, make_lab, arms, plain, same, tmp_path
):
    import dask

    folder, begun = tmp_path / "runs", tmp_path / "begun"
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        dask.config.set({"scheduler-address": cluster.scheduler_address}),
    ):
        team = Team(workers.slow_opener(folder, begun, 2.0), partial(launcher.start, "cpu"), is_here=False)
        lab = make_lab(folder=folder, team=team)
        assert (lab.workers, team.crew.threads) == (2, 1)
        killer = threading.Thread(target=_kill_one, args=(begun,))
        killer.start()
        same(lab.run_all(arms), plain)
        killer.join()
        team.close()
    assert len(list(folder.glob("*.npz"))) == len(arms) < len(list(begun.iterdir()))


def test_without_an_address_this_machine_works(one_thread, monkeypatch, tmp_path):
    monkeypatch.setenv("PLATEAU_WORKERS", "2")
    crew = launcher.start("cpu", tmp_path)
    try:
        assert crew.workers == 2
        assert crew.executor.submit(os.getpid).result() != os.getpid()
    finally:
        crew.executor.shutdown()


def test_a_cluster_that_is_not_there(tmp_path):
    import dask

    with (
        dask.config.set(
            {"scheduler-address": "tcp://127.0.0.1:1", "distributed.comm.timeouts.connect": "1s"}
        ),
        pytest.raises(PlateauError, match="launcher: dask cannot be reached"),
    ):
        launcher.start("cpu", tmp_path)


def _kill_one(begun):
    while not begun.exists() or len(list(begun.iterdir())) < 2:
        time.sleep(0.05)
    name = next(iter(begun.iterdir())).name
    os.kill(int(name.split("-")[1]), signal.SIGKILL)
