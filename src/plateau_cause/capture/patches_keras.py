"""Changes to a Keras script as unified diffs, where a decision stands there in plain sight."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from plateau_cause.capture.keras_child.thawing import of_pretrained
from plateau_cause.capture.patches import Place, changed
from plateau_cause.capture.source import Edit, Source, called

MODULES = {  # beginnings of networks' names → the module of keras.applications that holds their function
    "resnet50v2": "resnet_v2", "resnet101v2": "resnet_v2", "resnet152v2": "resnet_v2", "resnet": "resnet",
    "inceptionresnetv2": "inception_resnet_v2", "efficientnetv2": "efficientnet_v2",
    "efficientnet": "efficientnet", "mobilenetv3": "mobilenet_v3", "mobilenetv2": "mobilenet_v2",
    "mobilenet": "mobilenet", "inceptionv3": "inception_v3", "xception": "xception", "nasnet": "nasnet",
    "densenet": "densenet", "vgg16": "vgg16", "vgg19": "vgg19", "convnext": "convnext",
}  # fmt: skip
BUFFER = "10_000"  # images
RESCALED = {"tf": "1 / 127.5, offset=-1", "unit": "1 / 255", "byte": "1.0"}
USUAL = 1e-3  # rate of an optimizer that is given by its name
OPTIMIZERS = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop", "adamw": "AdamW", "nadam": "Nadam"}


def preprocessed(folder: Path, place: Place, network: str, wanted: str) -> str | None:
    """Returns the generator with the network's own `preprocess_input`, or the Rescaling that it needs."""

    def edit(source: Source, line: int) -> list[Edit]:
        calls = source.at(line, ast.Call)
        function = _function(source.whole, network)
        generators = [call for call in calls if "rescale" in _words(call)]
        if len(generators) == 1:
            alike = [call for call in _calls(source, called(generators[0])) if "rescale" in _words(call)]
            edits = [_prepared(source, call, function) for call in alike]  # validation's generator likewise
            return [one for one in edits if one is not None] if None not in edits else []
        layers = [call for call in calls if called(call) == "Rescaling"]
        if len(layers) == 1 and _calls(source, "preprocess_input"):
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


def unfrozen_but_norms(folder: Path, place: Place) -> str | None:
    """Returns the line with `trainable = False` turned to True, for every layer but the batch norms."""

    def edit(source: Source, line: int) -> list[Edit]:
        found = [node for node in source.at(line, ast.Assign) if _freezes(node)]
        if len(found) != 1 or len(found[0].targets) != 1:
            return []
        layer = source.text(found[0].targets[0].value)
        if _is_one_of_many(source.whole, line, layer):
            return [source.replaced(found[0].value, f'"BatchNormalization" not in type({layer}).__name__')]
        rest = (
            f"for layer in {layer}.layers:\n"
            '    layer.trainable = "BatchNormalization" not in type(layer).__name__'
        )
        return [source.replaced(found[0].value, "True"), source.inserted(line, rest, behind=True)]

    return changed(folder, place, edit)


def trained_as_one(folder: Path, fit: Place) -> str | None:
    """Returns a fit on what `base.predict(images)` returned as a fit of base and head on the images."""

    def edit(source: Source, line: int) -> list[Edit]:
        fits = [call for call in source.at(line, ast.Call) if called(call) == "fit"]
        if len(fits) != 1 or not isinstance(fits[0].func, ast.Attribute):
            return []
        head, sequential = source.text(fits[0].func.value), _known(source.whole, "Sequential", "models")
        compiled = [one for one in _calls(source, "compile") if source.text(one.func) == f"{head}.compile"]
        computed = {name: call for name, call in _predicted(source).items() if _holds(fits[0], name)}
        bases = {source.text(call.func)[: -len(".predict")] for call in computed.values()}
        if len(bases) != 1 or len(compiled) != 1 or sequential is None:
            return []
        base = bases.pop()
        given = source.text(compiled[0])[len(head) :]
        before = (
            f"{base}.trainable = True\n"
            f"for layer in {base}.layers:\n"
            '    layer.trainable = "BatchNormalization" not in type(layer).__name__\n'
            f"whole = {sequential}([{base}, {head}])\n"
            f"whole{' '.join(given.split())}"
        )
        names = [node for node in ast.walk(fits[0]) if isinstance(node, ast.Name) and node.id in computed]
        images = [source.replaced(one, source.text(computed[one.id].args[0])) for one in names]
        fitted = source.replaced(fits[0].func.value, "whole")
        return [source.inserted(source.first_line(line), before), fitted, *images]

    return changed(folder, fit, edit)


def _calls(source: Source, name: str) -> list[ast.Call]:
    nodes = ast.walk(ast.parse(source.whole))
    return [node for node in nodes if isinstance(node, ast.Call) and called(node) == name]


def _predicted(source: Source) -> dict[str, ast.Call]:
    """Returns the names that are given what one `predict` returns, and never anything else."""
    assigned = [node for node in ast.walk(ast.parse(source.whole)) if isinstance(node, ast.Assign)]
    targets = [one.id for node in assigned for one in node.targets if isinstance(one, ast.Name)]
    return {
        name: node.value
        for node in assigned
        for name in [getattr(node.targets[0], "id", "")]
        if targets.count(name) == 1
        and isinstance(node.value, ast.Call)
        and called(node.value) == "predict"
        and node.value.args
    }


