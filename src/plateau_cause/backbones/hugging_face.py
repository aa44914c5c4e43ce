"""Folders as the Hugging Face hub holds them: config.json, weights and, for transformers, a preprocessor."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import nn

from plateau_cause.backbones.classifier import head_names
from plateau_cause.backbones.libraries import in_timm, seeded
from plateau_cause.backbones.loading import PREFIXES, State
from plateau_cause.backbones.snapshot import WEIGHTS, read_json
from plateau_cause.backbones.types import Architecture, LoadReport
from plateau_cause.errors import PlateauError


def architecture(folder: Path, repository: str = "") -> Architecture:
    """Returns which library the folder's config.json belongs to.

    Raises:
        PlateauError: to none, or to transformers, which is not installed or has no such classifier.
    """
    shown = repository or str(folder)
    config = read_json(folder / "config.json")
    if in_timm(str(config.get("architecture", ""))):
        return Architecture("timm", f"local-dir:{folder}", repository=repository)
    if "model_type" not in config:
        raise PlateauError(
            f"backbone.name: config.json of {shown} names neither an architecture of timm nor "
            "a model_type of transformers"
        )
    if importlib.util.find_spec("transformers") is None:
        raise PlateauError(
            f"backbone.name: {shown} is a model of transformers, which is not installed; "
            "pip install transformers"
        )
    return Architecture("transformers", str(folder), repository=repository)


def build(folder: str, seed: int) -> nn.Module:
    """Returns the classifier that config.json describes, with random weights.

    Raises:
        PlateauError: transformers does not know it, or not as an image classifier.
    """
    config = _config(folder)
    with seeded(seed), _quiet():
        model: nn.Module = _class_for(config)(config)
    return model


def load(folder: str, seed: int) -> tuple[nn.Module, LoadReport]:
    """Returns the classifier with the folder's weights, and how these fitted.

    Raises:
        PlateauError: no weights there, or nothing of the body in them.
    """
    if not any(path for pattern in WEIGHTS for path in Path(folder).glob(pattern)):
        raise PlateauError(
            f"backbone.weights: got pretrained, but {folder} holds neither model.safetensors nor "
            "pytorch_model.bin; allowed: none, or a file"
        )
    return _loaded(folder, seed, None, folder)


def load_state(folder: str, seed: int, state: State, source: str) -> tuple[nn.Module, LoadReport]:
    """Returns the classifier with a state dict in it, and how that fitted.

    transformers itself puts it in: the names in its files are not those of its modules. What wraps the names
    ("module.", "backbone.") is stripped as far as that helps.

    Raises:
        PlateauError: nothing of the body is in the state dict.
    """
    best: tuple[nn.Module, LoadReport] | None = None
    for prefix in _wrapping(state):
        stripped = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
        try:
            model, found = _loaded(folder, seed, stripped, source)
        except PlateauError:
            continue
        if best is None or found.loaded_frac > best[1].loaded_frac:
            best = model, replace(found, prefix=prefix)
    if best is None:
        raise PlateauError(f"backbone.weights: nothing in {source} fits this model's body ({folder})")
    return best


def _wrapping(state: State) -> Iterator[str]:
    """Yields "", then the wrappers that more than half of the names stand behind, one deeper each time."""
    prefix = ""
    while True:
        yield prefix
        counts = {p: sum(name.startswith(prefix + p) for name in state) for p in PREFIXES}
        most = max(PREFIXES, key=lambda p: counts[p])
        if counts[most] <= len(state) / 2:
            return
        prefix += most


def _loaded(folder: str, seed: int, state: State | None, source: str) -> tuple[nn.Module, LoadReport]:
    import torch

    config = _config(folder)
    try:
        with seeded(seed), _quiet():
            model, found = _class_for(config).from_pretrained(
                folder if state is None else None,
                state_dict=state,
                config=config,
                dtype=torch.float32,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PlateauError(f"backbone.weights: {source} cannot be read ({reason})") from error
    return model, _report(model, found, source)


def _report(model: nn.Module, found: Mapping[str, Any], source: str) -> LoadReport:
    head = head_names(model)
    missing = tuple(sorted(found["missing_keys"]))
    mismatched = tuple(sorted(entry[0] for entry in found["mismatched_keys"]))
    sizes = {
        name: tensor.numel()
        for name, tensor in model.state_dict().items()
        if name not in head and tensor.is_floating_point()
    }
    lost = sum(sizes.get(name, 0) for name in (*missing, *mismatched))
    if lost == sum(sizes.values()):
        raise PlateauError(f"backbone.weights: nothing of the model's body is in the weights of {source}")
    return LoadReport(
        missing=missing,
        unexpected=tuple(sorted(found["unexpected_keys"])),
        mismatched=mismatched,
        loaded_frac=1.0 - lost / max(1, sum(sizes.values())),
        head_loaded=bool(head) and not head & {*missing, *mismatched},
    )


def _config(folder: str) -> Any:
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder)
    except Exception as error:  # ValueError, KeyError and others, by what is wrong in the file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PlateauError(
            f"backbone.name: transformers cannot read {folder}/config.json ({reason})"
        ) from error
    if _classes_for(config):
        return config
    raise PlateauError(
        f"backbone.name: {folder} is a model of type {config.model_type}, "
        "for which transformers has no image classifier"
    )


def _classes_for(config: Any) -> list[Any]:
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING as KNOWN

    found = KNOWN.get(type(config), ())
    return list(found) if isinstance(found, tuple | list) else [found]


def _class_for(config: Any) -> Any:
    """Returns the classifier that config.json names, where there are several of its type (DeiT)."""
    classes = _classes_for(config)
    named = config.architectures or ()
    return next((cls for cls in classes if cls.__name__ in named), classes[0])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps transformers from printing its own report and progress bar: ours says the same."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()
