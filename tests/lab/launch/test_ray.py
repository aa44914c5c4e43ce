"""Ray: the same answer from a cluster, also when one of its machines goes away in the middle."""

import threading
import time
from functools import partial

import pytest
import workers

from plateau_cause import runtime
from plateau_cause.errors import PlateauError
from plateau_cause.lab.launch import ray as launcher
from plateau_cause.lab.launch.team import Team

ray = pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")
pytestmark = pytest.mark.slow
NODE = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 80 * 2**20}


@pytest.fixture
def cluster(monkeypatch, on_path):
    """Two machines of one CPU each, both this one."""
    from ray._private import ray_constants
    from ray.cluster_utils import Cluster

    # It would ask the network for our address
    monkeypatch.setattr(ray_constants, "ENABLE_RAY_CLUSTER", False)
    monkeypatch.setenv("RAY_DISABLE_IMPORT_WARNING", "1")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(runtime, "_before", {})
    made = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    try:
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def test_a_machine_that_goes_away_changes_nothing(cluster, make_lab, arms, plain, same, tmp_path):
    folder, begun = tmp_path / "runs", tmp_path / "begun"
    second = cluster.add_node(**NODE)
    team = Team(workers.slow_opener(folder, begun, 3.0), partial(launcher.start, "cpu"), is_here=False)
    lab = make_lab(folder=folder, team=team)
    assert (lab.workers, team.crew.threads) == (2, 1)
    killer = threading.Thread(target=lambda: (_wait_for(begun, 2), cluster.remove_node(second, False)))
    killer.start()
    same(lab.run_all(arms), plain)
    killer.join()
    assert len(list(folder.glob("*.npz"))) == len(arms) < len(list(begun.iterdir()))


def test_a_cluster_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(PlateauError, match="launcher: ray cannot be reached"):
        launcher.start("cpu", tmp_path)


def _wait_for(folder, count):
    while not folder.exists() or len(list(folder.iterdir())) < count:
        time.sleep(0.05)
