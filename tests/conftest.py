"""What every test has: no network, passive OpenMP threads, no tracking unless it is asked for."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NO_NETWORK = Path(__file__).parent / "no_network"

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before anything loads torch
os.environ["MPLBACKEND"] = "Agg"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DVC_NO_ANALYTICS"] = "true"
os.environ["PLATEAU_TRACKING"] = "off"
for name in (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID",
    "DVC_ROOT",
    "DVC_STAGE",
    "DVC_EXP_NAME",
):
    os.environ.pop(name, None)  # the tests may themselves run in a stage

sys.path[:0] = [str(NO_NETWORK), str(Path(__file__).parent / "support")]
import sitecustomize  # noqa: E402, F401

os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(NO_NETWORK), os.environ.get("PYTHONPATH")]))


# The longest files first (a worker takes whole files, in this order): two workers then end together.
LONGEST = ("test_stories.py", "test_pipeline.py", "test_commands.py", "test_servers.py", "test_server.py")


def pytest_collection_modifyitems(items):
    """Puts the longest files first, and skips what needs a GPU where there is none."""
    names = [*LONGEST, ""]
    items.sort(key=lambda item: names.index(item.path.name if item.path.name in LONGEST else ""))
    _skip_without_gpu(items)


def _skip_without_gpu(items):
    if not any("gpu" in item.keywords for item in items):
        return
    import torch

    if not torch.cuda.is_available():
        for item in items:
            if "gpu" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """MLflow on PostgreSQL and S3 (tests/support/servers.py), started once; its tests are marked `server`."""
    import servers

    if reason := servers.missing():
        pytest.skip(reason)
    with servers.running(tmp_path_factory.mktemp("servers")) as started:
        yield started


@pytest.fixture
def root() -> Path:
    """The repository root."""
    return ROOT


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory):
    """90 noisy images of 16 px in 3 colours, 54 / 18 / 18 in train / val / test, sorted by class."""
    from tiny import tiny_dataset as make

    return make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def make_lab(tiny_dataset, monkeypatch):
    """Returns a maker of laboratories around a three-stage network of a few thousand parameters."""
    import torch
    from tiny import tiny_backbone

    from plateau_cause.lab import laboratory
    from plateau_cause.training.user_code import load_user_code

    monkeypatch.setattr(laboratory, "load_backbone", tiny_backbone)
    torch.set_num_threads(1)

    def make(code=None, weights="bundled", **others):
        given = {"dataset": tiny_dataset, "backbone_name": "tiny", "device": torch.device("cpu"), **others}
        return laboratory.Laboratory(weights=weights, code=load_user_code(code), **given)

    return make


@pytest.fixture
def diagnose_tiny(make_lab):
    """Returns a function: two recipes trained on the tiny data to their diagnosis and the laboratory."""
    from tiny import tiny_diagnosis

    def diagnose(recipe, reference, folder=None, **limits):
        lab = make_lab(folder=folder)
        return tiny_diagnosis(lab, recipe, reference, **limits), lab

    return diagnose
