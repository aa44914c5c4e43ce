"""A capture from the inside: hooks in, script run, what was seen written."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from plateau_cause.capture.child import frameworks, linked, pieces, program, unsaved
from plateau_cause.capture.child.album import PEEK_S, Album
from plateau_cause.capture.child.beforehand import Beforehand
from plateau_cause.capture.child.changes import Changes
from plateau_cause.capture.child.course import Course, Mode
from plateau_cause.capture.child.describe.document import (
    begin,
    document,
    document_of_nothing,
    located,
    sampled,
)
from plateau_cause.capture.child.doors.calling import Calling
from plateau_cause.capture.child.doors.decoding import Decoding
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.doors.imports import AfterImport
from plateau_cause.capture.child.doors.loading import Loading
from plateau_cause.capture.child.doors.losing import Losing
from plateau_cause.capture.child.doors.seeding import Seeding
from plateau_cause.capture.child.doors.spawning import Spawning
from plateau_cause.capture.child.doors.stepping import Stepping
from plateau_cause.capture.child.errors import describe_error
from plateau_cause.capture.child.files import write_json
from plateau_cause.capture.child.interventions import made
from plateau_cause.capture.child.interventions.base import Intervention
from plateau_cause.capture.child.interventions.labels_by_folder import LabelsByFolder
from plateau_cause.capture.child.peek import Peek
from plateau_cause.capture.child.places import Place, Registry
from plateau_cause.capture.child.replaying import Replay
from plateau_cause.capture.child.stopping import Stopping
from plateau_cause.capture.child.watch import Watch

COMPOSING = ("torchvision.transforms.transforms", "torchvision.transforms.v2._container",
             "albumentations.core.composition")  # fmt: skip
FAILED = 70  # exit status where plateau itself failed, not the script


@dataclass
class Doors:
    """Everything that listens, and the course of the script that they tell."""

    job: dict[str, Any]
    hooks: Hooks
    course: Course
    places: Registry[Place]
    loading: Loading
    calling: Calling
    stepping: Stepping
    stopping: Stopping
    losing: Losing
    seeding: Seeding
    decoding: Decoding
    spawning: Spawning


def run(path: Path) -> None:
    """Runs the script of a job file, peeked at or watched, and ends the process as the script would.

    Args:
        path: JSON with mode (peek, watch or replay), target, is_module, arguments, out (a folder); for a peek
            limit_s; for a replay seed, interventions and their settings (docs/capture.md).
    """
    job = json.loads(path.read_text(encoding="utf-8"))
    begin()
    {"peek": _peek, "watch": _watch, "replay": _replay}[job["mode"]](job)


def _peek(job: dict[str, Any]) -> NoReturn:
    os.environ["TORCHDYNAMO_DISABLE"] = "1"  # two steps need no compiled graph, and listeners no tracing
    linked.install()
    mode = Peek(job["limit_s"], lambda error: _end_peek(doors, mode, error))
    doors = mode.doors = open_doors(job, mode)
    error = program.told(job, doors.hooks)
    doors.hooks.hear(_settle, doors, is_finished=error is None)
    doors.hooks.paused = True
    mode.ended(error)
    raise AssertionError("a peek ends its process")


def _watch(job: dict[str, Any]) -> NoReturn:
    mode = Watch()
    doors = mode.doors = open_doors(job, mode)
    _to_its_end(doors, mode)


def _replay(job: dict[str, Any]) -> NoReturn:
    """Runs the script to its end with interventions, from a seed."""
    os.environ["TORCHDYNAMO_DISABLE"] = "1"  # interventions act within calls: no graph
    linked.install()
    mode = Replay()
    wanted = [made(name, job.get("settings", {}).get(name, {})) for name in job["interventions"]]
    doors = mode.doors = open_doors(job, mode, wanted)
    assert doors.calling.changes is not None
    mode.begin(doors.calling.changes)
    _to_its_end(doors, mode)


def _to_its_end(doors: Doors, mode: Watch) -> NoReturn:
    """Runs the script to its end, and ends as it does: its own exit handlers run, its status is kept."""
    doors.stepping.records_rates = False
    error = program.told(doors.job, doors.hooks)
    doors.hooks.hear(_settle, doors, is_finished=error is None)
    doors.hooks.paused = True
    mode.ended(error)
    if isinstance(error, SystemExit):
        raise error
    sys.exit(0 if error is None else 1)


def _settle(doors: Doors, is_finished: bool) -> None:
    """Ends the passes that the script has left without a word; one of training only where nothing failed."""
    while (of := doors.course.current) is not None and (is_finished or not of.backwards):
        doors.course.end(of)


def open_doors(job: dict[str, Any], mode: Mode, wanted: list[Intervention] | None = None) -> Doors:
    """Returns the doors; each listens as soon as the script has imported the library.

    Args:
        job: of the capture.
        mode: what hears of the course.
        wanted: interventions of a replay; None: no replay.
    """
    hooks, places = Hooks(), Registry[Place]()
    course = Course(mode)
    calling = Calling(hooks, course, places)
    doors = Doors(
        job, hooks, course, places, Loading(hooks, course, places), calling,
        Stepping(hooks, course, places), Stopping(hooks, calling), Losing(hooks, calling, places),
        Seeding(hooks, job.get("seed")), Decoding(hooks), Spawning(hooks, course),
    )  # fmt: skip
    if isinstance(mode, Peek) or any(one.reaches_network for one in wanted or ()):
        calling.beforehand = Beforehand()
    if isinstance(mode, Peek):
        doors.decoding.album = Album(PEEK_S)
    elif any(isinstance(one, LabelsByFolder) for one in wanted or ()):
        doors.decoding.album = Album()
    imports = AfterImport()
    if wanted is not None:
        calling.changes = Changes(doors, wanted)
    sys.meta_path.insert(0, imports)
    doors.seeding.install_python()
    imports.when("torch", lambda torch: _install(doors, torch))
    imports.when("numpy", doors.seeding.install_numpy)
    imports.when("PIL.Image", doors.decoding.install_pil)
    imports.when("cv2", doors.decoding.install_cv2)
    imports.when("torchvision.io", doors.decoding.install_torchvision)
    frameworks.wait(doors, imports)
    for name in COMPOSING:
        imports.when(name, doors.loading.install_transforms)
    return doors


def _install(doors: Doors, torch: ModuleType) -> None:
    for door in (doors.loading, doors.calling, doors.stepping, doors.spawning):
        doors.hooks.attempt(door.install, torch)
    doors.seeding.install_torch(torch)
    if doors.job["mode"] == "peek":
        doors.hooks.attempt(doors.losing.install, torch)
        doors.hooks.attempt(doors.stopping.install, torch)
        unsaved.install(torch)
    else:
        doors.hooks.attempt(doors.losing.install_middles, torch)
    if doors.calling.changes is not None:
        linked.install_torch(torch)
        doors.hooks.attempt(doors.loading.follow_positions, torch)
        doors.calling.changes.install(torch)


def _end_peek(doors: Doors, peek: Peek, error: BaseException | None) -> NoReturn:
    doors.hooks.paused = True
    status = 0
    try:
        content = _content(doors, peek)
        told = None if error is None else describe_error(error)  # of the script, or of having been cut short
        content["script"] |= {
            "error": None if peek.cut else told,
            "error_when_cut": told if peek.cut else None,
        }
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
    out = Path(doors.job["out"])
    content["pieces"] = pieces.write(out, peek, data)
    return content


def leave(status: int) -> NoReturn:
    """Ends the process at once: nothing that the script does at its end belongs to a peek."""
    for worker in multiprocessing.active_children():
        worker.terminate()
    shared = getattr(multiprocessing.current_process(), "_config", {}).get("tempdir")
    if shared:  # a folder of sockets by which workers hand over tensors; Python removes it at a usual end
        shutil.rmtree(shared, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
