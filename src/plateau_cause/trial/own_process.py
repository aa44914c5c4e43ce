"""What runs the user's code, in a process of its own: a file that ends it ends no command of ours."""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from plateau_cause.errors import PlateauError

T = TypeVar("T")
LOOK_S = 0.2  # between looks at whether the process is still there
SAY_S = 15.0  # until the user is told that their code still runs, and again after it


def apart(work: Callable[[], T], code: str) -> T:
    """Returns what a function returns, run in a process that is a copy of this one.

    Where torch is already loaded, and where there is no such copy, it runs here: threads do not survive it.

    Args:
        work: the function; what it returns or raises can be pickled.
        code: the user's file, for the message.

    Raises:
        PlateauError: the process ended before the function did.
    """
    if not _can_be_copied():
        return work()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _send(work, writing)
    os.close(writing)
    try:
        told = _received(reading, child, code)
    except KeyboardInterrupt:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(reading)
    returned, raised = pickle.loads(told)
    if raised is not None:
        raise raised
    return returned  # type: ignore[no-any-return]


def _can_be_copied() -> bool:
    return hasattr(os, "fork") and "torch" not in sys.modules


def _send(work: Callable[[], Any], writing: int) -> NoReturn:
    """Writes what a function returns, or raises, and ends the process: no caller goes on in it."""
    status = 1
    try:
        content = _told(work)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(len(content).to_bytes(8, "big") + content)
        sys.stdout.flush()
        sys.stderr.flush()
        status = 0
    finally:
        os._exit(status)


def _told(work: Callable[[], Any]) -> bytes:
    told: tuple[Any, BaseException | None]
    try:
        told = work(), None
    except BaseException as error:
        told = None, error
    try:
        return pickle.dumps(told)
    except Exception as error:  # what cannot travel is told in words
        return pickle.dumps((None, RuntimeError(str(told[1] or error))))


def _received(reading: int, child: int, code: str) -> bytes:
    """Returns what the process wrote; others that it has started may hold the pipe open for longer."""
    found, waited_s, ended, status = b"", 0.0, 0, 0
    while len(found) < 8 or len(found) < 8 + int.from_bytes(found[:8], "big"):
        if select.select([reading], [], [], 0 if ended else LOOK_S)[0]:
            part = os.read(reading, 1 << 20)
            found += part
            if part:
                continue
            ended, status = (child, status) if ended else os.waitpid(child, 0)
        if ended:  # and nothing more to read
            raise PlateauError(_ended(status, code))
        ended, status = os.waitpid(child, os.WNOHANG)
        waited_s += LOOK_S
        if waited_s % SAY_S < LOOK_S:
            said = f"recipe.code: {code} is still being tried ({waited_s:.0f} s; Ctrl-C ends it)"
            print(said, file=sys.stderr)
    if not ended:
        os.waitpid(child, 0)
    return found[8:]


def _ended(status: int, code: str) -> str:
    if os.WIFSIGNALED(status):
        by = signal.Signals(os.WTERMSIG(status))
        why = "where memory runs out" if by == signal.SIGKILL else "a crash in a library does"
        how = f"by {by.name}, as {why}"
    else:
        how = f"with exit status {os.WEXITSTATUS(status)}, as os._exit() does"
    return f"recipe.code: {code} ended the process while it was tried, {how}; expected functions that return"
