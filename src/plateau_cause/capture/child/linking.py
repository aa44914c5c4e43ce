"""Which batch a forward call was made for.

The same tensor tells; where the batch was moved or normalised on the way, equal values, and then the order: a
loader may read one batch ahead of the model (timm's prefetcher, accelerate), so that the last one that it
yielded is not the one in the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plateau_cause.capture.child.passes import Forward, Pass


def link(forward: Forward, passes: list[Pass], lasts: list[Pass], looks_closely: bool) -> None:
    """Sets the pass and the batch that a forward call was made for; nothing where there is none.

    Args:
        forward: the call.
        passes: those that have begun and not ended.
        lasts: the last of each loader, ended or not: a script may hold a batch of it.
        looks_closely: whether values may be compared; on a device that waits for it.
    """
    found = _by(_is_same, forward, passes)
    if found is None and (held := _held_since(forward, lasts)) is not None:
        forward.of, forward.batch = held
        return
    if found is None and looks_closely:
        found = _by(_is_equal, forward, passes)
    if found is None and looks_closely and (joined := _among(forward, passes)):
        found, forward.beside = joined[0], [of for of, _ in joined[1:]]
    for of in reversed(passes):
        if found is None and (batch := _in_turn(forward, of)) is not None:
            found = of, batch
    if found is None:
        return
    forward.of, forward.batch = of, batch = found
    behind = next(n for n, one in enumerate(reversed(of.recent)) if one is batch)
    of.used, of.last = max(of.used, of.batches - behind), forward


def feeds(first: Forward, then: Forward) -> bool:
    """Returns whether what one call returned, features say, goes on into a later one of the same batch.

    On the way it may be pooled or flattened; a teacher and its student are given images alike.
    """
    if first.batch is not then.batch or not first.inputs or not then.inputs:
        return False
    given = then.inputs[0]
    if given.ndim < 2 or given.shape[1:] == first.inputs[0].shape[1:]:
        return False
    found = [one for one in tensors(first.output) if one.ndim > 1 and len(one) == len(given)]
    return any(given.shape[1] == one.shape[1] or given.shape[-1] == one.shape[-1]
               or given.numel() == one.numel() for one in found)  # fmt: skip


def tensors(value: Any) -> list[Any]:
    """Returns the tensors in nested lists, tuples, dicts and output objects, in order."""
    if hasattr(value, "data_ptr") and hasattr(value, "shape"):
        return [value]
    if hasattr(value, "items"):
        return [tensor for _, item in value.items() for tensor in tensors(item)]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors(item)]
    return []


def _by(test: Any, forward: Forward, passes: list[Pass]) -> tuple[Pass, Any] | None:
    """Returns the pass and the batch, the latest first, of which a tensor passes a test with an input."""
    for of in reversed(passes):
        for batch in reversed(of.recent):
            if any(test(given, loaded) for given in forward.inputs for loaded in tensors(batch)):
                return of, batch
    return None


def _among(forward: Forward, passes: list[Pass]) -> list[tuple[Pass, Any]]:
    """Returns the passes and batches that were joined into an input, each pass once, the first rows first."""
    found = [(place, number, batch) for number, of in enumerate(passes) for batch in of.recent
             for given in forward.inputs for loaded in tensors(batch)
             if (place := _row(given, loaded)) is not None]  # fmt: skip
    found.sort(key=lambda one: one[0])
    first = {number: batch for _, number, batch in reversed(found)}
    return [(passes[number], first[number]) for number in dict.fromkeys(number for _, number, _ in found)]


def _row(given: Any, loaded: Any) -> int | None:
    """Returns the row of an input at which the first image of a smaller batch stands, by its middle line."""
    if given.ndim < 3 or given.shape[1:] != loaded.shape[1:] or not 0 < len(loaded) < len(given):
        return None
    middle = tuple(size // 2 for size in given.shape[1:-1])
    rows, first = given[(slice(None), *middle)].detach().float().cpu(), loaded[(0, *middle)].float().cpu()
    is_near = ((rows - first).abs() <= 1e-2 * (1 + first.abs())).all(1)
    return int(is_near.int().argmax()) if bool(is_near.any()) else None


def _held_since(forward: Forward, passes: list[Pass]) -> tuple[Pass, Any] | None:
    """Returns the pass and what is left of a batch that the script has held while it read others."""
    for of in reversed(passes):
        for kept in reversed(of.older):
            batch = [one for one in (reference() for reference in kept) if one is not None]
            if any(_is_same(given, loaded) for given in forward.inputs for loaded in batch):
                return of, batch
    return None


def _in_turn(forward: Forward, of: Pass) -> Any:
    """Returns the batch of as many items that is next in turn: the latest, or the one before it."""
    alike = [batch for batch in of.recent if any(
        _is_as_many(given, loaded) for given in forward.inputs for loaded in tensors(batch))]  # fmt: skip
    if not alike:
        return None
    if of.last is not None and _goes_on(forward, of.last) and any(of.last.batch is one for one in alike):
        return of.last.batch
    if of.reads_ahead is None:
        of.reads_ahead = of.batches == len(of.recent) == 2 and _resembles(forward, of.recent)
    is_ahead = of.reads_ahead and of.used < of.batches
    return next((one for one in alike if is_ahead and one is of.recent[-(of.batches - of.used)]), alike[-1])


def _goes_on(forward: Forward, last: Forward) -> bool:
    """Returns whether a call is given what the last one was given, or what it returned."""
    known = {one.data_ptr() for one in [*last.inputs, *tensors(last.output)]}
    return any(one.data_ptr() in known for one in forward.inputs)


def _resembles(forward: Forward, recent: Any) -> bool:
    """Returns whether an input follows the first of two batches rather than the second, or either equally."""
    first, second = (max(_likeness(given, loaded) for given in forward.inputs for loaded in tensors(batch))
                     for batch in recent)  # fmt: skip
    return bool(first >= second)


def _likeness(given: Any, loaded: Any) -> float:
    """Returns the correlation of two batches' first images: 1 where one is the other, normalised."""
    import torch

    if given.shape != loaded.shape or given.ndim < 3:
        return 0.0
    pair = torch.stack([one[0].detach().flatten().float().cpu() for one in (given, loaded)])
    return float(torch.corrcoef(pair)[0, 1].nan_to_num())


def _is_same(given: Any, loaded: Any) -> bool:
    return bool(given is loaded or (given.numel() and given.data_ptr() == loaded.data_ptr()))


def _is_equal(given: Any, loaded: Any) -> bool:
    """Compares the first image's corner only: on another device a whole batch is dear to compare."""
    if given.shape != loaded.shape or not given.ndim:
        return False
    first, second = (tensor[(0,) * (tensor.ndim - 1)].detach().float().cpu() for tensor in (given, loaded))
    return bool(((first - second).abs() <= 1e-2 * (1 + second.abs())).all())


def _is_as_many(given: Any, loaded: Any) -> bool:
    return bool(given.ndim and loaded.ndim and len(given) == len(loaded))
