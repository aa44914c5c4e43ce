"""Images of a Keras script: how they are prepared, and in which order they come."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from plateau_cause.capture.patches.change import Place, changed
from plateau_cause.capture.patches.keras_names import preprocess_input
from plateau_cause.capture.patches.source import Edit, Source, called, calls_of

BUFFER = "10_000"  # images
RESCALED = {"tf": "1 / 127.5, offset=-1", "unit": "1 / 255", "byte": "1.0"}


def preprocessed(folder: Path, place: Place, network: str, wanted: str) -> str | None:
    """Returns the generator with the network's own `preprocess_input`, or the Rescaling that it needs."""

    def edit(source: Source, line: int) -> list[Edit]:
        calls = source.at(line, ast.Call)
        function = preprocess_input(source.whole, network)
        generators = [call for call in calls if "rescale" in _words(call)]
        if len(generators) == 1:
            alike = [call for call in calls_of(source, called(generators[0])) if "rescale" in _words(call)]
            edits = [_prepared(source, call, function) for call in alike]  # validation's generator likewise
            return [one for one in edits if one is not None] if None not in edits else []
        layers = [call for call in calls if called(call) == "Rescaling"]
        if len(layers) == 1 and calls_of(source, "preprocess_input"):
            return source.without_call(line, layers[0])
        if len(layers) == 1 and wanted in RESCALED:
            return [source.replaced(layers[0], f"{source.text(layers[0].func)}({RESCALED[wanted]})")]
        if len(layers) == 1 and function is not None:
            before = source.text(layers[0].func).rpartition(".")[0]
            return [source.replaced(layers[0], f"{before + '.' if before else ''}Lambda({function})")]
        return []

    return changed(folder, place, edit)


def _prepared(source: Source, generator: ast.Call, function: str | None) -> Edit | None:
    """Returns a generator's rescaling taken out where it prepares images besides, or replaced by that."""
    rescale = next(word for word in generator.keywords if word.arg == "rescale")
    if "preprocessing_function" in _words(generator):
        return source.without(generator, rescale)
    if function is None:
        return None
    _, end, _ = source.replaced(rescale.value, "")
    start = source.replaced(rescale.value, "")[0] - len("rescale=")
    return start, end, f"preprocessing_function={function}"


def _words(call: ast.Call) -> set[str | None]:
    return {word.arg for word in call.keywords}


def buffered(folder: Path, place: Place) -> str | None:
    """Returns the `shuffle` of a pipeline with a buffer for more images."""

    def edit(source: Source, line: int) -> list[Edit]:
        calls = [call for call in source.at(line, ast.Call) if called(call) == "shuffle"]
        words = [one.value for call in calls for one in call.keywords if one.arg == "buffer_size"]
        given = [one for call in calls for one in call.args[:1]] + words
        return [source.replaced(given[0], BUFFER)] if len(given) == 1 else []

    return changed(folder, place, edit)


def mixed_before(folder: Path, place: Place) -> str | None:
    """Returns the fit with its arrays put into an order by chance before it."""

    def edit(source: Source, line: int) -> list[Edit]:
        fits = [call for call in source.at(line, ast.Call) if called(call) == "fit"]
        given = fits[0].args[:2] if len(fits) == 1 else []
        names = [one.id for one in given if isinstance(one, ast.Name)]
        if len(names) != 2 or not re.search(r"^import numpy as np\b", source.whole, re.MULTILINE):
            return []
        x, y = names
        mixed = f"order = np.random.permutation(len({x}))\n{x}, {y} = {x}[order], {y}[order]"
        return [source.inserted(source.first_line(line), mixed)]

    return changed(folder, place, edit)
