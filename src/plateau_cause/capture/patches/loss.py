"""What the loss is given: activations before it, the kind of loss."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from plateau_cause.capture.patches.change import Place, changed
from plateau_cause.capture.patches.source import Edit, Source, called


def without_activation(folder: Path, activation: dict[str, Any]) -> str | None:
    """Returns the line without the softmax (or sigmoid, ReLU): its argument alone, or `nn.Identity()`."""
    wanted = _plain(activation["function"])

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call) if _plain(called(node)) == wanted]
        if len(calls) != 1:
            return []
        call, name = calls[0], called(calls[0])
        if name[0].isupper():
            prefix = source.text(call.func).rpartition(".")[0]
            return [source.replaced(call, f"{prefix}.Identity()")] if prefix else []
        is_method = isinstance(call.func, ast.Attribute) and not _is_library(source.text(call.func.value))
        inner = call.func.value if is_method and isinstance(call.func, ast.Attribute) else call.args[0]
        return [source.replaced(call, source.text(inner))]

    return changed(folder, activation["place"], edit)


def binary_loss(folder: Path, place: Place) -> str | None:
    """Returns the loss of one output: cross-entropy of two classes, with its sigmoid inside."""
    names = {"CrossEntropyLoss": "BCEWithLogitsLoss", "cross_entropy": "binary_cross_entropy_with_logits"}

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call) if called(node) in names]
        if len(calls) != 1 or calls[0].keywords:
            return []
        before = source.text(calls[0].func).rpartition(".")[0]
        name = names[called(calls[0])]
        return [source.replaced(calls[0].func, f"{before}.{name}")] if before else []

    return changed(folder, place, edit)


def logged(folder: Path, activation: dict[str, Any]) -> str | None:
    """Returns the line with `log_softmax` in place of `softmax`."""
    names = {"softmax": "log_softmax", "Softmax": "LogSoftmax"}

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call) if called(node) in names]
        if len(calls) != 1:
            return []
        before, _, name = source.text(calls[0].func).rpartition(".")
        return [source.replaced(calls[0].func, f"{before}.{names[name]}" if before else names[name])]

    return changed(folder, activation["place"], edit)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _is_library(name: str) -> bool:
    return name in ("F", "torch", "nn.functional", "torch.nn.functional", "functional")
