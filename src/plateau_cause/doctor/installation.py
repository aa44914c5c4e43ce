"""The Python that runs, and the packages in it."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause.doctor.check import FAIL, OK, WARN, Check
from plateau_cause.pipeline import project

if TYPE_CHECKING:
    from packaging.requirements import Requirement

NAME = "plateau-cause"
SHOWN = 4  # packages named in one line
BUILD_TOOLS = ("setuptools",)  # pinned for `make setup`; what runs does not depend on them


def python() -> Check:
    """Checks the Python version against what the package declares."""
    from packaging.specifiers import SpecifierSet

    declared = importlib.metadata.metadata(NAME)["Requires-Python"] or ""
    found = f"{platform.python_version()} at {sys.executable}"
    if platform.python_version() in SpecifierSet(declared, prereleases=True):
        return Check(OK, found)
    return Check(FAIL, found, f"install Python {declared} and make the environment anew")


def packages() -> Check:
    """Checks that every required package is there, in a version that is allowed."""
    required = [r for r in _parsed(importlib.metadata.requires(NAME) or []) if not _is_extra(r)]
    wrong = [str(need) for need in required if not _satisfies(need, installed(need.name))]
    if not wrong:
        return Check(OK, f"all {len(required)} that plateau needs")
    asked = " ".join(f'"{need}"' for need in wrong)
    return Check(
        FAIL, f"missing or of another version: {', '.join(wrong)}", f"{sys.executable} -m pip install {asked}"
    )


def versions(lock: Path | None = None) -> Check:
    """Compares the installed versions with those that were tested together."""
    lock = lock or project.template() / "requirements.lock"
    if not lock.is_file():
        return Check(WARN, "no requirements.lock to compare with", "install plateau from a clone or a wheel")
    pinned = {need.name: need for need in _parsed(lock.read_text(encoding="utf-8").splitlines())}
    there = {name: version for name in pinned if name not in BUILD_TOOLS and (version := installed(name))}
    other = [
        f"{name} {version} ({pinned[name].specifier})"
        for name, version in there.items()
        if not _satisfies(pinned[name], version)
    ]
    if not other:
        return Check(OK, f"{len(there)} packages as in requirements.lock")
    more = f" and {len(other) - SHOWN} more" if len(other) > SHOWN else ""
    mend = f"{sys.executable} -m pip install -r {lock}   # the versions that are tested"
    return Check(WARN, f"not as in requirements.lock: {', '.join(other[:SHOWN])}{more}", mend)


def installed(name: str) -> str | None:
    """Returns the version of an installed package, None where it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _parsed(lines: Iterable[str]) -> list[Requirement]:
    """Returns the requirements that apply to this machine."""
    from packaging.requirements import Requirement

    texts = [line.split("#")[0].strip() for line in lines]
    found = [Requirement(text) for text in texts if text and not text.startswith("-")]
    return [need for need in found if need.marker is None or _is_extra(need) or need.marker.evaluate()]


def _is_extra(need: Requirement) -> bool:
    return "extra ==" in str(need.marker)


def _satisfies(need: Requirement, version: str | None) -> bool:
    return version is not None and need.specifier.contains(version, prereleases=True)
