"""A Keras script from the inside: doors in, script run, what was seen written."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from plateau_cause.capture.child import linked, program
from plateau_cause.capture.child.album import PEEK_S, Album
from plateau_cause.capture.child.describe.document import begin, located
from plateau_cause.capture.child.doors.decoding import Decoding
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.doors.imports import AfterImport
from plateau_cause.capture.child.doors.seeding import Seeding
from plateau_cause.capture.child.errors import describe_error
from plateau_cause.capture.child.files import write_json
from plateau_cause.capture.keras_child.describe.document import document, document_of_nothing
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.peek import Peek
from plateau_cause.capture.keras_child.replay import Replay, seed_keras, seed_tensorflow
from plateau_cause.capture.keras_child.scene import Scene
from plateau_cause.capture.keras_child.training import Mode, Training
from plateau_cause.capture.keras_child.watch import Watch

FAILED = 70  # exit status where plateau itself failed, not the script
KERAS = ("keras", "tf_keras")


@dataclass
class Run:
    """Everything that listens."""

    job: dict[str, Any]
    hooks: Hooks
    scene: Scene
    doors: Doors
    seeding: Seeding


def run(path: Path) -> None:
    """Runs the script of a job file, and ends the process as the script would.

    Args:
        path: JSON with mode (peek, watch or replay), target, is_module, arguments, out (a folder); limit_s of
            a peek; seed and interventions of a replay.
    """
    job = json.loads(path.read_text(encoding="utf-8"))
    begin()
    if job["mode"] == "peek":
        _peek(job)
    _watch(job)


def _peek(job: dict[str, Any]) -> NoReturn:
    linked.install()
    mode = Peek(job["limit_s"], lambda error: _end_peek(here, mode, error))
    here = listen(job, mode, Hooks())
    mode.doors = here.doors
    mode.listen()
    error = program.told(here.job, here.hooks)
    here.hooks.paused = True
    mode.finish(error)
    raise AssertionError("a peek ends its process")


def _watch(job: dict[str, Any]) -> NoReturn:
    """Runs the script to its end, and ends as it does: its own exit handlers run, its status is kept."""
    hooks = Hooks()
    mode = (Replay if job["mode"] == "replay" else Watch)(job, hooks.problems)
    here = listen(job, mode, hooks)
    if isinstance(mode, Replay):
        linked.install()
        mode.listen(here.doors)
    error = program.told(here.job, here.hooks)
    here.hooks.paused = True
    mode.ended(error)
    if isinstance(error, SystemExit):
        raise error
    sys.exit(0 if error is None else 1)


def listen(job: dict[str, Any], mode: Mode, hooks: Hooks) -> Run:
    """Returns the doors; each listens as soon as the script has imported its library."""
    scene = Scene()
    doors, training, seeding = Doors(hooks, scene), Training(hooks, scene, mode), Seeding(hooks)
    seeding.is_aside = lambda: scene.is_training  # generators of images seed every batch
    doors.ears.append(training.called)
    imports = AfterImport()
    sys.meta_path.insert(0, imports)
    seeding.install_python()

    def install(keras: ModuleType) -> None:
        hooks.attempt(doors.install, keras)
        hooks.attempt(training.install, keras)
        hooks.attempt(seeding.install_keras, keras)
        if job["mode"] == "replay":
            seed_keras(keras, job["seed"])

    for name in KERAS:
        imports.when(name, install)

    def install_tensorflow(tensorflow: ModuleType) -> None:
        hooks.attempt(doors.install_data, tensorflow)
        if job["mode"] == "replay":
            seed_tensorflow(tensorflow, job["seed"])

    imports.when("tensorflow", install_tensorflow)
    imports.when("tensorflow_hub", lambda hub: hooks.attempt(doors.install_hub, hub))
    imports.when("numpy", seeding.install_numpy)
    if job["mode"] == "peek" or "labels_by_folder" in job.get("interventions", ()):
        scene.album = Album(PEEK_S) if job["mode"] == "peek" else Album()
        decoding = Decoding(hooks, album=scene.album)
        imports.when("PIL.Image", decoding.install_pil)
        imports.when("cv2", decoding.install_cv2)
    return Run(job, hooks, scene, doors, seeding)


def _end_peek(here: Run, peek: Peek, error: BaseException | None) -> NoReturn:
    here.hooks.paused = True
    status = 0
    try:
        content = document(here, peek) if peek.looks else document_of_nothing(here, peek)
        told = None if error is None else describe_error(error)  # of the script, or of having been cut short
        is_cut = peek.is_cut
        content["script"] |= {"error": None if is_cut else told, "error_when_cut": told if is_cut else None}
        write_json(Path(here.job["out"]) / "peek.json", located(content))
    except Exception:
        traceback.print_exc()
        status = FAILED
    _remove_generated()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _remove_generated() -> None:
    """Removes the code that TensorFlow writes to the temporary folder: a process that is cut leaves it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("__autograph_generated_file") and module.__file__ is not None:
            with contextlib.suppress(OSError):
                os.remove(module.__file__)
