"""A capture from the inside: hooks in, script run, what was seen written."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from plateau_cause.capture.child import pieces, program
from plateau_cause.capture.child.calling import Calling
from plateau_cause.capture.child.course import Course, Mode
from plateau_cause.capture.child.decoding import Decoding
from plateau_cause.capture.child.document import document, document_of_nothing, located, sampled
from plateau_cause.capture.child.hooks import Hooks
from plateau_cause.capture.child.imports import AfterImport
from plateau_cause.capture.child.loading import Loading
from plateau_cause.capture.child.losing import Losing
from plateau_cause.capture.child.peek import Peek
from plateau_cause.capture.child.places import Registry, is_users
from plateau_cause.capture.child.seeding import Seeding
from plateau_cause.capture.child.stepping import Stepping

FAILED = 70  # exit status where plateau itself failed, not the script


@dataclass
class Doors:
    """Everything that listens, and the course of the script that they tell."""

    job: dict[str, Any]
    hooks: Hooks
    course: Course
    places: Registry
    loading: Loading
    calling: Calling
    stepping: Stepping
    losing: Losing
    seeding: Seeding
    decoding: Decoding


def run(path: Path) -> None:
    """Runs the script of a job file, peeked at or watched, and ends the process as the script would.

    Args:
        path: JSON with mode (peek), target, is_module, arguments, out (a folder), limit_s.
    """
    job = json.loads(path.read_text(encoding="utf-8"))
    os.environ["TORCHDYNAMO_DISABLE"] = "1"  # two steps need no compiled graph, and listeners no tracing
    mode = Peek(job["limit_s"], lambda error: _end_peek(doors, mode, error))
    doors = open_doors(job, mode)
    mode.doors = doors
    error = _run_script(doors)
    doors.hooks.paused = True
    mode.ended(error)


def open_doors(job: dict[str, Any], mode: Mode) -> Doors:
    """Returns the doors; each listens as soon as the script has imported the library."""
    hooks, places = Hooks(), Registry()
    course = Course(mode)
    calling = Calling(hooks, course, places)
    doors = Doors(
        job, hooks, course, places, Loading(hooks, course, places), calling,
        Stepping(hooks, course, places), Losing(hooks, calling, places), Seeding(hooks), Decoding(hooks),
    )  # fmt: skip
    imports = AfterImport()
    sys.meta_path.insert(0, imports)
    doors.seeding.install_python()
    imports.when("torch", lambda torch: _install(doors, torch))
    imports.when("numpy", doors.seeding.install_numpy)
    imports.when("PIL.Image", doors.decoding.install_pil)
    imports.when("cv2", doors.decoding.install_cv2)
    imports.when("torchvision.io", doors.decoding.install_torchvision)
    for name in ("torchvision.transforms.transforms", "torchvision.transforms.v2._container"):
        imports.when(name, doors.loading.install_transforms)
    return doors


def _install(doors: Doors, torch: ModuleType) -> None:
    for door in (doors.loading, doors.calling, doors.stepping):
        doors.hooks.attempt(door.install, torch)
    doors.seeding.install_torch(torch)
    if doors.job["mode"] == "peek":
        doors.hooks.attempt(doors.losing.install, torch)
        _saves_nothing.__wrapped__ = torch.save  # type: ignore[attr-defined]
        torch.save = _saves_nothing  # type: ignore[attr-defined]


def _saves_nothing(*_: Any, **__: Any) -> None:
    """Stands for `torch.save`: two steps are no reason to write over a finished model."""


def _run_script(doors: Doors) -> BaseException | None:
    """Returns what the script raised, after telling it as Python would."""
    job = doors.job
    try:
        program.run(job["target"], job["is_module"], job["arguments"], doors.hooks)
    except SystemExit as error:
        return error if error.code not in (None, 0) else None
    except BaseException as error:
        sys.excepthook(type(error), error, _from_user(error.__traceback__))
        return error
    return None


def _from_user(trace: TracebackType | None) -> TracebackType | None:
    """Returns a traceback without the frames before the script's own."""
    first = trace
    while first is not None and not is_users(first.tb_frame.f_code.co_filename):
        first = first.tb_next
    return first or trace


def _end_peek(doors: Doors, peek: Peek, error: BaseException | None) -> NoReturn:
    doors.hooks.paused = True
    status = 0
    try:
        content = _content(doors, peek)
        content["script"]["error"] = None if error is None or peek.cut else describe_error(error)
        write_json(Path(doors.job["out"]) / "peek.json", located(content))
    except Exception:
        traceback.print_exc()
        status = FAILED
    leave(status)


def _content(doors: Doors, peek: Peek) -> dict[str, Any]:
    if not peek.training:
        return document_of_nothing(doors, peek)
    data = sampled(doors)
    content = document(doors, peek, data)
    return content | {"pieces": pieces.write(Path(doors.job["out"]), peek, data)}


def describe_error(error: BaseException) -> dict[str, Any]:
    """Returns what the script raised, and the last line of the user's code that it went through."""
    trace, place = error.__traceback__, None
    while trace is not None:
        if is_users(trace.tb_frame.f_code.co_filename):
            place = {"file": trace.tb_frame.f_code.co_filename, "line": trace.tb_lineno}
        trace = trace.tb_next
    return {"class": type(error).__name__, "message": " ".join(str(error).split())[:500], "place": place}


def write_json(path: Path, content: Any) -> None:
    """Writes a file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=str), encoding="utf-8")
    part.replace(path)


def leave(status: int) -> NoReturn:
    """Ends the process at once: nothing that the script does at its end belongs to a peek."""
    for worker in multiprocessing.active_children():
        worker.terminate()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