def _holds(call: ast.Call, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(call))


def _freezes(node: ast.Assign) -> bool:
    is_off = isinstance(node.value, ast.Constant) and node.value.value is False
    return is_off and all(isinstance(one, ast.Attribute) and one.attr == "trainable" for one in node.targets)


def _is_one_of_many(text: str, line: int, name: str) -> bool:
    """Returns whether a name runs through a loop around a line."""
    loops = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.For)]
    return any(
        isinstance(node.target, ast.Name)
        and node.target.id == name
        and node.lineno <= line <= (node.end_lineno or 0)
        for node in loops
    )


def logits_told(folder: Path, place: Place, value: bool, others: bool = False) -> str | None:
    """Returns the loss with `from_logits` turned round, where it stands there.

    Args:
        folder: where the script runs.
        place: of the loss.
        value: as it is to be.
        others: whether other fits have another loss, which is right as it is.
    """

    def edit(source: Source, line: int) -> list[Edit]:
        words = [
            word for call in source.at(line, ast.Call) for word in call.keywords if word.arg == "from_logits"
        ]
        is_alone = (
            others or source.whole.count("from_logits") == 1
        )  # else another `compile` would stay as it is
        if len(words) == 1 and is_alone:
            return [source.replaced(words[0].value, str(value))]
        losses = [call for call in source.at(line, ast.Call) if called(call).endswith("Crossentropy")]
        if len(losses) != 1 or losses[0].args or losses[0].keywords or not value:
            return []
        return [source.replaced(losses[0], f"{source.text(losses[0].func)}(from_logits=True)")]

    return changed(folder, place, edit)


def activated(folder: Path, place: Place, loss: str) -> str | None:
    """Returns the last layer with the activation that its loss expects."""
    name = "sigmoid" if loss == "binary_crossentropy" else "softmax"

    def edit(source: Source, line: int) -> list[Edit]:
        layers = [call for call in source.at(line, ast.Call) if called(call) == "Dense"]
        if not layers or any(word.arg == "activation" for word in layers[-1].keywords):
            return []
        return [source.behind_last(layers[-1], f'activation="{name}"')]

    return changed(folder, place, edit)


def reactivated(folder: Path, place: Place, old: str, new: str) -> str | None:
    """Returns the last layer with another activation."""

    def edit(source: Source, line: int) -> list[Edit]:
        found = [node for node in source.at(line, ast.Constant) if node.value == old]
        return [source.replaced(found[-1], f'"{new}"')] if found else []

    return changed(folder, place, edit)


def hub_trained(folder: Path, place: Place) -> str | None:
    """Returns `hub.KerasLayer` with `trainable=True`."""

    def edit(source: Source, line: int) -> list[Edit]:
        layers = [call for call in source.at(line, ast.Call) if called(call) == "KerasLayer"]
        if len(layers) != 1:
            return []
        for word in layers[0].keywords:
            if word.arg == "trainable":
                return [source.replaced(word.value, "True")]
        return [source.behind_last(layers[0], "trainable=True")]

    return changed(folder, place, edit)


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
        return [source.inserted(source.first_line(line), " ".join(again.split()))]

    return changed(folder, fit, edit)


def _at_rate_of_pretrained(source: Source, compiled: ast.Call) -> str:
    """Returns a `compile` as it is written, with the rate divided by a hundred: a new head bears far more."""
    text = source.text(compiled)
    given = [one.value for one in compiled.keywords if one.arg == "optimizer"] + compiled.args[:1]
    optimizer = given[0] if given else None
    if isinstance(optimizer, ast.Constant) and str(optimizer.value).lower() in OPTIMIZERS:
        name = _known(source.whole, OPTIMIZERS[str(optimizer.value).lower()], "optimizers")
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
    written = source.text(optimizer)
    return text.replace(written, written.replace(source.text(rate), f"{lower:g}", 1), 1)


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


def _function(text: str, network: str) -> str | None:
    """Returns how a file may write a network's `preprocess_input`."""
    plain = re.sub(r"[^a-z0-9]", "", network.lower())
    module = next((name for start, name in MODULES.items() if plain.startswith(start)), None)
    prefix = _prefix(text)
    return f"{prefix}.applications.{module}.preprocess_input" if module and prefix else None


def _known(text: str, name: str, module: str) -> str | None:
    """Returns how a file may write something of a module of Keras, which it may have imported by its name."""
    if re.search(rf"^from \S*keras\S* import (\(?[\w, \n]*\b)?{name}\b", text, re.MULTILINE):
        return name
    prefix = _prefix(text)
    return f"{prefix}.{module}.{name}" if prefix else None


def _prefix(text: str) -> str | None:
    """Returns by which name a file has Keras."""
    for pattern, prefix in ((r"^import tensorflow as tf\b", "tf.keras"),
                            (r"^(import (tf_keras as )?keras|from tensorflow import keras)\b", "keras"),
                            (r"^import tf_keras\b", "tf_keras")):  # fmt: skip
        if re.search(pattern, text, re.MULTILINE):
            return prefix
    return None
