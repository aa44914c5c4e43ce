"""Public training scripts and their broken twins through `plateau diagnose`, each in a folder of its own.

python -m benchmarks.scripts.run [--cases 'tutorial-*'] [--fresh]

What a broken line costs is measured too: the script's own last accuracy beside that of its healthy twin.
Where it costs less than is worth reporting, nothing has to be named. Exit status 1 below the bar.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.diagnosis import sets
from benchmarks.scripts.faults import FAULTS, Fault

HERE = Path(__file__).parent
WORK = Path(".plateau/scripts")
WEIGHTS = HERE.parent / "diagnosis" / "weights" / "resnet.pt"
MIN_EFFECT = 0.03
LEAST_FIRST = 0.9
KERAS = os.environ.get("PLATEAU_KERAS_PYTHON")  # an interpreter with TensorFlow, see `make setup-keras`
GLYPHS = 6000  # that the Keras network is pretrained on


@dataclass(frozen=True)
class Answer:
    """What a diagnosis said.

    Attributes:
        name: of the case.
        seconds: wall time.
        accuracy: of the unchanged script as measured, 0..1.
        verdict: plateau, healthy, inconclusive, or the exit status.
        first: the first cause, its file and line.
        headline: the sentence.
    """

    name: str
    seconds: float
    accuracy: float
    verdict: str
    first: tuple[str, str] | None
    headline: str


def main() -> int:
    """Runs the chosen cases and prints a line each; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default="*")
    parser.add_argument("--fresh", action="store_true", help="forget earlier answers")
    arguments = parser.parse_args()
    if arguments.fresh:
        shutil.rmtree(WORK, ignore_errors=True)
    told: list[bool] = []
    for base, faults in FAULTS.items():
        chosen = [one for one in faults if fnmatch.fnmatch(f"{base}-{one.kind}", arguments.cases)]
        if not chosen or (_is_keras(base) and not KERAS):
            continue
        healthy = diagnose(f"{base}-healthy", base, None)
        told.append(_say(healthy, None, healthy))
        for fault in chosen:
            told.append(_say(diagnose(f"{base}-{fault.kind}", base, fault), fault, healthy))
    share = sum(told) / max(1, len(told))
    print(f"right: {sum(told)} of {len(told)}")
    return 0 if share >= LEAST_FIRST else 1


def _say(answer: Answer, fault: Fault | None, healthy: Answer) -> bool:
    """Prints the answer, and returns whether it is right."""
    costs = healthy.accuracy - answer.accuracy
    if fault is None:
        is_right = answer.first is None and answer.verdict == "healthy"
    elif costs < MIN_EFFECT:
        is_right = answer.first is None or _is_named(answer, fault)
    else:
        is_right = _is_named(answer, fault)
    mark = "right" if is_right else "WRONG"
    print(
        f"{mark} {answer.name:28s} {answer.accuracy:6.1%} costs {costs:+6.1%} {answer.seconds:4.0f} s "
        f"{answer.verdict:12s} {answer.first} | {answer.headline}",
        flush=True,
    )
    return is_right


def _is_named(answer: Answer, fault: Fault) -> bool:
    if answer.first is None:
        return False
    cause, line = answer.first
    return cause in fault.causes and (not fault.lines or any(text in line for text in fault.lines))


def diagnose(name: str, base: str, fault: Fault | None) -> Answer:
    """Returns what `plateau diagnose` says of a script, asked once per content."""
    folder = (WORK / name).resolve()
    text = (HERE / "bases" / f"{base}.py").read_text()
    arguments: tuple[str, ...] = ()
    if fault is not None:
        if fault.old and text.count(fault.old) != 1:
            raise ValueError(f"{name}: the edit fits {text.count(fault.old)} times")
        text = _edited(text, fault)
        arguments = fault.arguments
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "train.py"
    if not script.exists() or script.read_text() != text:
        script.write_text(text)
    _material(folder, _is_keras(base))
    started = time.monotonic()
    options = ["--json", *(["--python", str(KERAS)] if _is_keras(base) else [])]
    command = [sys.executable, "-m", "plateau_cause", "diagnose", *options, "train.py", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    (folder / "err.txt").write_text(done.stderr)
    (folder / "out.json").write_text(done.stdout)
    return _answer(name, time.monotonic() - started, done, text.splitlines())


def _edited(text: str, fault: Fault) -> str:
    text = text.replace(fault.old, fault.new) if fault.old else text
    if "# early" in fault.new:  # the line that builds the optimizer again later goes
        built = fault.new.partition(" = ")[0].strip()
        lines = text.splitlines(keepends=True)
        _, *later = [number for number, line in enumerate(lines) if line.strip().startswith(f"{built} = ")]
        text = "".join(line for number, line in enumerate(lines) if number not in later)
    return text


def _is_keras(base: str) -> bool:
    return base.startswith("keras_")


def _material(folder: Path, is_keras: bool) -> None:
    if (folder / "data").exists():
        return
    if is_keras:
        shutil.copy(_keras_weights(), folder)
    else:
        _weights(folder / "weights.pt")
    pool = sets.write("digits", WORK.resolve() / "sets")
    for row in pool.itertuples():
        split = {"train": "train", "val": "val", "test": "val"}.get(str(row.split))
        if split is not None:
            place = folder / "data" / split / str(row.label)
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(row.image), place)


def _weights(path: Path) -> None:
    """Writes the suite's pretrained ResNet as published weights are: with a head for other classes."""
    import timm
    import torch

    torch.manual_seed(0)
    model = timm.create_model("test_resnet")
    model.load_state_dict(torch.load(WEIGHTS, weights_only=True), strict=False)
    torch.save(model.state_dict(), path)


def _keras_weights() -> Path:
    """Returns the weights of a MobileNet that knows letters, trained once."""
    out = WORK.resolve() / "mobilenet.weights.h5"
    if not out.exists():
        images, labels = sets.glyphs(GLYPHS, 0)
        names = sorted(set(labels))
        table = out.with_name("glyphs.npz")
        np.savez(table, images=np.stack(images), labels=np.array([names.index(label) for label in labels]))
        subprocess.run([str(KERAS), str(HERE / "keras_weights.py"), str(table), str(out)], check=True)
    return out


def _answer(name: str, seconds: float, done: subprocess.CompletedProcess[str], lines: list[str]) -> Answer:
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [""]
        return Answer(name, seconds, 0.0, f"status {done.returncode}", None, last[0])
    report: dict[str, Any] = json.loads(done.stdout)
    first = None
    if report["causes"]:
        cause = report["causes"][0]
        place = cause.get("location")
        line = lines[place["line"] - 1] if place and re.match(r"(.*/)?train.py$", place["file"]) else ""
        first = (str(cause["cause"]), line.strip())
    return Answer(name, seconds, report["verified"]["before"], report["verdict"], first, report["headline"])


if __name__ == "__main__":
    sys.exit(main())
