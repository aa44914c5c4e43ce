"""Replays of a script: the same script again, with interventions, kept by content so that none runs twice."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from plateau_cause import artifacts
from plateau_cause.capture import launch, overlay
from plateau_cause.capture.launch import Script
from plateau_cause.capture.possible.change import Possible
from plateau_cause.errors import PlateauError

PART = "part"  # the intervention that makes a run cheap
HOLD_OUT = "hold_out"  # and that which gives a run images to be judged by
HELD_OUT = 0.2  # of the training images: a usual split
RESULT, HITS, PRINTED = "replay.json", "hits.npz", "printed.txt"
# A replay is nobody's experiment: no window waits, no run is sent anywhere, sets of names keep their order.
QUIET = {"MPLBACKEND": "Agg", "WANDB_MODE": "disabled", "PYTHONHASHSEED": "0"}


@dataclass(frozen=True)
class Replayed:
    """One finished replay.

    Attributes:
        content: of replay.json (docs/capture.md).
        hits: per split (n,) whether each held-out image was recognised.
        interventions: that were asked for and took.
        seed: of the run.
    """

    content: dict[str, Any]
    hits: dict[str, np.ndarray]
    interventions: frozenset[str]
    seed: int

    @property
    def all_hits(self) -> np.ndarray:
        """Returns (n,) the hits on every held-out image, validation's first."""
        return np.concatenate([self.hits[split] for split in ("val", "test") if split in self.hits])

    @property
    def accuracy(self) -> float:
        """Returns the part of the held-out images that was recognised."""
        return float(self.all_hits.mean())

    @property
    def untaken(self) -> dict[str, str]:
        """Returns why each intervention that did not take did not."""
        told = self.content["interventions"]
        return {name: one["words"] or "it changed nothing" for name, one in told.items() if not one["took"]}


class Replays:
    """Runs a script again and again.

    Args:
        given: the script.
        possible: the interventions that a peek lists, by name.
        store: a folder of finished replays.
        key: what else decides what a replay gives (`identity`).
        trained: number of the loader that training reads: where the script judges no images that it does not
            train on, a part of them is held out in every replay. None: it has no such loader.
    """

    def __init__(
        self, given: Script, possible: Iterable[Possible], store: Path, key: str, trained: int | None = None
    ) -> None:
        self._given, self._store, self._key = given, store, key
        self._settings = {one.name: one.settings for one in possible}
        if trained is not None:
            self._settings[HOLD_OUT] = {"loader": trained, "share": HELD_OUT}
        self._holds_out: bool | None = None if trained is not None else False

    def prepare(self, one: Possible) -> None:
        """Takes the settings of an intervention that no peek lists."""
        self._settings[one.name] = one.settings

    def on_part(self, images: int, judged: int) -> ReplaysOnPart:
        """Returns the same, of a script that reads a part of its images, see interventions/part.py."""
        self._settings[PART] = {"images": images, "judged": judged}
        return ReplaysOnPart(self)

    def run(self, interventions: Iterable[str], seed: int) -> Replayed:
        """Returns a replay, from the store where it was finished before.

        Args:
            interventions: names.
            seed: of every generator of chance; 0 leaves the script's own seeds as they are.

        Raises:
            PlateauError: the script failed before its training was finished, or nothing held-out was judged.
        """
        if self._holds_out is None:
            self._holds_out = self._judges_nothing(seed)
        names = sorted([*interventions, HOLD_OUT] if self._holds_out else interventions)
        found = self._read(self._finished(names, seed), names, seed)
        return _without(HOLD_OUT, found, {"held_out": HELD_OUT}) if self._holds_out else found

    def _judges_nothing(self, seed: int) -> bool:
        """Returns whether the script finishes its training and judges no held-out images."""
        place = self._finished([], seed)
        return bool(artifacts.read_json(place / RESULT)["is_trained"]) and not (place / HITS).is_file()

    def _finished(self, names: list[str], seed: int) -> Path:
        """Returns the folder of a finished replay."""
        told = {name: self._settings.get(name, {}) for name in names}
        job = {"mode": "replay", "seed": seed, "interventions": names, "settings": told}
        place = self._store / hashlib.sha256(json.dumps([self._key, job]).encode()).hexdigest()[:32]
        if not (place / RESULT).is_file():
            self._make(place, job)
        return place

    def _make(self, place: Path, job: dict[str, Any]) -> None:
        self._store.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=self._store, prefix=".") as room,
            overlay.overlay(self._given.folder, self._given.arguments) as own,
        ):
            out = Path(room) / "out"
            out.mkdir()
            for one in job["settings"].values():
                _drop(own, one.get("drop"))
            given = replace(self._given, folder=own)
            with (out / PRINTED).open("w", encoding="utf-8") as printed:
                ended = launch.run(given, out, job, QUIET, stdout=printed, stderr=subprocess.STDOUT)
            if not (out / RESULT).is_file():
                said = launch.last_line((out / PRINTED).read_text(encoding="utf-8", errors="replace"))
                raise PlateauError(f"{self._given.target}: ended with status {ended.returncode}: {said}")
            shutil.rmtree(place, ignore_errors=True)
            os.replace(out, place)

    def _read(self, place: Path, names: list[str], seed: int) -> Replayed:
        content = artifacts.read_json(place / RESULT)
        error = content["error"]
        if error is not None and not content.get("is_trained"):
            where = f" at {error['place']['file']}:{error['place']['line']}" if error["place"] else ""
            raise PlateauError(f"{self._given.target} raised {error['class']}{where}: {error['message']}")
        if not (place / HITS).is_file():
            raise PlateauError(
                f"{self._given.target}: no held-out images were judged{_why_none(content)}; expected a "
                "loader besides that of training, over images that are not trained on, such as validation's"
            )
        took = frozenset(name for name in names if content["interventions"][name]["took"])
        return Replayed(content, artifacts.read_arrays(place / HITS), took, seed)


