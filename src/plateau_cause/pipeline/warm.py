"""Runs a stage in a fork of one process that has the heavy libraries loaded: starts take 0.2 s, not 5.

    python -m plateau_cause.pipeline.warm stages/embed.py

The first stage of a `dvc repro` starts that process, which ends when it was idle for a while. It loads
libraries only, and a fork forgets what it knows of plateau: no stage runs code that has changed since.
Outside dvc, or with PLATEAU_WARM=off, the stage runs in this process.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from plateau_cause import runtime
from plateau_cause.pipeline import paths

LIBRARIES = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "torch",
    "torchvision",
    "timm",
    "sklearn.linear_model",
    "sklearn.manifold",
    "sklearn.neighbors",
    "numba",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.pyfunc",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
)
FORWARDED = (signal.SIGINT, signal.SIGTERM)
SWITCH, SERVE = "PLATEAU_WARM", "--serve"
IDLE_S, LOOK_S = 30.0, 0.02  # without a stage it ends; how often it looks whether one has ended

Job = dict[str, Any]


def main() -> None:
    """Runs the stage given on the command line, in a fork of the warm process where there is one."""
    if sys.argv[1:] == [SERVE]:
        job = serve(address())
        if job is not None:  # a fork, which is the stage from here on
            become(job)
        return
    if "DVC_ROOT" in os.environ and os.environ.get(SWITCH) != "off":
        runtime.set_up_threads()  # the warm process inherits them
        connection = connect(address())
        if connection is not None:
            sys.exit(request(connection))
    run_stage(sys.argv[1:])


def run_stage(arguments: list[str]) -> None:
    """Runs the stage's file as Python would: it sees itself as the program."""
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")


def address() -> Path:
    """Returns the socket of the process that has the libraries as this environment loads them.

    Relative to the project: the path of a socket is short.
    """
    named = [f"{key}={os.environ.get(key)}" for key in ("PYTHONPATH", "OMP_NUM_THREADS", "OMP_WAIT_POLICY")]
    return paths.KEPT / f"warm-{hashlib.sha256(repr([sys.executable, *named]).encode()).hexdigest()[:8]}"


# --- the side of the stage that asks


def connect(place: Path) -> socket.socket | None:
    """Returns a connection to the warm process; None where it is not there yet, and it is started then."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(place))
    except OSError:
        connection.close()
        nothing = subprocess.DEVNULL
        command = [sys.executable, "-m", "plateau_cause.pipeline.warm", SERVE]
        subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
        return None
    return connection


def request(connection: socket.socket) -> int:
    """Returns the exit status of the stage, run by the warm process on this process's terminal and folder."""
    job = {"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}
    socket.send_fds(connection, [b"j"], [0, 1, 2])
    connection.sendall(json.dumps(job).encode() + b"\n")
    for number in FORWARDED:
        signal.signal(number, lambda received, _frame: connection.sendall(bytes([received])))
    with connection.makefile("rb") as answer:
        status = answer.readline()
    if not status:
        print("error: the stage's process is gone (PLATEAU_WARM=off runs without it)", file=sys.stderr)
        return 1
    return int(status)


# --- the side of the warm process


def serve(place: Path) -> Job | None:
    """Loads the libraries, then forks for every stage until none has come for a while.

    Returns:
        In the warm process None, at its end; in a fork the job that it is to become.
    """
    place.parent.mkdir(exist_ok=True)
    lock = place.with_suffix(".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # there is one already, or it is about to be there
        return None
    listener = listen(place)
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    listener.listen()
    job = attend(listener)
    if job is None:
        place.unlink(missing_ok=True)
    return job


def listen(place: Path) -> socket.socket:
    """Returns the socket, for this user alone; nobody is heard before the libraries are loaded."""
    place.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(place))
    place.chmod(0o600)
    return listener


def attend(listener: socket.socket) -> Job | None:
    """Starts stages, passes signals on to them, tells their exit status; see serve()."""
    running: dict[int, socket.socket] = {}
    ends = time.monotonic() + IDLE_S
    while running or time.monotonic() < ends:
        waiting = select.select([listener, *running.values()], [], [], LOOK_S if running else IDLE_S)[0]
        if listener in waiting and (job := start(listener, running)) is not None:
            return job
        for child, connection in list(running.items()):
            if connection in waiting:
                pass_on(connection, child)
            if tell(connection, child):
                del running[child]
                ends = time.monotonic() + IDLE_S
    return None


def start(listener: socket.socket, running: dict[int, socket.socket]) -> Job | None:
    """Forks for who asks, and adds the fork to those that are running; returns the job in the fork alone."""
    connection = listener.accept()[0]
    job = receive(connection)
    if job is None:
        return None
    child = os.fork()
    if child == 0:
        for other in (listener, connection, *running.values()):
            other.close()
        return job
    running[child] = connection
    for file in job["files"]:
        os.close(file)
    return None


def receive(connection: socket.socket) -> Job | None:
    """Returns what is asked for: arguments, folder, environment, and the files 0, 1 and 2 of who asks.

    None: whoever asked is gone before it said all.
    """
    try:
        _, files, _, _ = socket.recv_fds(connection, 1, 3)
        with connection.makefile("rb", buffering=0) as stream:
            return {**json.loads(stream.readline()), "files": files}
    except (OSError, ValueError):
        connection.close()
        return None


def pass_on(connection: socket.socket, child: int) -> None:
    """Sends the stage the signal that its client got; where the client is gone the stage ends, too."""
    received = b""
    with contextlib.suppress(OSError):
        received = connection.recv(1)
    os.kill(child, received[0] if received else signal.SIGKILL)


def tell(connection: socket.socket, child: int) -> bool:
    """Returns whether the stage has ended; its client then knows its exit status, 128 + n for signal n."""
    done, status = os.waitpid(child, os.WNOHANG)
    if not done:
        return False
    code = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(OSError):
        connection.sendall(f"{code if code >= 0 else 128 - code}\n".encode())
    connection.close()
    return True


def become(job: Job) -> None:
    """Makes this fork the stage: its folder, environment, terminal, arguments, and plateau's code of now."""
    for number, file in enumerate(job["files"]):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    for name in [name for name in sys.modules if name.partition(".")[0] == "plateau_cause"]:
        del sys.modules[name]
    run_stage(job["arguments"])


if __name__ == "__main__":
    main()
