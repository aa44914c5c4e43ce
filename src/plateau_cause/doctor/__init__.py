"""What can stand in the way of a diagnosis, checked before it starts.

A check is a function that returns a Check; to add one, write it in the file of its subject and name it in
INSTALLATION (nothing but the machine) or PROJECT (called in a project's folder).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from plateau_cause.doctor import installation, machine, project, services
from plateau_cause.doctor.check import FAIL, OK, WARN, Check
from plateau_cause.errors import PlateauError

__all__ = ["FAIL", "INSTALLATION", "OK", "PROJECT", "WARN", "Check", "examine"]

INSTALLATION: dict[str, Callable[[], Check]] = {
    "python": installation.python,
    "packages": installation.packages,
    "versions": installation.versions,
    "threads": machine.threads,
    "gpu": machine.gpu,
    "disk": machine.disk,
}
PROJECT: dict[str, Callable[[], Check]] = {
    "writing": project.writing,
    "params": project.parameters,
    "data": project.data,
    "tracking": services.tracking,
    "remote": services.remote,
}


def examine(in_project: bool) -> Iterator[tuple[str, Check]]:
    """Yields every check's name and what it found, as soon as it is known."""
    checks = {**INSTALLATION, **(PROJECT if in_project else {})}
    for name, check in checks.items():
        yield name, _guarded(check)


def _guarded(check: Callable[[], Check]) -> Check:
    """Returns the check; one that fails itself is a finding too, and the others go on."""
    try:
        return check()
    except PlateauError as error:
        return Check(FAIL, "\n".join(error.lines))
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        return Check(FAIL, f"could not be checked: {type(error).__name__}: {reason}")
