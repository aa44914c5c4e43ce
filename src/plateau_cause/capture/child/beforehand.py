"""Features that a script computed before it trained a head on them: the network is called again for each.

A script that calls its network once, without gradients, and trains a linear layer on what it returned has
frozen the network by that: no flag says so. Where a call is given such features, the network computes them
again from their images just before, without gradients as in the script: what listens, and what intervenes,
finds network and head at work in one step, as in a script that computes features in its loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plateau_cause.capture.child.linking import tensors
from plateau_cause.capture.child.passes import Forward, Loader, Pass
from plateau_cause.capture.child.places import Place

MOST = 4 * 2**30  # bytes of images and outputs that are kept; of more, features are what they look like
NEAR = 1e-3  # of a feature, and of the scale of all: what half precision leaves of it
IMAGES = object()  # stands for the images among the arguments of a call
# What scripts take from an output as features, by its number of dimensions.
VIEWS: dict[int, tuple[Callable[[Any], Any], ...]] = {
    2: (lambda found: found,),
    3: (lambda found: found.flatten(1), lambda found: found[:, 0], lambda found: found.mean(1),
        lambda found: found[:, 1:].mean(1)),
    4: (lambda found: found.flatten(1), lambda found: found.mean((2, 3)), lambda found: found.amax((2, 3))),
}  # fmt: skip


@dataclass
class Computed:
    """A call of a network before training.

    Attributes:
        network: the module.
        method: of it, that was called: `forward_features`; any other name: itself.
        place: the line of the call.
        source: the pass over the loader that its images came from; None where there is none.
        images: the batch that it was given.
        outputs: the tensors that it returned.
        arguments: of the call, IMAGES in the place of the images.
        named: those by name, likewise.
    """

    network: Any
    method: str
    place: Place | None
    source: Pass | None
    images: Any
    outputs: list[Any]
    arguments: list[Any]
    named: dict[str, Any]

    def again(self, images: Any) -> list[Any]:
        """Returns what the same call returns of other images, heard as the script's own calls are."""
        is_plain = self.method.startswith("_") or not hasattr(self.network, self.method)
        call = self.network if is_plain else getattr(self.network, self.method)
        arguments = [images if one is IMAGES else one for one in self.arguments]
        named = {key: images if one is IMAGES else one for key, one in self.named.items()}
        return tensors(call(*arguments, **named))


@dataclass
class Traced:
    """Where features come from.

    Attributes:
        computed: a call that computed some of them.
        images: (n, …) of all of them, in their order.
        view: what was taken from an output.
        number: of the output's tensors.
    """

    computed: Computed
    images: Any
    view: Callable[[Any], Any]
    number: int

    def again(self, given: Any) -> Any:
        """Returns the features, computed again, in the shape in which they were given."""
        found = self.view(self.computed.again(self.images)[self.number])
        return found.reshape(given.shape).to(given)


class Beforehand:
    """Remembers what networks computed before the first backward call, and finds it again row by row."""

    def __init__(self) -> None:
        self.computed_from: dict[int, Loader] = {}  # loader of features → that of their images
        self.computed_at: Place | None = None  # the line that computed what training is given
        self.place: Place | None = None  # of the call that is made again now
        self._computed: list[Computed] = []
        self._rows: dict[int, list[Rows]] = {}  # numbers of a feature → the ways to read so many
        self._bytes = 0

    @property
    def sources(self) -> set[int]:
        """Returns the loaders whose images features were computed from, where training is given features."""
        known = self._computed if self.computed_at else []
        return {id(one.source.of) for one in known if one.source is not None}

    def keep(self, forward: Forward, method: str) -> None:
        """Remembers a call without gradients that was given images."""
        images = next((one for one in forward.inputs if one.ndim == 4), None)
        found = tensors(forward.output)
        if (
            images is None
            or forward.is_grad
            or not found
            or found[0].ndim < 2
            or len(found[0]) != len(images)
        ):
            return
        self._bytes += images.nbytes + sum(one.nbytes for one in found)
        if self._bytes > MOST:
            self.forget()
            return
        outputs = [one.detach().cpu() for one in found]
        arguments = [IMAGES if one is images else one for one in forward.arguments]
        named = {key: IMAGES if one is images else one for key, one in forward.named.items()}
        kept = images.detach().cpu()
        self._computed.append(
            Computed(forward.module, method, forward.place, forward.of, kept, outputs, arguments, named)
        )
        self._rows.clear()

    def forget(self) -> None:
        """Lets the images go: nothing was trained on what was computed from them."""
        self._computed.clear()
        self._rows.clear()

    def again(self, given: Any, current: Pass | None) -> Any | None:
        """Returns the features that a module is given, computed again; None where `traced` returns none."""
        import torch

        found = self.traced(given, current)
        if found is None:
            return None
        self.place = found.computed.place
        try:
            with torch.no_grad():
                return found.again(given)
        finally:
            self.place = None

    def traced(self, given: Any, current: Pass | None) -> Traced | None:
        """Returns where the features that a module is given come from; None where one row is unknown.

        Args:
            given: what a module is called with.
            current: the pass that the script is in: features of its own batch are computed in the loop.
        """
        import torch

        if not self._computed or given.ndim < 2 or not len(given) or not given.is_floating_point():
            return None
        size = given[0].numel()
        if size not in self._rows:
            self._rows[size] = list(_ways(self._computed, size))
        for rows in self._rows[size]:
            numbers = rows.find(given)
            if numbers is None:
                continue
            sources = [rows.sources[one] for one in numbers]
            first = sources[0][0]
            is_in_loop = first.source is not None and first.source is current
            if is_in_loop or given.data_ptr() == first.outputs[rows.number].data_ptr():
                return None
            self.computed_at = self.computed_at or first.place
            if current is not None and first.source is not None:
                self.computed_from[id(current.of)] = first.source.of
            images = torch.stack([one.images[number] for one, number in sources])
            images = images.to(next(first.network.parameters()).device)
            self._rows[size] = [rows]
            return Traced(first, images, rows.view, rows.number)
        return None


@dataclass
class Rows:
    """One way to read features from the outputs of a network: all of them, and where each comes from."""

    features: Any  # (N, d)
    sources: list[tuple[Computed, int]]
    view: Callable[[Any], Any]
    number: int

    def find(self, given: Any) -> list[int] | None:
        """Returns the number of each row of an input, (n, …); None where one is not among the features."""
        import torch

        wanted = given.detach().float().cpu().flatten(1)
        numbers = torch.cdist(wanted, self.features).argmin(1)
        found = self.features[numbers]
        scale = found.abs().mean()
        is_near = bool(((wanted - found).abs() <= NEAR * (found.abs() + scale)).all())
        return numbers.tolist() if is_near else None


def _ways(computed: list[Computed], size: int) -> list[Rows]:
    """Returns the ways to read features of so many numbers from what the calls of each network returned."""
    import torch
    from torch.nn.functional import normalize

    found = []
    for network, method in dict.fromkeys((id(one.network), one.method) for one in computed):
        calls = [one for one in computed if (id(one.network), one.method) == (network, method)]
        for number, output in enumerate(calls[0].outputs):
            for view in VIEWS.get(output.ndim, ()):
                if not output.is_floating_point() or view(output[:1]).numel() != size:
                    continue
                for form in (view, lambda one, view=view: normalize(view(one), dim=1)):
                    parts = [form(one.outputs[number]).float().cpu() for one in calls]
                    sources = [(one, row) for one in calls for row in range(len(one.outputs[number]))]
                    found.append(Rows(torch.cat(parts), sources, form, number))
    return found
