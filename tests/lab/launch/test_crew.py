"""What every launcher needs: its package, and how much is asked of it."""

import pytest

from plateau_cause import runtime
from plateau_cause.errors import PlateauError
from plateau_cause.lab.launch import choice, crew


@pytest.mark.parametrize(
    ("launcher", "package"), [("ray", "ray"), ("slurm", "submitit"), ("dask", "distributed")]
)
def test_a_missing_package_is_one_line(monkeypatch, launcher, package):
    monkeypatch.setattr(crew, "find_spec", lambda name: None)
    for asked in (crew.require, crew.package, lambda name: choice.team(name, None, "cpu")):
        with pytest.raises(PlateauError) as found:
            asked(launcher)
        assert found.value.lines == (
            f"launcher: {launcher} needs the package `{package}`, which is not installed; "
            f"pip install '.[{launcher}]' adds it",
        )


def test_local_needs_nothing(monkeypatch):
    monkeypatch.setattr(crew, "find_spec", lambda name: None)
    crew.require("local")


@pytest.mark.parametrize(("given", "threads"), [("", crew.THREADS), ("3", 3), ("0", crew.THREADS)])
def test_threads_are_the_users(monkeypatch, given, threads):
    monkeypatch.setattr(runtime, "_before", {"OMP_NUM_THREADS": given})
    assert crew.threads_asked() == threads


def test_one_worker_is_this_process(monkeypatch):
    monkeypatch.setattr(choice, "available_cpus", lambda: 2)
    monkeypatch.delenv(crew.WORKERS, raising=False)
    assert choice.team("local", None, "cpu") is None
    monkeypatch.setenv(crew.WORKERS, "2")
    assert choice.team("local", None, "cpu").is_here
