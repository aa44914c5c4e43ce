"""A script's own pieces, taken out of its run so that another loop can train them.

What is taken is checked against the run: the transform must give the very tensors that the script's data set
gave. What cannot be taken is refused in one line; what is left out is noted.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child import facts
from plateau_cause.capture.child.architecture import architecture
from plateau_cause.capture.child.chance import seeded
from plateau_cause.capture.child.course import Loader
from plateau_cause.capture.child.describe_data import held_transform, steps
from plateau_cause.capture.child.images_table import write_table
from plateau_cause.capture.child.left_out import left_out
from plateau_cause.capture.child.linking import tensors
from plateau_cause.capture.child.places import is_users
from plateau_cause.capture.child.refusal import RefusedError
from plateau_cause.capture.child.replay import samples, spread
from plateau_cause.capture.child.start import make_importable

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors
    from plateau_cause.capture.child.peek import Peek

PIECES = "pieces.pkl"
BACKBONE = "backbone.pt"
CHECKED = 4  # items whose tensors must come out the same


def transcribe(out: Path, doors: Doors, peek: Peek) -> dict[str, Any]:
    """Writes pieces.pkl, table.csv and the raw images into a folder.

    Returns:
        `refused`: why there is no transcription, or None; `notes`: what it leaves out.
    """
    try:
        train, others = _loaders(doors)
        pieces = {
            "model": _model(peek),
            "transforms": {True: _transform(train, doors), False: _transform(others[0], doors)},
            "loss": _loss(doors, peek),
            "optimizer": _optimizer(doors, peek),
            "modes": _modes(peek),
        }
        _pickle(out / PIECES, pieces, doors)
        size_px = write_table(out, train, others, doors)
    except RefusedError as refused:
        return {"refused": str(refused), "notes": []}
    return {"refused": None, "notes": left_out(doors, peek, others), "longest_px": size_px,
            "backbone": _backbone(out, pieces["model"]), "digest": _digest(pieces, doors)}  # fmt: skip


def _backbone(out: Path, model: Any) -> dict[str, str] | None:
    """Writes the first weights of the network that the model is or holds, and returns its name and file."""
    import torch

    found = architecture(model)
    if found is None:
        return None
    name, module = found
    with (out / BACKBONE).open("wb") as file:
        torch.save(module.state_dict(), file)
    return {"name": name, "weights": BACKBONE}


def _loaders(doors: Doors) -> tuple[Loader, list[Loader]]:
    train = [one for one in doors.course.loaders if one.role == "train"]
    if not train:
        raise RefusedError("training reads no DataLoader; wrap its tensors: DataLoader(TensorDataset(…), …)")
    own = train[0].loader.dataset
    others = [one for one in doors.course.loaders if one.role != "train" and one.loader.dataset is not own]
    if not others:
        raise RefusedError("no other data than those of training are loaded: nothing to judge on")
    return train[0], sorted(others, key=lambda one: one.role != "evaluation")[:2]


def _model(peek: Peek) -> Any:
    """Returns the model with its first weights; parts that follow one another become a sequence."""
    from torch import nn

    parts = []
    for number, call in enumerate(peek.training):
        if number and not any(given is one for given in call.inputs
                              for one in tensors(peek.training[number - 1].output)):  # fmt: skip
            raise RefusedError("the model is called in parts that do not simply follow one another")
        call.module.load_state_dict(peek.initial[id(call.module)][1])
        parts.append(facts.unwrapped(call.module)[0].cpu())
    if len(peek.training[0].inputs) > 1 and not peek.training[0].named:
        raise RefusedError("the model is given more than one tensor")
    return parts[0] if len(parts) == 1 else nn.Sequential(*parts)


def _transform(loader: Loader, doors: Doors) -> tuple[Any, str]:
    """Returns the transform that a loader's data set holds, and the kind of image that it is given.

    Raises:
        RefusedError: there is none, or it does not give the tensors that the data set gives.
    """
    name = loader.name or "a loader"
    if not spread(loader.loader.dataset, 1):
        kind = facts.kind(loader.loader.dataset)
        raise RefusedError(
            f"{name}: {kind} cannot be indexed; expected a data set with __getitem__ and __len__"
        )
    found = held_transform(loader.loader.dataset)
    if found is None:
        raise RefusedError(f"{name}: its data set holds no transform that could be taken out")
    indices = list(range(0, len(loader.loader.dataset), max(len(loader.loader.dataset) // CHECKED, 1)))
    kinds = ("pil", "tensor", "rgb", "bgr")
    alike = [kind for kind in kinds if all(_is_alike(loader, index, found, kind, doors) for index in indices)]
    if not alike:
        raise RefusedError(f"{name}: its images are changed by more than the transform of its data set")
    return found, alike[0]


def _is_alike(loader: Loader, index: int, transform: Any, kind: str, doors: Doors) -> bool:
    """Returns whether a transform gives the tensor that the data set gives, under the same seed."""
    import torch

    with seeded(index):
        sample = next(samples(loader.loader, [index], doors.decoding, doors.hooks))
    if sample.raw is None or sample.raw.image is None:
        raise RefusedError(f"{loader.name or 'a loader'}: no image is decoded, its data are tensors")
    try:
        with seeded(index):
            tensor = transform(as_kind(sample.raw.image, kind))
    except Exception:  # the transform wants another kind of image
        return False
    if getattr(tensor, "shape", None) != sample.tensor.shape:
        return False
    return bool(torch.allclose(tensor.float(), sample.tensor.float()))


def as_kind(image: Any, kind: str) -> Any:
    """Returns an image (H, W, 3) uint8 RGB as PIL image ("pil"), tensor (3, H, W), "rgb" or "bgr" array."""
    import torch
    from PIL import Image

    if kind == "pil":
        return Image.fromarray(image)
    if kind == "tensor":
        return torch.from_numpy(image.copy()).permute(2, 0, 1)
    return image if kind == "rgb" else image[..., ::-1].copy()


def _loss(doors: Doors, peek: Peek) -> dict[str, Any]:
    """Returns the loss as a module or a function with its options, and what stands before it in the loop."""
    last, told = peek.taken, peek.loss
    if last is None or told is None:
        raise RefusedError("the loss is computed by hand")
    if not told["is_whole"]:
        others = ", ".join(one["function"] for one in told["with"]) or "another term"
        raise RefusedError(f"the loss is a sum, of {last.function} and {others}")
    logits = facts.logits_of(peek.training[-1].output)
    if last.output.ndim != 2 or last.output.shape[1] < 2:
        raise RefusedError("the model has one output for two classes")
    before = doors.losing.activation_before(last.output) if peek.loss_is_changed else None
    if peek.loss_is_changed and before is None:
        raise RefusedError("what stands between the model and the loss is not known")
    if logits is None:
        raise RefusedError("the output of the model holds no logits")
    function = before.function if before is not None else None
    return {"module": last.module, "function": last.function, "options": last.options, "before": function}


def _optimizer(doors: Doors, peek: Peek) -> dict[str, Any]:
    """Returns class, arguments and groups of the optimizer; parameters by their place in the model."""
    stepped = [one for one in doors.stepping.held if one.steps]
    if len(stepped) != 1:
        raise RefusedError(f"{len(stepped)} optimizers take steps")
    optimizer = stepped[0].optimizer
    own = [one for call in peek.training for one in facts.unwrapped(call.module)[0].parameters()]
    places = {id(one): number for number, one in enumerate(own)}
    allowed = set(inspect.signature(type(optimizer).__init__).parameters)
    groups = []
    for number, group in enumerate(optimizer.param_groups):
        options = {key: value for key, value in group.items() if key in allowed and key != "params"}
        options["lr"] = _rate(stepped[0], number, group)
        groups.append((options, [places[id(one)] for one in group["params"] if id(one) in places]))
    return {"class": type(optimizer), "groups": groups}


def _rate(held: Any, number: int, group: dict[str, Any]) -> float:
    """Returns the peak of a one-cycle schedule, the rate written by hand, or the one it was built with."""
    if held.by_hand:
        return float(held.rates[0][number])
    return float(group.get("max_lr") or group.get("initial_lr") or group["lr"])


def _modes(peek: Peek) -> list[str]:
    """Returns the layers that are in evaluation mode while the model trains."""
    model = [facts.unwrapped(call.module)[0] for call in peek.training]
    named = [(f"{number}." if len(model) > 1 else "", one) for number, one in enumerate(model)]
    still = {key for call in peek.training for key in call.facts["still"]}
    parts = [(f"{prefix}{name}", part) for prefix, one in named for name, part in one.named_modules()]
    return [name.rstrip(".") for name, part in parts if id(part) in still]


def _pickle(path: Path, pieces: dict[str, Any], doors: Doors) -> None:
    """Writes the pieces with the user's own code within them: elsewhere there is no such file."""
    try:
        import cloudpickle
    except ImportError:
        make_importable("cloudpickle", Path(doors.job["cloudpickle"]))
        import cloudpickle
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name != "__main__" and is_users(file):
            cloudpickle.register_pickle_by_value(module)
    try:
        path.write_bytes(cloudpickle.dumps(pieces))
    except Exception as error:
        raise RefusedError(f"a piece cannot be pickled: {error}") from error


def _digest(pieces: dict[str, Any], doors: Doors) -> str:
    """Returns what the pieces mean as one number: pickles of the same classes differ from run to run."""
    import torch

    found = hashlib.sha256()
    files = {str(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())}
    for file in sorted(one for one in files if one and is_users(one) and Path(one).is_file()):
        found.update(Path(file).read_bytes())
    for name, tensor in sorted(pieces["model"].state_dict().items()):
        found.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    told = [doors.job["arguments"], torch.__version__, pieces["modes"], pieces["optimizer"]["groups"]]
    found.update(repr([*told, {**pieces["loss"], "module": repr(pieces["loss"]["module"])}]).encode())
    for transform, kind in pieces["transforms"].values():
        found.update(repr([steps(transform), kind]).encode())
    return found.hexdigest()
