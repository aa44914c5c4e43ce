"""Which held-out images were recognised, in the order of their data set, whatever order they came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.describe.drawn import Drawn, drawn
from plateau_cause.capture.child.passes import Forward, Loader, Pass
from plateau_cause.capture.child.tally import predicted

if TYPE_CHECKING:
    from plateau_cause.capture.child.changes import Changes

MOST = 0.5  # of the images of an evaluation: when more are trained on, it judges no held-out ones


@dataclass
class Sheet:
    """One pass over held-out images."""

    loader: Loader
    place: Any  # of the loop
    drawn: Drawn | None = None  # which images these are
    trained: Drawn | None = None  # what of the same data set its model was trained on last
    found: list[tuple[Any, Any, Any]] = field(default_factory=list)  # of each batch, see `add`

    def add(self, positions: Any, predicted: Any, labels: Any) -> None:
        """Adds a batch: (n,) positions in the data set, or None; (n,) classes and labels."""
        self.found.append((positions, predicted, labels))

    @property
    def images(self) -> int:
        """Returns how many images were judged."""
        return sum(len(labels) for _, _, labels in self.found)

    def array(self) -> Any:
        """Returns (n,) uint8: the hits by position; in the order in which they came where that is unknown."""
        import numpy as np

        predicted, labels = self.told()
        return (predicted == labels).astype(np.uint8)

    def told(self) -> tuple[Any, Any]:
        """Returns (n,) classes as predicted, and (n,) labels, in the order of `array`."""
        import numpy as np

        predicted, labels = (
            np.concatenate([np.asarray(batch[one].cpu()) for batch in self.found]) for one in (1, 2)
        )
        known = [positions for positions, _, _ in self.found]
        if any(one is None for one in known):
            return predicted, labels
        positions = np.concatenate([np.asarray(one).reshape(-1) for one in known])
        order = np.argsort(positions, kind="stable") if len(positions) == len(labels) else slice(None)
        return predicted[order], labels[order]


class Hits:
    """Keeps the last pass over all held-out images that the script evaluates, those of every fold."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._open: dict[int, Sheet] = {}
        self._last: dict[Any, list[Sheet]] = {}  # line of a loader, or data set → last passes over its images
        self._trained: dict[int, Pass] = {}  # data set → its last pass of training
        self._drawn: dict[int, tuple[Any, Drawn]] = {}  # identity of a loader → it, and what it reads

    def trained(self, of: Pass) -> None:
        """Takes note of a pass of training: what it read is not held out from its model."""
        self._trained[self._read(of).of] = of

    def add(self, forward: Forward) -> None:
        """Adds a batch of an evaluation."""
        of, logits = forward.of, facts.logits_of(forward.output)
        if of is None or logits is None or not logits.ndim:
            return
        labels = facts.targets_in(forward.batch, len(logits), logits.shape[-1])
        if labels is None:
            return
        middle = self._changes.doors.losing.middle or 0.0
        labels = self._changes.labels(labels.to(logits.device))
        if id(of) not in self._open:
            self._open[id(of)] = Sheet(of.of, of.place, self._read(of))
        self._open[id(of)].add(_positions(of, forward.batch), predicted(logits, middle), labels)

    def close(self, of: Pass) -> None:
        """Ends a pass over held-out images; a later one over as many of them takes its place.

        One over fewer, broken off for a picture of some predictions, does not; one before any training judges
        nothing that was trained: it may compute features.
        """
        sheet = self._open.pop(id(of), None)
        if sheet is None or not self._changes.doors.course.backwards:
            return
        sheet.trained = self._trained_on(sheet)
        if _is_of(sheet, sheet.trained):
            return
        before = self._last.get(key := of.of.place or id(of.of.loader.dataset), [])
        folds = [one for one in before if _are_folds(one, sheet)]
        if all(sheet.images >= one.images for one in before if one not in folds):
            self._last[key] = [*folds, sheet]

    def sheets(self) -> dict[str, Sheet]:
        """Returns the held-out passes as `val` and `test`: the last two, folds of one together."""
        held_out = [[one for one in folds if not self._is_early(one)] for folds in self._last.values()]
        kept = [_joined(folds) for folds in held_out if folds]
        if len(kept) == 1:
            return {_split_of(kept[0]): kept[0]}
        last = sorted(kept[-2:], key=lambda one: _split_of(one) == "test")
        return dict(zip(("val", "test"), last, strict=False))

    def _read(self, of: Pass) -> Drawn:
        loader = of.of.loader
        if id(loader) not in self._drawn:
            self._drawn[id(loader)] = loader, drawn(loader)
        return self._drawn[id(loader)][1]

    def _trained_on(self, sheet: Sheet) -> Drawn | None:
        """Returns what of a sheet's data set the model that is judged was trained on, or is."""
        assert sheet.drawn is not None
        under_way = [one for one in self._changes.doors.course.open if one.backwards]
        known = (*self._trained.values(), *under_way)
        passes = [one for one in known if self._read(one).of == sheet.drawn.of]
        return self._read(max(passes, key=lambda one: one.number)) if passes else None

    def _is_early(self, sheet: Sheet) -> bool:
        """Returns whether images that were trained on later were evaluated before."""
        return sheet.trained is None and _is_of(sheet, self._trained_on(sheet))


def _is_of(sheet: Sheet, trained: Drawn | None) -> bool:
    """Returns whether most images of a sheet are those of a training; a leak of a few refuses nothing."""
    return trained is not None and sheet.drawn is not None and sheet.drawn.share_in(trained) > MOST


def _are_folds(first: Sheet, second: Sheet) -> bool:
    """Returns whether two passes at one line judge other images, by models that were trained on others."""
    parts = first.drawn, second.drawn
    is_one_set = parts[0] is not None and parts[1] is not None and parts[0].of == parts[1].of
    are_apart = is_one_set and not parts[0].share_in(parts[1])  # type: ignore[union-attr,arg-type]
    return are_apart and None not in (first.trained, second.trained) and first.trained != second.trained


def _joined(folds: list[Sheet]) -> Sheet:
    """Returns the images of all folds, each as the model of its own fold recognised it."""
    import torch

    last = folds[-1]
    if len(folds) == 1:
        return last
    joined = Sheet(last.loader, last.place)
    for one in folds:
        predicted, labels = one.told()
        joined.add(None, torch.from_numpy(predicted), torch.from_numpy(labels))
    return joined


def write(path: Path, sheets: dict[str, Sheet]) -> None:
    """Writes one array per split, whole or not at all."""
    import numpy as np

    part = path.with_name(f".{path.name}")
    with part.open("wb") as file:
        np.savez(file, **{split: sheet.array() for split, sheet in sheets.items()})
    part.replace(path)


def _positions(of: Pass, batch: Any) -> Any:
    found = [at for one, at in zip(of.recent, of.positions, strict=False) if one is batch]
    return found[-1] if found else None


def _split_of(sheet: Sheet) -> str:
    data_set = sheet.loader.loader.dataset
    said = f"{sheet.loader.name} {getattr(data_set, 'root', '')}".lower()
    return "test" if "test" in said else "val"
