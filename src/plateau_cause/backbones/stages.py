"""A classification model cut into stages that run one after the other.

Most models call their children in the order in which these are defined, with at most a flatten, a pooling or
a ReLU in between. So the cut is guessed from that order, and kept only where it gives what the model itself
gives on random images and holds each of its parameters. Where no guess does, the model is one stage, "body".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import torch
from torch import nn

from plateau_cause.backbones import hidden_states
from plateau_cause.backbones.tokens import token_stages

Named = tuple[str, nn.Module]
Groups = list[list[Named]]  # stem, block, block, ..., last block; each a list of (path in the model, module)

CONTAINERS = ("blocks", "stages", "layers", "features", "trunk_output", "levels")
WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Linear)
POOLS = (nn.MaxPool2d, nn.AvgPool2d)


def cut(model: nn.Module, images: torch.Tensor) -> nn.Sequential:
    """Returns the model (without classifier, in eval mode) as named stages that give the same features.

    Args:
        model: gives features; its modules are shared with the result.
        images: float (B, 3, S, S); the cut is checked on them.
    """
    with torch.no_grad():
        features = model(images)
        for groups in _guesses(model, images, features):
            stages = _sequence(groups)
            if _holds_all(stages, model) and _same(_run(stages, images), features):
                return stages
    tail = [] if features.ndim == 2 else [("flatten", nn.Flatten(1))]
    return nn.Sequential(OrderedDict(body=nn.Sequential(OrderedDict([("model", model), *tail]))))


def _guesses(model: nn.Module, images: torch.Tensor, features: torch.Tensor) -> Iterator[Groups]:
    tokens = token_stages(model)
    if tokens is not None:
        yield tokens
    yield from hidden_states.guesses(model)
    groups, neck = split(model)
    if not groups:
        return
    inputs = _run(_sequence(groups), images)
    for tail in _necks(neck):
        if inputs is not None and _same(_run(_sequence([tail]), inputs), features):
            yield [*groups[:-1], [*groups[-1], *tail]]


def split(model: nn.Module) -> tuple[Groups, list[Named]]:
    """Returns the stem and the blocks, and what follows them; no groups where no blocks are recognised."""
    children = [(name, child) for name, child in model.named_children() if not _is_identity(child)]
    at = [i for i, (_, child) in enumerate(children) if _is_container(child)]
    named = [i for i in at if children[i][0] in CONTAINERS]
    if not at:
        at = [i for i, (_, child) in enumerate(children) if not _is_simple(child)]
        if not at:
            return [], []
        start, stop, inner = 0, at[-1], children[: at[-1] + 1]
    elif len(at) == 1 or named:
        start = stop = (named or at)[-1]
        name, container = children[start]
        inner = [(f"{name}.{key}", child) for key, child in container.named_children()]
    else:
        start, stop = at[0], at[-1]
        inner = children[start : stop + 1]
    leading, blocks = _group(inner)
    stem = [*children[:start], *leading]
    return [*([stem] if stem else []), *blocks], children[stop + 1 :]


def _group(items: list[Named]) -> tuple[list[Named], Groups]:
    """Joins simple modules (at most one layer with weights) to the block after them, or to the last one.

    Plain chains of layers (VGG) have no blocks and are cut after each pooling.
    """
    leading: list[Named] = []
    blocks: Groups = []
    pending: list[Named] = []
    plain = all(_is_simple(module) for _, module in items)
    for item in items:
        pending.append(item)
        if isinstance(item[1], POOLS) if plain else not _is_simple(item[1]):
            if not blocks and not plain:
                leading, pending = pending[:-1], pending[-1:]
            blocks.append(pending)
            pending = []
    if blocks:
        blocks[-1].extend(pending)
    else:
        blocks.append(pending)
    return leading, blocks


def _necks(neck: list[Named]) -> Iterator[list[Named]]:
    """Yields the modules after the blocks with what models do between them in plain code."""
    flatten, pool, relu = ("flatten", nn.Flatten(1)), ("pool", nn.AdaptiveAvgPool2d(1)), ("relu", nn.ReLU())
    for glue in ([], [flatten], [pool, flatten], [relu, pool, flatten]):
        for at in range(len(neck), -1, -1) if glue else (0,):
            yield [*neck[:at], *glue, *neck[at:]]


def _sequence(groups: Groups) -> nn.Sequential:
    """Returns stages named stem, block1, ...; the modules inside keep their paths, with _ for the dots."""
    names = ["stem", *(f"block{i}" for i in range(1, len(groups)))]
    return nn.Sequential(
        OrderedDict(
            (name, nn.Sequential(OrderedDict((path.replace(".", "_"), module) for path, module in group)))
            for name, group in zip(names, groups, strict=True)
        )
    )


def _run(module: nn.Module, inputs: torch.Tensor) -> torch.Tensor | None:
    """Returns the output; None where the guess does not even run."""
    try:
        result = module(inputs)
    except Exception:  # a wrong guess may fail in any way inside the library's code
        return None
    return result if isinstance(result, torch.Tensor) else None


def _same(given: torch.Tensor | None, expected: torch.Tensor) -> bool:
    if given is None or given.ndim != 2 or given.numel() != expected.numel():
        return False
    atol = 1e-5 * float(expected.abs().max().clamp(min=1e-6))
    return torch.allclose(given, expected.reshape(given.shape), rtol=1e-4, atol=atol)


def _holds_all(stages: nn.Module, model: nn.Module) -> bool:
    """A parameter left out may not show at its initial value (a zero position embedding), but later."""
    return {id(p) for p in stages.parameters()} == {id(p) for p in model.parameters()}


def _is_container(module: nn.Module) -> bool:
    if not isinstance(module, nn.Sequential | nn.ModuleList):
        return False
    children = list(module.children())
    is_deep = any(list(child.children()) for child in children)
    return is_deep or sum(isinstance(child, nn.Conv2d) for child in children) > 1


def _is_simple(module: nn.Module) -> bool:
    return sum(isinstance(part, WEIGHTED) for part in module.modules()) <= 1


def _is_identity(module: nn.Module) -> bool:
    return all(isinstance(leaf, nn.Identity) for leaf in module.modules() if not list(leaf.children()))
