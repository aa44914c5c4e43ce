"""Changes to a user's file as unified diffs, where a decision stands there in plain sight.

Each function returns None where the line does not look as expected: a diff is shown only if it is certain to
apply and the file still parses after it.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plateau_cause.capture.source import Edit, Source, called

Place = dict[str, Any] | None
BUILT_IN = ("len", "int", "float", "sum", "print")
MODELS = ("model", "net", "network", "module")  # as attributes of a trainer are called
SHUFFLING = ("DataLoader", "fit", "flow", "flow_from_directory", "flow_from_dataframe",
             "image_dataset_from_directory")  # fmt: skip


def unfrozen(folder: Path, place: Place, optimizer: Place = None, model: str | None = None) -> str | None:
    """Returns the line with `requires_grad = False` turned to True, and an optimizer that holds that too.

    Args:
        folder: that the file lies in.
        place: of the line.
        optimizer: that may hold a part of the model alone: then the model stands in its place.
        model: what the script calls it.
    """

    def edit(source: Source, line: int) -> list[Edit]:
        constants = [node for node in source.at(line, ast.Constant) if node.value is False]
        held = optimizer and place and optimizer["file"] == place["file"] and constants
        return [
            *(source.replaced(node, "True") for node in constants),
            *(_held_whole(source, optimizer["line"], model) if held and optimizer else []),
        ]

    return changed(folder, place, edit)


def held_whole(folder: Path, place: Place, model: str | None) -> str | None:
    """Returns the optimizer with `model.fc.parameters()` turned to `model.parameters()`."""
    return changed(folder, place, lambda source, line: _held_whole(source, line, model))


def _held_whole(source: Source, line: int, model: str | None) -> list[Edit]:
    if model is None or not model.isidentifier():
        return []
    calls = [node for node in source.at(line, ast.Call) if _method(node) == "parameters"]
    parts = [node for node in calls if source.text(node).startswith((f"{model}.", f"{model}["))]
    is_part = len(parts) == 1 and source.text(parts[0]) != f"{model}.parameters()"
    return [source.replaced(parts[0], f"{model}.parameters()")] if is_part else []


def cleared(folder: Path, step: Place) -> str | None:
    """Returns the loop with `optimizer.zero_grad()` behind the step."""

    def edit(source: Source, line: int) -> list[Edit]:
        steps = [node for node in source.at(line, ast.Call) if _method(node) == "step"]
        if len(steps) != 1:
            return []
        call = steps[0]
        named = source.text(call.args[0]) if call.args else source.text(call.func).rpartition(".")[0]
        return [source.inserted(line, f"{named}.zero_grad()", behind=True)]

    return changed(folder, step, edit)


def mode_set(folder: Path, loop: Place, call: Place, model: str | None, mode: str) -> str | None:
    """Returns the loop over the batches with `model.train()` or `model.eval()` before it."""
    if not loop or not call or loop["file"] != call["file"]:
        return None

    def edit(source: Source, line: int) -> list[Edit]:
        loops = [node for node in source.at(line, ast.For) if node.lineno == line]
        names = _variables(source, call["line"])
        chosen = model if model in names else next(iter(names)) if len(names) == 1 else None
        return [source.inserted(line, f"{chosen}.{mode}()")] if loops and chosen else []

    return changed(folder, loop, edit)


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


def mode_turned(folder: Path, place: Place, mode: str) -> str | None:
    """Returns the line that sets a model to the other mode, with `train()` or `eval()` in its place."""

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call)
                 if called(node) in ("train", "eval") and not node.keywords]  # fmt: skip
        if len(calls) != 1 or not isinstance(calls[0].func, ast.Attribute) or len(calls[0].args) > 1:
            return []
        return [source.replaced(calls[0], f"{source.text(calls[0].func.value)}.{mode}()")]

    return changed(folder, place, edit)


def mode_inverted(folder: Path, place: Place) -> str | None:
    """Returns the line that sets one mode or the other by a condition, with the condition turned round."""
    others = {ast.Eq: "==", ast.NotEq: "!="}

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call) if called(node) == "train" and not node.keywords]
        if len(calls) != 1 or len(calls[0].args) != 1:
            return []
        given = calls[0].args[0]
        if isinstance(given, ast.UnaryOp) and isinstance(given.op, ast.Not):
            return [source.replaced(given, source.text(given.operand))]
        if isinstance(given, ast.Compare) and len(given.ops) == 1 and type(given.ops[0]) in others:
            other = next(sign for kind, sign in others.items() if kind is not type(given.ops[0]))
            sides = source.text(given.left), source.text(given.comparators[0])
            return [source.replaced(given, f"{sides[0]} {other} {sides[1]}")]
        return [source.replaced(given, f"not ({source.text(given)})")]

    return changed(folder, place, edit)


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


def dropout_told(folder: Path, place: Place) -> str | None:
    """Returns the call of `dropout` with `training=self.training`."""

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call) if called(node) == "dropout"]
        if len(calls) != 1:
            return []
        for keyword in calls[0].keywords:
            if keyword.arg == "training":
                return [source.replaced(keyword.value, "self.training")]
        last = [*calls[0].args, *(keyword.value for keyword in calls[0].keywords)][-1]
        return [source.replaced(last, f"{source.text(last)}, training=self.training")]

    return changed(folder, place, edit)


def normalised_alike(folder: Path, place: Place, other: Place) -> str | None:
    """Returns a composed transform with the `Normalize` of another one in the same file."""
    if not place or not other or place["file"] != other["file"]:
        return None

    def edit(source: Source, line: int) -> list[Edit]:
        there, here = _normalizing(source, other["line"]), _normalizing(source, line)
        if len(there) != 1:
            return []
        if here:
            return [source.replaced(here[0], source.text(there[0]))]
        composed = [node for node in source.inside(line) if called(node) == "Compose"]
        lists = [node.args[0] for node in composed[:1] if node.args]
        steps = lists[0].elts if len(lists) == 1 and isinstance(lists[0], ast.List) else []
        names = [called(one) for one in steps if isinstance(one, ast.Call)]
        if "ToFloat" in names:  # albumentations' Normalize wants bytes
            return []
        if names[-1:] == ["ToTensorV2"]:
            return [source.before_last(steps, source.text(there[0]))]
        return [source.behind(steps, source.text(there[0]))] if steps else []

    return changed(folder, place, edit)


def _normalizing(source: Source, line: int) -> list[ast.expr]:
    """Returns the steps of a composed transform that normalise: calls, or names that stand for one."""
    calls: list[ast.expr] = [node for node in source.inside(line) if called(node) == "Normalize"]
    composed = [node for node in source.inside(line) if called(node) == "Compose" and node.args]
    steps = composed[0].args[0].elts if composed and isinstance(composed[0].args[0], ast.List) else []
    given = {
        target.id
        for node in ast.walk(ast.parse(source.whole))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and called(node.value) == "Normalize"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return calls or [step for step in steps if isinstance(step, ast.Name) and step.id in given]


def shuffled(folder: Path, place: Place) -> str | None:
    """Returns the loader, or what Keras reads images by, with `shuffle=True`."""

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [node for node in source.at(line, ast.Call) if called(node) in SHUFFLING]
        samplers = [word.value for call in calls for word in call.keywords if word.arg == "sampler"]
        if samplers:  # which alone says the order
            told = [word.value for word in getattr(samplers[0], "keywords", []) if word.arg == "shuffle"]
            return [source.replaced(one, "True") for one in told]
        if len(calls) != 1 or not calls[0].args:
            return []
        for keyword in calls[0].keywords:
            if keyword.arg == "shuffle":  # what is told from outside is told for the other loaders too
                is_here = isinstance(keyword.value, ast.Constant)
                return [source.replaced(keyword.value, "True")] if is_here else []
        if called(calls[0]) != "DataLoader":  # the others shuffle unless they are told not to
            return []
        last = [*calls[0].args, *(keyword.value for keyword in calls[0].keywords)][-1]
        return [source.replaced(last, f"{source.text(last)}, shuffle=True")]

    return changed(folder, place, edit)


def changed(folder: Path, place: Place, edit: Callable[[Source, int], list[Edit]]) -> str | None:
    """Returns the diff of an edit; None where the file cannot be read or would not parse."""
    if not place:
        return None
    try:
        text = (folder / place["file"]).read_text(encoding="utf-8")
        source = Source(text)
        edits = edit(source, place["line"])
        after = text
        for start, end, new in sorted(edits, reverse=True):
            after = after[:start] + new + after[end:]
        _compiles(after)
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None
    name = place["file"]
    lines = difflib.unified_diff(text.splitlines(True), after.splitlines(True), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines) or None


def _compiles(text: str) -> None:
    """Raises SyntaxError where Python would not run it, an argument given twice included."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the user's own text
        compile(text, "patched", "exec", dont_inherit=True)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _is_library(name: str) -> bool:
    return name in ("F", "torch", "nn.functional", "torch.nn.functional", "functional")


def _variables(source: Source, line: int) -> set[str]:
    """Returns what is called in a line and may be a model: `model`, `self.net`."""
    called_here = [node.func for node in source.at(line, ast.Call)]
    names = {one.id for one in called_here if isinstance(one, ast.Name) and one.id not in BUILT_IN}
    own = {source.text(one) for one in called_here if isinstance(one, ast.Attribute) and one.attr in MODELS
           and isinstance(one.value, ast.Name) and one.value.id == "self"}  # fmt: skip
    return own if len(own) == 1 else names
