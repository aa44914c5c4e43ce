"""From a peek to a recipe that the laboratory trains: `recipe.code`, the `recipe` and `data` sections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plateau_cause.capture import launch
from plateau_cause.capture.child.images_table import TABLE
from plateau_cause.errors import PlateauError

RECIPE = "recipe.py"
TEXT = '''"""{script} as plateau trains it: written from a peek at the script (docs/capture.md)."""

from plateau_cause.capture.transcribed import Transcription

PIECES = "{digest}"  # what is in pieces.pkl
_script = Transcription(__file__)
transform = _script.transform
build_model = _script.build_model
loss = _script.loss
optimizer = _script.optimizer
on_train_start = _script.on_train_start
'''


@dataclass(frozen=True)
class Transcribed:
    """A script as a recipe.

    Attributes:
        peek: what was seen.
        recipe, data: sections for params.yaml, with absolute paths.
        backbone: section for params.yaml; None where the network is neither torchvision's nor timm's.
        notes: what the transcription leaves out, one line each.
    """

    peek: dict[str, Any]
    recipe: dict[str, Any]
    data: dict[str, Any]
    backbone: dict[str, Any] | None
    notes: list[str]


def transcribe(given: launch.Script, out: Path) -> Transcribed:
    """Peeks at a script and writes recipe.py, its pieces and a table of its images into a folder.

    Raises:
        PlateauError: the script does not train, or one of its pieces cannot be taken out.
    """
    content = launch.peek(given, out, takes_pieces=True)
    found = content["transcription"]
    if found["refused"] is not None:
        raise PlateauError(f"{given.target}: cannot be transcribed: {found['refused']}")
    (out / RECIPE).write_text(TEXT.format(script=given.target, digest=found["digest"]), encoding="utf-8")
    data = {"source": "table", "path": str((out / TABLE).resolve()), "stored_size": found["longest_px"]}
    recipe, left_out = _recipe(content)
    recipe = {"code": str((out / RECIPE).resolve()), **recipe}
    backbone = found["backbone"]
    if backbone is not None:
        backbone = {**backbone, "weights": str((out / backbone["weights"]).resolve())}
    return Transcribed(content, recipe, data, backbone, found["notes"] + left_out)


def _recipe(content: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Returns the values of the section `recipe`, and what they leave out."""
    train = next(one for one in content["loaders"] if one["role"] == "train")
    if content["epochs"] is None:
        raise PlateauError("the epochs of the script are not known: no `for … in range(…)` around its loop")
    per_step = content["gradients"]["backward_calls_per_step"] or 1
    names = {"OneCycleLR": "one_cycle", "CosineAnnealingLR": "cosine"}
    known = [names.get(one["class"].rpartition(".")[2]) for one in content["schedules"]]
    schedule = known[0] if len(known) == 1 and known[0] else "constant"
    values = {
        "preprocessing": {"size": train["image"]["tensor"]["shape"][-1]},
        "schedule": {"name": schedule, "epochs": content["epochs"]["count"]},
        "batch_size": train["batch_size"] * per_step,
        "shuffle": train["shuffle"],
        "sampler": "balanced" if train["sampler"]["class"] == "WeightedRandomSampler" else "uniform",
    }
    return values, ["the last, smaller batch is trained too"] if train["drop_last"] else []
