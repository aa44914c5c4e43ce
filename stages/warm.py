"""Runs a stage in a fork of one process that has the heavy libraries loaded: starts take 0.2 s, not 5.

    python stages/warm.py stages/embed.py

The first stage of a `dvc repro` starts that process, which ends with the dvc process that it serves. It loads
libraries only, never plateau's own code, so that no stage ever runs code that has changed since. Outside
dvc, where /proc is missing, or with PLATEAU_WARM=off, the stage runs in this process.
"""

from __future__ import annotations

import contextlib
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
SWITCH = "PLATEAU_WARM"


def main() -> None:
    """Runs the stage given on the command line, in a fork of the warm process where there is one."""
    if sys.argv[1] == "--serve":
        serve(int(sys.argv[2]))
        return
    owner = None if os.environ.get(SWITCH) == "off" else dvc_process()
    connection = connect(owner) if owner is not None else None
    if connection is not None:
        sys.exit(request(connection))
    if owner is not None:
        runtime.set_up_threads()  # the warm process inherits them
        start_server(owner)
    run_stage(sys.argv[1:])


def run_stage(arguments: list[str]) -> None:
    """Runs the stage's file as Python would: it sees itself as the program."""
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")


def dvc_process() -> int | None:
    """Returns the dvc process above this one, or None: then nobody would end the warm process."""
    pid = os.getppid()
    with contextlib.suppress(OSError, ValueError):
        while pid > 1 and "DVC_ROOT" in os.environ:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if any(os.path.basename(argument) == b"dvc" for argument in arguments[:4]):
                return pid
            pid = parent(pid)
    return None


def parent(pid: int) -> int:
    """Returns the parent's process number."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def address(owner: int) -> str:
    """Returns the abstract socket of the process that serves this dvc process; it leaves no file behind."""
    started = Path(f"/proc/{owner}/stat").read_text().rpartition(")")[2].split()[19]
    return f"\0plateau-{os.getuid()}-{owner}-{started}"


# --- the side of the stage that asks


def connect(owner: int) -> socket.socket | None:
    """Returns a connection to the warm process, or None where it is not there yet."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(address(owner))
    except OSError:
        connection.close()
        return None
    return connection


def start_server(owner: int) -> None:
    """Starts the warm process beside this stage."""
    nothing = subprocess.DEVNULL
    subprocess.Popen(
        [sys.executable, __file__, "--serve", str(owner)],
        stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True,
    )  # fmt: skip


def request(connection: socket.socket) -> int:
    """Returns the exit status of the stage, run by the warm process on this process's terminal and folder."""
    job = {"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}
    socket.send_fds(connection, [b"j"], [0, 1, 2])
    connection.sendall(json.dumps(job).encode() + b"\n")
    for number in FORWARDED:
        signal.signal(number, lambda received, _frame: connection.sendall(bytes([received])))
    answer = b""
    while not answer.endswith(b"\n"):
        received = connection.recv(64)
        if not received:
            print("error: the stage's process is gone (PLATEAU_WARM=off runs without it)", file=sys.stderr)
            return 1
        answer += received
    return int(answer)


# --- the side of the warm process


def serve(owner: int) -> None:
    """Loads the libraries, then forks for every stage, until the dvc process is gone."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.suppress(OSError):
        place = address(owner)
        listener.bind(place)  # fails where another one serves already
        for library in LIBRARIES:
            with contextlib.suppress(ImportError):
                importlib.import_module(library)
        listener.listen()
        listener.settimeout(1.0)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks what became of a supervisor
        while is_alive(owner, place):
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                if is_ours(connection) and os.fork() == 0:
                    listener.close()
                    supervise(connection)
                    return
                connection.close()


def is_alive(owner: int, place: str) -> bool:
    """Returns whether the dvc process still runs, and is no other that got its number."""
    try:
        return address(owner) == place
    except OSError:
        return False


def is_ours(connection: socket.socket) -> bool:
    """Returns whether the peer is a process of the same user."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[4:8], sys.byteorder) == os.getuid()


def supervise(connection: socket.socket) -> None:
    """Forks the stage, passes signals on to it, and answers with its exit status; ends it with its client."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb", buffering=0) as stream:
        job = json.loads(stream.readline())
    stage = os.fork()
    if stage == 0:
        connection.close()
        become(job, files)
        return
    for file in files:
        os.close(file)
    status = watch(connection, stage)
    with contextlib.suppress(OSError):
        connection.sendall(f"{status}\n".encode())
    os._exit(0)


def watch(connection: socket.socket, stage: int) -> int:
    """Returns the stage's exit status, 128 + n where signal n ended it."""
    while True:
        done, status = os.waitpid(stage, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if select.select([connection], [], [], 0.02)[0]:
            received = connection.recv(1)
            os.kill(stage, received[0] if received else signal.SIGKILL)
            if not received:
                time.sleep(0.02)


def become(job: dict[str, Any], files: list[int]) -> None:
    """Makes this fork the stage: its folder, environment, terminal and arguments."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    run_stage(job["arguments"])


if __name__ == "__main__":
    main()
