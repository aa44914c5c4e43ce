"""Which normalisation the weights of a known network were trained under."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.describe.architecture import architecture

if TYPE_CHECKING:
    from plateau_cause.capture.child.peek import Peek

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def expected(peek: Peek) -> dict[str, list[float]] | None:
    """Returns mean and std of 0..1 images, as the network's library or the file beside its weights says."""
    for call in peek.training:
        found = architecture(facts.unwrapped(call.module)[0])
        if found is not None and found.library == "transformers":
            return _beside_weights(found.module.config)
        if found is not None:
            module = found.module
            settings: Any = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", {})
            told = {name: settings.get(name) for name in ("mean", "std")} if hasattr(settings, "get") else {}
            return (
                {name: list(value) for name, value in told.items()}
                if all(told.values()) and told
                else IMAGENET
            )
    return None


def _beside_weights(config: Any) -> dict[str, list[float]] | None:
    """Returns what the image processor of a Hugging Face model does, whose file lies beside the weights."""
    name, tools = getattr(config, "_name_or_path", ""), sys.modules["transformers.utils"]
    options = {"local_files_only": True, "_raise_exceptions_for_missing_entries": False,
               "_raise_exceptions_for_connection_errors": False}  # fmt: skip
    found = tools.cached_file(name, "preprocessor_config.json", **options) if name else None
    told = json.loads(Path(found).read_text(encoding="utf-8")) if found else {}
    values = {key: told.get(f"image_{key}") or [] for key in ("mean", "std")}
    is_known = told.get("do_normalize", True) and all(len(one) == 3 for one in values.values())
    return values if is_known else None
