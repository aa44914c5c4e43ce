"""What a registered model says about stored images, by the model's own code.

Also a script, `python -P prediction.py REQUEST ANSWER`: a model that was logged months ago brings the package
it was made with, which must not meet today's. So nothing here imports plateau.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 64  # images of one size that go into the model at once
PACKAGE = "plateau_cause"


def predict(uri: str, pixels: Path, places: Mapping[str, Sequence[int]]) -> list[str]:
    """Returns the model's label for each image.

    Args:
        uri: of the model, such as models:/plateau@champion, at the tracking server of the environment.
        pixels: file of uint8 RGB pixels, back to back, as `data.store` writes it.
        places: columns offset (bytes into the file), stored_height, stored_width, one entry per image.
    """
    import mlflow

    with tempfile.TemporaryDirectory() as folder:  # MLflow leaves what it downloads behind otherwise
        model = mlflow.pyfunc.load_model(uri, dst_path=folder)
        return _labels(model, uri, pixels, places)


def _labels(model: Any, uri: str, pixels: Path, places: Mapping[str, Sequence[int]]) -> list[str]:
    from tqdm import tqdm

    columns = [np.asarray(places[key], np.int64) for key in ("offset", "stored_height", "stored_width")]
    labels = [""] * len(columns[0])
    file = np.memmap(pixels, np.uint8, mode="r").view(np.ndarray)
    batches = list(_batches(*columns[1:]))
    is_silent = "PYTEST_CURRENT_TEST" in os.environ
    for rows in tqdm(batches, desc=f"predict {uri}", disable=is_silent, mininterval=1.0, delay=2.0):
        shape = int(columns[1][rows[0]]), int(columns[2][rows[0]]), 3
        starts = columns[0][rows]
        images = np.stack([file[start : start + np.prod(shape)].reshape(shape) for start in starts])
        for row, label in zip(rows, model.predict(images)["label"], strict=True):
            labels[row] = str(label)
    return labels


def predict_apart(
    uri: str, tracking_uri: str, pixels: Path, places: Mapping[str, Sequence[int]]
) -> list[str]:
    """Returns what `predict` does, from a process in which today's package does not stand in the way.

    Raises:
        RuntimeError: the model cannot be loaded or used; the message is the last line of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder) / "request.json", Path(folder) / "answer.json"
        plain = {key: [int(value) for value in values] for key, values in places.items()}
        request.write_text(json.dumps({"uri": uri, "pixels": str(Path(pixels).resolve()), "places": plain}))
        command = [sys.executable, "-P", str(Path(__file__).resolve()), str(request), str(answer)]
        environment = {**_without_package(os.environ), "MLFLOW_TRACKING_URI": tracking_uri}
        done = subprocess.run(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            raise RuntimeError(f"{uri} cannot be used: {lines[-1]}")
        labels: list[str] = json.loads(answer.read_text())
    return labels


def _batches(heights: np.ndarray, widths: np.ndarray) -> Iterator[np.ndarray]:
    """Yields rows of images of one size, at most BATCH at a time."""
    sizes = np.stack([heights, widths], axis=1)
    for size in np.unique(sizes, axis=0):
        rows = np.flatnonzero((sizes == size).all(1))
        yield from np.split(rows, range(BATCH, len(rows), BATCH))


def _without_package(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment without the folders of PYTHONPATH that hold this package."""
    folders = environment.get("PYTHONPATH", "").split(os.pathsep)
    kept = [folder for folder in folders if folder and not (Path(folder) / PACKAGE).is_dir()]
    return {**environment, "PYTHONPATH": os.pathsep.join(kept)}


def _main(request: str, answer: str) -> None:
    given: dict[str, Any] = json.loads(Path(request).read_text())
    found = predict(given["uri"], Path(given["pixels"]), given["places"])
    Path(answer).write_text(json.dumps(found))


if __name__ == "__main__":
    _main(*sys.argv[1:])
