"""A fit cut down to two steps on a few images: seconds, whatever its batches; nothing is saved."""

from __future__ import annotations

from typing import Any

IMAGES, VALIDATED = 16, 8  # images of the two steps, and of the validation after them
STEPS = 2
SILENT = ("ModelCheckpoint", "TensorBoard", "CSVLogger", "BackupAndRestore", "RemoteMonitor", "ProgbarLogger")
OF_ARRAYS = ("steps_per_epoch", "validation_steps", "validation_batch_size", "validation_split",
             "sample_weight", "validation_data", "shuffle")  # fmt: skip


def small(
    given: dict[str, Any], first: tuple[Any, Any], validation: tuple[Any, Any] | None
) -> dict[str, Any]:
    """Returns the arguments of a fit on the first images of its own first batches.

    Args:
        given: the arguments of the script's fit.
        first: images and labels of the first batch of training.
        validation: of validation; None where the fit does not validate.
    """
    x, y = (few(one, IMAGES) for one in first)
    kept = {key: value for key, value in _brief(given).items() if key not in OF_ARRAYS}
    held_out = (
        {} if validation is None else {"validation_data": tuple(few(one, VALIDATED) for one in validation)}
    )
    return {**kept, "x": x, "y": y, "batch_size": max(count(x) // STEPS, 1), "shuffle": False, **held_out}


def plain(given: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of a fit of two of its own steps, and one batch of its own validation."""
    cut = {**_brief(given), "steps_per_epoch": min(STEPS, given.get("steps_per_epoch") or STEPS)}
    if given.get("validation_data") is not None or given.get("validation_split"):
        cut["validation_steps"] = 1
    return cut


def few(x: Any, most: int) -> Any:
    """Returns the first images, or labels, of a batch, nested as they are."""
    if isinstance(x, dict):
        return {key: few(one, most) for key, one in x.items()}
    if isinstance(x, list):
        return [few(one, most) for one in x]
    return x[:most]


def count(x: Any) -> int:
    """Returns how many images a batch has."""
    while isinstance(x, (dict, list)):
        x = next(iter(x.values())) if isinstance(x, dict) else x[0]
    return len(x)


def _brief(given: dict[str, Any]) -> dict[str, Any]:
    callbacks = given.get("callbacks")
    listed = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
    kept = [one for one in listed if type(one).__name__ not in SILENT]
    return {**given, "epochs": 1, "initial_epoch": 0, "verbose": 0, "callbacks": kept, "validation_freq": 1}
