"""What is read: normalisation in evaluation as in training, the order of images."""

from __future__ import annotations

import ast
from pathlib import Path

from plateau_cause.capture.patches.change import Place, changed
from plateau_cause.capture.patches.source import Edit, Source, called

SHUFFLING = ("DataLoader", "fit", "flow", "flow_from_directory", "flow_from_dataframe",
             "image_dataset_from_directory")  # fmt: skip


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
