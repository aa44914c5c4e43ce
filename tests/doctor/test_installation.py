"""Python and packages: what fits is silent, what does not is named with what to install."""

import importlib.metadata

import pytest

from plateau_cause.doctor import installation
from plateau_cause.doctor.check import FAIL, OK, WARN

VERSION = importlib.metadata.version("numpy")


@pytest.fixture
def declared(monkeypatch):
    """Returns a function that makes plateau require these packages."""

    def declare(*requirements):
        monkeypatch.setattr(importlib.metadata, "requires", lambda name: list(requirements))

    return declare


def test_this_python_fits():
    assert installation.python().status == OK


def test_another_python_does_not(monkeypatch):
    monkeypatch.setattr(installation.platform, "python_version", lambda: "3.9.1")
    found = installation.python()
    assert found.status == FAIL
    assert "install Python >=3.1" in found.mend


def test_all_packages_that_are_needed(declared):
    declared("numpy>=2", "pytest; extra == 'dev'", "nowhere; python_version < '3'")
    assert installation.packages() == (OK, "all 1 that plateau needs", "")


@pytest.mark.parametrize("wrong", ["numpy>=999", "no-such-package>=1"])
def test_a_package_that_is_missing_or_too_old(declared, wrong):
    declared("numpy>=2", wrong)
    found = installation.packages()
    assert found.status == FAIL
    assert f'pip install "{wrong}"' in found.mend


def lock(folder, *lines):
    (folder / "requirements.lock").write_text("\n".join(lines))
    return folder / "requirements.lock"


def test_versions_as_tested(tmp_path):
    path = lock(
        tmp_path, "# pinned", f"numpy=={VERSION}  # with a comment", "not-installed==1", "setuptools==0"
    )
    assert installation.versions(path)[:2] == (OK, "1 packages as in requirements.lock")


def test_other_versions(tmp_path):
    found = installation.versions(lock(tmp_path, "numpy==1.0", "x==1; sys_platform == 'nowhere'"))
    assert found.status == WARN
    assert f"numpy {VERSION} (==1.0)" in found.found
    assert "pip install -r" in found.mend


def test_the_lock_of_the_repository_can_be_read():
    assert installation.versions().status in (OK, WARN)