def _drop(own: Path, what: dict[str, Any] | None) -> None:
    """Takes lines out of a file of a copy; those behind them keep their numbers."""
    if what is None:
        return
    first, last = what["lines"]
    file = own / what["file"]
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[first - 1 : last] = ["\n"] * (last + 1 - first)
    file.write_text("".join(lines), encoding="utf-8")


class ReplaysOnPart:
    """Runs a script again and again on a part of its images; all else is as on all of them."""

    def __init__(self, bench: Replays) -> None:
        self._bench = bench

    def prepare(self, one: Possible) -> None:
        """Takes the settings of an intervention that no peek lists."""
        self._bench.prepare(one)

    def run(self, interventions: Iterable[str], seed: int) -> Replayed:
        """Returns a replay; that it read a part is no intervention.

        Raises:
            PlateauError: as `Replays.run`, or the script reads its images in a way that cannot be cut short.
        """
        found = self._bench.run([*interventions, PART], seed)
        if PART not in found.interventions:
            raise PlateauError(f"no part of the images could be drawn: {found.untaken[PART]}")
        return _without(PART, found)


def _without(name: str, found: Replayed, also: Mapping[str, Any] | None = None) -> Replayed:
    """Returns a replay of which one intervention is not told: it is what every run is given.

    Args:
        name: of the intervention.
        found: the replay.
        also: what its content tells besides.
    """
    told = {key: one for key, one in found.content["interventions"].items() if key != name}
    content = {**found.content, "interventions": told, **(also or {})}
    return replace(found, content=content, interventions=found.interventions - {name})


def _why_none(content: dict[str, Any]) -> str:
    """Returns why a replay that was to hold images out judged none, where it says so."""
    told = content["interventions"].get(HOLD_OUT)
    problem = next((one for one in content["problems"] if "_measure" in one), None)
    why = problem if told is None or told["took"] else told["words"]
    return f", and holding some out failed ({why})" if told is not None and why else ""
