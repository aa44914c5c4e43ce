"""Changes to a Keras script as unified diffs, where a decision stands there in plain sight."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from plateau_cause.capture.keras_child.thawing import of_pretrained
from plateau_cause.capture.patches.change import Place, changed
from plateau_cause.capture.patches.keras_names import written
from plateau_cause.capture.patches.source import Edit, Source, called, one_line

USUAL = 1e-3  # rate of an optimizer that is given by its name
OPTIMIZERS = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop", "adamw": "AdamW", "nadam": "Nadam"}


def logits_told(folder: Path, place: Place, value: bool, others: bool = False) -> str | None:
    """Returns the loss with `from_logits` turned round, where it stands there.

    Args:
        folder: where the script runs.
        place: of the loss.
        value: as it is to be.
        others: whether other fits have another loss, which is right as it is.
    """

    def edit(source: Source, line: int) -> list[Edit]:
        words = _from_logits(source.at(line, ast.Call))
        every = words if others else _from_logits(ast.walk(ast.parse(source.whole)))
        # Of several `compile` each is changed, or none: one would stay as it is
        is_told = all(isinstance(one, ast.Constant) and one.value is not value for one in every)
        if len(words) == 1 and is_told:
            return [source.replaced(one, str(value)) for one in every]
        losses = [call for call in source.at(line, ast.Call) if called(call).endswith("Crossentropy")]
        if len(losses) != 1 or losses[0].args or losses[0].keywords or not value:
            return []
        return [source.replaced(losses[0], f"{source.text(losses[0].func)}(from_logits=True)")]

    return changed(folder, place, edit)


def _from_logits(nodes: Iterable[ast.AST]) -> list[ast.expr]:
    """Returns what calls are given as `from_logits`."""
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return [word.value for call in calls for word in call.keywords if word.arg == "from_logits"]


def compiled_again(folder: Path, fit: Place, compiled: Place, thaws: bool) -> str | None:
    """Returns the fit with the same `compile` once more before it; where layers thaw, at a rate for them."""
    if not fit or not compiled or fit["file"] != compiled["file"]:
        return None

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [call for call in source.at(compiled["line"], ast.Call) if called(call) == "compile"]
        fits = [call for call in source.at(line, ast.Call) if called(call) == "fit"]
        if len(calls) != 1 or len(fits) != 1:
            return []
        again = _at_rate_of_pretrained(source, calls[0]) if thaws else source.text(calls[0])
        return [source.inserted(source.first_line(line), one_line(again))]

    return changed(folder, fit, edit)


def _at_rate_of_pretrained(source: Source, compiled: ast.Call) -> str:
    """Returns a `compile` as it is written, with the rate divided by a hundred: a new head bears far more."""
    text = source.text(compiled)
    given = [one.value for one in compiled.keywords if one.arg == "optimizer"] + compiled.args[:1]
    optimizer = given[0] if given else None
    if isinstance(optimizer, ast.Constant) and str(optimizer.value).lower() in OPTIMIZERS:
        name = written(source.whole, OPTIMIZERS[str(optimizer.value).lower()], "optimizers")
        return text.replace(source.text(optimizer), f"{name}({of_pretrained(USUAL):g})", 1) if name else text
    if not isinstance(optimizer, ast.Call):
        return text
    rates = [one.value for one in optimizer.keywords if one.arg in ("learning_rate", "lr")]
    rate = next(iter([*rates, *optimizer.args[:1]]), None)
    if not isinstance(rate, ast.Constant) or not isinstance(rate.value, float):
        return text
    lower = of_pretrained(rate.value)
    if lower == rate.value:
        return text
    built = source.text(optimizer)
    return text.replace(built, built.replace(source.text(rate), f"{lower:g}", 1), 1)
