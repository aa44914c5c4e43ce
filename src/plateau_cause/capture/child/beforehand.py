"""Features that a script computed before it trained a head on them: the network is called again for each.

A script that calls its network once, without gradients, and trains a linear layer on what it returned has
frozen the network by that: no flag says so. Where a call is given such features, the network computes them
again from their images just before, without gradients as in the script: what listens, and what intervenes,
finds network and head at work in one step, as in a script that computes features in its loop.
"""

from __future__ import annotations

import hashlib
import weakref
from dataclasses import dataclass
from typing import Any

from plateau_cause.capture.child.linking import tensors
from plateau_cause.capture.child.passes import Forward, Loader, Pass
from plateau_cause.capture.child.places import Place

MOST = 4 * 2**30  # bytes of images that are kept; of more, features are what they look like


@dataclass
class Computed:
    """A call of a network before training.

    Attributes:
        network: the module.
        method: of it, that was called: `forward_features`; any other name: itself.
        images: the batch that it was given.
        place: the line of the call.
        source: the pass over the loader that the batch came from; None where there is none.
        output: what it returned, while the script holds it.
    """

    network: Any
    method: str
    images: Any
    place: Place | None
    source: Pass | None
    output: weakref.ref[Any]

    def again(self, images: Any) -> Any:
        """Returns what the same call returns of other images, heard as the script's own calls are."""
        is_plain = self.method.startswith("_") or not hasattr(self.network, self.method)
        return (self.network if is_plain else getattr(self.network, self.method))(images)


class Beforehand:
    """Remembers what networks computed before the first backward call, and finds it again row by row."""

    def __init__(self) -> None:
        self.computed_from: dict[int, Loader] = {}  # loader of features → that of their images
        self.computed_at: Place | None = None  # the line that computed what training is given
        self.place: Place | None = None  # of the call that is made again now
        self._rows: dict[bytes, tuple[Computed, int]] = {}
        self._sizes: set[int] = set()  # numbers in a row
        self._bytes = 0

    def keep(self, forward: Forward, method: str) -> None:
        """Remembers a call without gradients that was given images."""
        images = next((one for one in forward.inputs if one.ndim == 4), None)
        found = [one for one in tensors(forward.output) if one.ndim > 1 and one.is_floating_point()]
        if images is None or forward.is_grad or not found or len(found[0]) != len(images):
            return
        self._bytes += images.nbytes
        if self._bytes > MOST:
            self.forget()
            return
        made = Computed(
            forward.module, method, images.detach(), forward.place, forward.of, weakref.ref(found[0])
        )
        self._sizes.add(found[0][0].numel())
        for number, row in enumerate(_digests(found[0])):
            self._rows[row] = made, number

    def forget(self) -> None:
        """Lets the images go: nothing was trained on what was computed from them."""
        self._rows.clear()
        self._sizes.clear()

    def images(self, given: Any, current: Pass | None) -> tuple[Computed, Any] | None:
        """Returns what computed each row of an input, and the images; None where one row is unknown.

        Args:
            given: what a module is called with.
            current: the pass that the script is in: features of its own batch are computed in the loop.
        """
        import torch

        if not self._rows or given.ndim < 2 or not len(given) or given[0].numel() not in self._sizes:
            return None
        rows = [self._rows.get(one) for one in _digests(given)]
        known = [one for one in rows if one is not None]
        if len(known) < len(rows):
            return None
        first = known[0][0]
        is_in_loop = first.source is not None and first.source is current
        if (
            is_in_loop
            or any(one.network is not first.network for one, _ in known)
            or _is_output(given, first)
        ):
            return None
        self.computed_at = self.computed_at or first.place
        if current is not None and first.source is not None:
            self.computed_from[id(current.of)] = first.source.of
        images = torch.stack([one.images[number] for one, number in known])
        return first, images.to(given.device)


def _is_output(given: Any, made: Computed) -> bool:
    """Returns whether an input is what a network has just returned, not a copy of it."""
    output = made.output()
    return output is not None and bool(given.data_ptr() == output.data_ptr())


def _digests(features: Any) -> list[bytes]:
    rows = features.detach().float().cpu().flatten(1).contiguous().numpy()
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows]
