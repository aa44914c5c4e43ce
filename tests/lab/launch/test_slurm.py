"""Slurm: through submitit's own stand-in, which runs batch jobs as processes of this machine."""

from functools import partial

import pytest
import workers

from plateau_cause import runtime
from plateau_cause.errors import PlateauError
from plateau_cause.lab.launch import slurm as launcher
from plateau_cause.lab.launch.team import Team

submitit = pytest.importorskip("submitit", reason="submitit is not installed (pip install '.[slurm]')")


@pytest.fixture
def stand_in(monkeypatch, on_path):
    monkeypatch.setattr(launcher, "CLUSTER", "local")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PLATEAU_WORKERS", "2")
    monkeypatch.setattr(runtime, "_before", {})


@pytest.mark.slow
def test_a_job_that_dies_is_submitted_again(stand_in, make_lab, arms, plain, same, tmp_path):
    folder, deaths = tmp_path / "runs", tmp_path / "deaths"
    team = Team(workers.dying_opener(folder, deaths), partial(launcher.start, "cpu"), is_here=False)
    lab = make_lab(folder=folder, team=team)
    assert (lab.workers, team.crew.threads) == (2, 1)
    same(lab.run_all(arms), plain)
    assert len(list(deaths.iterdir())) == 1 and len(list(folder.glob("*.npz"))) == len(arms)
    assert list((tmp_path / "slurm").iterdir())


def test_a_machine_without_slurm(tmp_path):
    with pytest.raises(PlateauError, match="launcher: slurm cannot be reached"):
        launcher.start("cpu", tmp_path)
