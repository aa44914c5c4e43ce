"""`launcher: local`: processes of this machine, each with its share of the CPUs or with a card of its own."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from plateau_cause.lab.launch.crew import THREADS, Crew, workers_asked

T = TypeVar("T")
CARDS = "CUDA_VISIBLE_DEVICES"
LOOK_S = 1.0  # how often a worker looks whether whoever started it is still there
# sys.path goes along: a worker runs the code that its parent runs.
PROGRAM = (
    "import sys; sys.path[:] = {path!r}; from plateau_cause.lab.launch.local import serve; serve({file})"
)

Place = Mapping[str, str]  # what a worker's environment says beside ours


class WorkerDied(BrokenExecutor):
    """The process ended in the middle of its work."""


def places(device: str, cpus: int) -> list[Place]:
    """Returns one entry per worker: as many as pay, or as PLATEAU_WORKERS asks for.

    Args:
        device: cpu, cuda (every card that is visible), cuda:N, mps.
        cpus: that this process may use.

    Raises:
        PlateauError: PLATEAU_WORKERS is no number of workers.
    """
    cards = _cards(device)
    pays = len(cards) if cards else 1 if device == "mps" else max(1, cpus // THREADS)
    count = workers_asked() or pays
    # Bars would overwrite another
    shared = {
        "OMP_NUM_THREADS": str(max(1, cpus // count)),
        "TQDM_DISABLE": "1",
    }
    return [{**shared, **({CARDS: cards[n % len(cards)]} if cards else {})} for n in range(count)]


def _cards(device: str) -> list[str]:
    """Returns the names of the cards that arms may use, as CUDA_VISIBLE_DEVICES has them."""
    kind, _, number = device.partition(":")
    if kind != "cuda":
        return []
    from plateau_cause import runtime

    visible = [name for name in os.environ.get(CARDS, "").split(",") if name]
    cards = visible or [name.partition(":")[2] for name in runtime.devices() if name.startswith("cuda:")]
    return [cards[int(number)]] if number else cards


def start(places: Sequence[Place], folder: Path) -> Crew:
    """Returns processes; each starts with its first arm."""
    threads = int(places[0]["OMP_NUM_THREADS"])
    return Crew(Processes(places), len(places), threads, deaths=(WorkerDied,))


class Processes(Executor):
    """Calls functions in processes, one each at a time; where one dies, only its own call is lost."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._workers = [_Worker(place) for place in places]
        self._free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._workers:
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(len(places))

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Returns the future of a call; it raises WorkerDied where the process ended, and may be repeated."""
        return self._threads.submit(self._call, partial(fn, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the processes: when all is done, or at once (wait=False)."""
        if wait:
            self._threads.shutdown(wait=True, cancel_futures=cancel_futures)
        for worker in self._workers:
            worker.end()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _call(self, call: Callable[[], T]) -> T:
        worker = self._free.get()
        try:
            return worker.do(call)
        finally:
            self._free.put(worker)


class _Worker:
    """One process, and the pipe to it; it is started again where it died."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._changes = threading.Lock()  # nothing begins after the end

    def do(self, call: Callable[[], T]) -> T:
        with self._changes:
            if self._ended:
                raise WorkerDied("it was ended")
            process = self._process or self._begin()
        try:
            self._pipe.send(call)
            answer, failed = self._pipe.recv()
        except (EOFError, OSError):
            status, self._process = process.wait(), None
            raise WorkerDied(f"process ended with status {status}") from None
        if failed is not None:
            raise RuntimeError(failed)
        return answer  # type: ignore[no-any-return]

    def end(self) -> None:
        with self._changes:
            self._ended = True
            if self._process is not None:
                self._process.kill()

    def _begin(self) -> subprocess.Popen[bytes]:
        here, there = socket.socketpair()
        self._pipe = Connection(here.detach())
        program = PROGRAM.format(path=[os.path.abspath(place) for place in sys.path], file=there.fileno())
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=2,  # standard output belongs to the command's answer
                pass_fds=[there.fileno()],
                env={**os.environ, **self._place},
            )
        return self._process


def serve(file: int) -> None:
    """Does in a worker's process what comes through the pipe, until whoever started it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends us
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    pipe = Connection(file)
    with suppress(EOFError, OSError):
        while True:
            pipe.send(_answered(pipe.recv_bytes()))


def _answered(call: bytes) -> tuple[Any, str | None]:
    """Returns what a pickled call gives, or what it raised, in words: not every exception can be pickled."""
    try:
        return pickle.loads(call)(), None
    except Exception:
        return None, traceback.format_exc()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(1)
