"""A watched run: the script runs to its end, and every epoch is kept as Keras measures it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from plateau_cause.capture.child.describe.document import located
from plateau_cause.capture.child.errors import describe_error
from plateau_cause.capture.child.files import write_json
from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.call import Call
from plateau_cause.capture.keras_child.moved import first_values, moved
from plateau_cause.capture.keras_child.training import Mode

SCHEMA_VERSION = 1
SHARE = 0.02  # of the time so far that plateau's own work between epochs may take
ACCURACIES = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy")


class Watch(Mode):
    """Keeps what every epoch of every fit reports; writes `watch.json` whole after each.

    Args:
        job: the job file's content.
        problems: what listeners could not do; shown in the record.
    """

    def __init__(self, job: dict[str, Any], problems: list[str]) -> None:
        self.job, self.problems = job, problems
        self.epochs: list[dict[str, Any]] = []
        self.fits: list[Call] = []
        self.evaluations: list[Call] = []
        self.error: BaseException | None = None
        self.steps = 0
        self._first: tuple[Any, dict[int, Any]] | None = None
        self._begun = self._planned = 0
        self._started_s = time.perf_counter()
        self._own_s = 0.0  # what plateau itself took between epochs

    def fitting(self, original: Any, call: Call) -> Any:
        """Returns the history of a fit, whose epochs are kept."""
        self._begin(call)
        history = original(call.model, **self._heard(call))
        self._finish(call)
        return history

    def _finish(self, call: Call) -> None:
        self.fits.append(call)
        self.steps += int(library.values(call.model.optimizer.iterations))
        self._last()["moved"] = None if self._first is None else moved(*self._first)
        self.write("running")

    def evaluating(self, original: Any, call: Call) -> Any:
        """Returns what `evaluate` returns, and adds it to the last epoch."""
        result = original(call.model, **call.given)
        self.evaluations.append(call)
        found = _plain(call.model.get_metrics_result()) if hasattr(call.model, "get_metrics_result") else {}
        self._last()["evaluations"].append(
            {"loader": call.names.get("x") or "evaluate", "place": call.place, **_measures(found),
             "by": "the script"})  # fmt: skip
        return result

    def ended(self, error: BaseException | None) -> None:
        """Writes the end."""
        self.error = error
        self.write("ended")

    def write(self, status: str) -> None:
        """Writes what is known so far."""
        content = {
            "schema_version": SCHEMA_VERSION,
            "status": status,
            "script": {key: self.job[key] for key in ("target", "is_module", "arguments")},
            "error": None if self.error is None else describe_error(self.error),
            "is_trained": self.is_trained,
            "epochs_planned": self._planned or None,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "own_seconds": self._own_s,
            "problems": self.problems,
        }
        write_json(Path(self.job["out"]) / "watch.json", located(content))

    @property
    def is_trained(self) -> bool:
        """Returns whether every fit that was begun has ended."""
        return self._begun > 0 and self._begun == len(self.fits)

    @property
    def seconds(self) -> float:
        """Returns how long the script has run."""
        return time.perf_counter() - self._started_s

    def _begin(self, call: Call) -> None:
        self._begun += 1
        self._planned += int(call.given.get("epochs", 1)) - int(call.given.get("initial_epoch", 0))
        if self._first is None and getattr(call.model, "built", True):
            self._first = (call.model, first_values(call.model))

    def _heard(self, call: Call) -> dict[str, Any]:
        """Returns the arguments of a fit with an ear among its callbacks."""
        given = call.given.get("callbacks")
        listed = list(given) if isinstance(given, (list, tuple)) else [given] if given is not None else []
        return {**call.given, "callbacks": [*listed, self._ear(call)]}

    def _ear(self, call: Call) -> Any:
        watch = self

        class Ear(library.of(call.model).callbacks.Callback):  # type: ignore[misc]
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                watch.close(call, _plain(logs or {}))

        return Ear()

    def close(self, call: Call, logs: dict[str, float]) -> None:
        """Adds an epoch."""
        started_s = time.perf_counter()
        about = {"loader": call.names.get("x") or "training", "place": call.place}
        validation = {key[4:]: value for key, value in logs.items() if key.startswith("val_")}
        name = call.names.get("validation") or "validation"
        row = {"loader": name, "place": call.place, **_measures(validation), "by": "the script"}
        self.epochs.append(
            {"epoch": len(self.epochs) + 1,
             "training": {**about, **_measures(logs), "in_training_mode": True},
             "evaluations": [row] if validation else [], "rates": [_rate(call.model)],
             "seconds": self.seconds, "moved": None})  # fmt: skip
        if self._own_s < SHARE * self.seconds:
            self.write("running")
        self._own_s += time.perf_counter() - started_s

    def _last(self) -> dict[str, Any]:
        if not self.epochs:  # an evaluation before any training
            self.epochs.append({"epoch": 0, "training": None, "evaluations": [], "rates": [], "seconds": 0.0,
                                "moved": None})  # fmt: skip
        return self.epochs[-1]


def _measures(logs: dict[str, float]) -> dict[str, float | None]:
    """Returns loss and accuracy by these names; None where the script does not measure them."""
    return {"loss": logs.get("loss"),
            "accuracy": next((logs[name] for name in ACCURACIES if name in logs), None)}  # fmt: skip


def _plain(logs: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, value in logs.items():
        if isinstance(value, dict):
            found |= _plain(value)
        elif getattr(library.values(value), "size", 0) == 1:
            found[key] = float(library.values(value))
    return found


def _rate(model: Any) -> float:
    return float(library.values(library.optimizer_of(model).learning_rate))
