"""A user's own model beside the reference backbone: which weights are equal, and how to put them in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

import torch
from torch import nn

from plateau_cause.backbones.loading import COUNTER
from plateau_cause.backbones.types import Backbone, LoadReport
from plateau_cause.errors import PlateauError

# Share of the reference's entries, and of its numbers. Below it names agree by accident (Sequential's
# "0.weight"), or the vectors of batch norm do (the same widths beside kernels of another layout).
LEAST = 0.5


def compare_weights(model: nn.Module, reference: Backbone) -> dict[str, float]:
    """Returns per stage of the reference the share (0..1) of its tensors that the model holds too.

    A tensor without counterpart in the model counts as not equal; batch norm's counters are left out.
    Batch-norm weights are equal in any two untrained models: compare with the share of a random backbone.
    """
    theirs, own = model.state_dict(), _entries(reference)
    pairs = match(theirs, reference)
    equal = {name: name in pairs and _equal(theirs[pairs[name]], own[name]) for name in own}
    stages = {
        stage: [same for name, same in equal.items() if name.startswith(f"{stage}.")]
        for stage in reference.stage_names
    }
    return {stage: sum(flags) / len(flags) for stage, flags in stages.items() if flags}


def load_matching(model: nn.Module, reference: Backbone) -> LoadReport:
    """Copies the reference's weights into the user's own model in place, wherever they match.

    Returns:
        Names as in the reference's library; `unexpected` as in the user's model, its head among them.

    Raises:
        PlateauError: nothing matches.
    """
    theirs, own = model.state_dict(), _entries(reference)
    pairs = match(theirs, reference)
    if not pairs:
        raise PlateauError(
            f"recipe.code: build_model() shares no layer with backbone {reference.name}; is it another model?"
        )
    with torch.no_grad():
        for name, target in pairs.items():
            theirs[target].copy_(own[name])
    original = reference.original_names
    by_name = [target for name, target in pairs.items() if _ends_with(target, original.get(name, name))]
    is_by_name = len(by_name) == len(pairs)
    return LoadReport(
        missing=tuple(original.get(name, name) for name in own if name not in pairs),
        unexpected=tuple(n for n in theirs if n not in set(pairs.values()) and not n.endswith(COUNTER)),
        loaded_frac=sum(own[n].numel() for n in pairs)
        / max(1, sum(tensor.numel() for tensor in own.values())),
        prefix=_prefix(theirs, own, original) if is_by_name else "",
        matched_by="name" if is_by_name else "order",
    )


def match(theirs: Mapping[str, torch.Tensor], reference: Backbone) -> dict[str, str]:
    """Returns name of a state entry of the reference's stages -> name in the user's model.

    By name first: the user's name is the library's own name behind one prefix, the same for all. Where that
    finds less than half, by order: the longest runs of equal shapes.
    """
    own, original = _entries(reference), reference.original_names
    prefix = _prefix(theirs, own, original)
    named = {name: prefix + original.get(name, name) for name in own}
    named = {
        n: target for n, target in named.items() if target in theirs and theirs[target].shape == own[n].shape
    }
    if len(named) >= LEAST * len(own):
        return named
    ordered = _match_order(theirs, own)
    is_enough = len(ordered) >= LEAST * min(len(own), len(theirs))
    return ordered if is_enough and _numbers(own, ordered) >= LEAST * _numbers(own, own) else {}


def _match_order(theirs: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> dict[str, str]:
    mine = list(own)
    given = [name for name in theirs if not name.endswith(COUNTER)]
    matcher = SequenceMatcher(
        None, [tuple(own[n].shape) for n in mine], [tuple(theirs[n].shape) for n in given], False
    )
    runs = matcher.get_matching_blocks()
    return {mine[run.a + i]: given[run.b + i] for run in runs for i in range(run.size)}


def _numbers(state: Mapping[str, torch.Tensor], names: Iterable[str]) -> int:
    return sum(state[name].numel() for name in names)


def _prefix(
    theirs: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor], original: Mapping[str, str]
) -> str:
    """Returns what most often stands before the library's names in the user's model."""
    library = {original.get(name, name): tensor.shape for name, tensor in own.items()}
    counts: Counter[str] = Counter()
    for target, tensor in theirs.items():
        parts = target.split(".")
        for at in range(len(parts)):
            if library.get(".".join(parts[at:])) == tensor.shape:
                counts["".join(f"{part}." for part in parts[:at])] += 1
    return counts.most_common(1)[0][0] if counts else ""


def _entries(reference: Backbone) -> dict[str, torch.Tensor]:
    """The state of the stages in the order of the library's own model, as order matching needs it."""
    state = reference.stages.state_dict()
    order = {name: i for i, name in enumerate(reference.original_names)}
    names = sorted(state, key=lambda name: order.get(name, len(order)))
    return {name: state[name] for name in names if not name.endswith(COUNTER)}


def _equal(first: torch.Tensor, second: torch.Tensor) -> bool:
    return first.shape == second.shape and torch.equal(first.cpu(), second.cpu())


def _ends_with(target: str, name: str) -> bool:
    return target == name or target.endswith(f".{name}")
