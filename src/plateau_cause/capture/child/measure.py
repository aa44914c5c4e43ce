"""Accuracy on a loader that the script does not evaluate itself; leaves no trace in the script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from plateau_cause.capture.child.chance import chance_kept
from plateau_cause.capture.child.describe.drawn import positions
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.linking import tensors
from plateau_cause.capture.child.passes import Forward
from plateau_cause.capture.child.tally import Tally


def measured(
    loader: Any, call: Forward, hooks: Hooks, middle: float | None = None,
    hear: Callable[[Any, Any], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Returns accuracy and images of a loader's data set under a model in evaluation mode.

    Chance, modes, gradients and the loader itself are afterwards as they were before.

    Args:
        loader: a DataLoader; its data set, what its sampler names of it, batch size and collate function
            are used, nothing else.
        call: a call that the script made, with the batch that it was made for: the model is called alike.
        hooks: silent meanwhile.
        middle: where a single output is undecided, see Tally.result.
        hear: told what the model returns for each batch, and the batch.
    """
    import torch

    tally = Tally()
    was_paused, hooks.paused = hooks.paused, True
    try:
        with chance_kept(), _evaluating(call.module), torch.no_grad():
            size = loader.batch_size or getattr(loader.batch_sampler, "batch_size", None) or 1
            chosen = positions(loader)
            data_set = loader.dataset if chosen is None else torch.utils.data.Subset(loader.dataset, chosen)
            own = torch.utils.data.DataLoader(data_set, size, collate_fn=loader.collate_fn)
            for batch in own:
                arguments, named = _alike(call, batch)
                output = call.module(*arguments, **named)
                tally.add(output, batch)
                if hear is not None:
                    hear(output, batch)
    finally:
        hooks.paused = was_paused
    return tally.result(middle)


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _alike(call: Forward, batch: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Returns the arguments of a call with its own batch replaced by another.

    Raises:
        ValueError: an argument was no tensor of the batch as it was loaded.
    """
    before, now = tensors(call.batch), tensors(batch)

    def swapped(value: Any) -> Any:
        if hasattr(value, "data_ptr"):
            fit = [new for old, new in zip(before, now, strict=True) if _is_as_loaded(value, old)]
            if not fit:
                raise ValueError("what the model is given is changed after it is loaded")
            return fit[0].to(value.device)
        if isinstance(value, dict):
            return {key: swapped(item) for key, item in value.items()}
        return type(value)(map(swapped, value)) if type(value) in (list, tuple) else value

    return tuple(swapped(one) for one in call.arguments), {k: swapped(v) for k, v in call.named.items()}


def _is_as_loaded(given: Any, loaded: Any) -> bool:
    if given is loaded or given.data_ptr() == loaded.data_ptr():
        return True
    return bool(given.shape == loaded.shape and (given.cpu() == loaded.cpu().to(given.dtype)).all())
