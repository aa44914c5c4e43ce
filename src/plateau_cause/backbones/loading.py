"""State dicts into models, with an account of what fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import torch
from torch import nn

from plateau_cause.backbones.types import LoadReport
from plateau_cause.errors import PlateauError

State = Mapping[str, torch.Tensor]

# What stands before single names, behind the prefix that most names share.
PREFIXES = ("module.", "_orig_mod.", "backbone.", "encoder.", "model.", "net.")
COUNTER = "num_batches_tracked"


def load_state(
    model: nn.Module, state: State, head: frozenset[str], source: str, wrapper: str = ""
) -> LoadReport:
    """Copies what fits of a state dict into the model; the classifier (entries `head`) may not fit.

    Raises:
        PlateauError: nothing of the body fits.
    """
    own = model.state_dict()
    fitting, report = account(own, state, head, source)
    model.load_state_dict({**own, **{name: state[given] for name, given in fitting.items()}})
    return replace(report, wrapper=wrapper)


def account(own: State, state: State, head: frozenset[str], source: str) -> tuple[dict[str, str], LoadReport]:
    """Returns name in the model -> name in the state dict of what fits, and how the two agree.

    Args:
        own: the model's entries; of them only names and shapes are looked at.
        state: the weights.
        head: names of the model's classifier, which need not fit.
        source: what to call the weights in messages.

    Raises:
        PlateauError: nothing of the body fits.
    """
    names, prefix, added = match_names(own, state)
    fitting = {n: s for n, s in names.items() if own[n].shape == state[s].shape}
    matched_by = "name"
    if not _body(fitting, head):
        fitting, matched_by, prefix, added = match_order(own, state, head), "order", "", ""
    if not _body(fitting, head):
        raise PlateauError(
            f"backbone.weights: nothing in {source} fits this model's body: "
            f"it holds {_first(state)}, ..., the model expects {_first(own)}, ..."
        )
    found = _report(own, state, names if matched_by == "name" else fitting, fitting, head)
    return fitting, replace(found, prefix=prefix, added=added, matched_by=matched_by)


def match_names(own: State, state: State) -> tuple[dict[str, str], str, str]:
    """Returns model name -> name in the state dict, what was stripped from the latter, what was added.

    Most names share one prefix that the model lacks ("module.", "encoder_q."), or the model has one they
    lack (transformers' "vit."). Names outside it (a head beside a body) match as they are, or unwrapped.
    """
    prefix, added = _shared_prefixes(own, state)
    found = {
        name: prefix + name.removeprefix(added)
        for name in own
        if name.startswith(added) and prefix + name.removeprefix(added) in state
    }
    for given in state:
        bare = given
        while bare not in own and (wrapper := next((p for p in PREFIXES if bare.startswith(p)), "")):
            bare = bare.removeprefix(wrapper)
        if bare in own and given not in found.values():
            found.setdefault(bare, given)
    return found, prefix, added


def _shared_prefixes(own: State, state: State) -> tuple[str, str]:
    """Returns what most often stands before names in the state dict alone, and in the model alone."""
    outer = Counter(name.partition(".")[0] + "." for name in own).most_common(1)[0]
    candidates = ["", outer[0]] if outer[1] > len(own) / 2 else [""]
    best = ("", "", 0)
    for added in candidates:
        known = {name.removeprefix(added) for name in own if name.startswith(added)}
        prefix, count = _most_common_prefix(state, known)
        if count > best[2]:
            best = (prefix, added, count)
    return best[0], best[1]


def _most_common_prefix(names: Iterable[str], known: set[str]) -> tuple[str, int]:
    counts: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        for at in range(len(parts)):
            if ".".join(parts[at:]) in known:
                counts["".join(f"{part}." for part in parts[:at])] += 1
    return counts.most_common(1)[0] if counts else ("", 0)


def match_order(own: State, state: State, head: frozenset[str]) -> dict[str, str]:
    """Returns model name -> name in the state dict by position; empty unless all shapes of the body agree.

    The counters of batch norm are left out: older files lack them.
    """
    mine = [name for name, tensor in own.items() if not _is_counter(tensor)]
    given = [name for name, tensor in state.items() if not _is_counter(tensor)]
    if len(mine) != len(given):
        return {}
    fits = {a: own[a].shape == state[b].shape for a, b in zip(mine, given, strict=True)}
    if not all(fit for name, fit in fits.items() if name not in head):
        return {}
    return {a: b for a, b in zip(mine, given, strict=True) if fits[a]}


def _report(
    own: State, state: State, named: dict[str, str], fitting: dict[str, str], head: frozenset[str]
) -> LoadReport:
    used = set(named.values())
    body = {
        name: tensor.numel()
        for name, tensor in own.items()
        if name not in head and not name.endswith(COUNTER)
    }
    return LoadReport(
        missing=tuple(n for n in own if n not in named and not n.endswith(COUNTER)),
        unexpected=tuple(n for n in state if n not in used and not _is_counter(state[n])),
        mismatched=tuple(n for n in named if n not in fitting),
        loaded_frac=sum(size for n, size in body.items() if n in fitting) / max(1, sum(body.values())),
        head_loaded=bool(head) and head <= fitting.keys(),
    )


def _body(fitting: Mapping[str, str], head: frozenset[str]) -> list[str]:
    return [name for name in fitting if name not in head and not name.endswith(COUNTER)]


def _is_counter(tensor: torch.Tensor) -> bool:
    return tensor.ndim == 0 and not tensor.is_floating_point()


def _first(state: State) -> str:
    return repr(next(iter(state), "nothing"))
