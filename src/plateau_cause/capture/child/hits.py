"""Which held-out images were recognised, in the order of their data set, whatever order they came in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child import facts
from plateau_cause.capture.child.course import Forward, Loader, Pass
from plateau_cause.capture.child.drawn import Drawn, drawn
from plateau_cause.capture.child.tally import predicted

if TYPE_CHECKING:
    from plateau_cause.capture.child.changes import Changes


@dataclass
class Sheet:
    """One pass over held-out images."""

    loader: Loader
    place: Any  # of the loop
    drawn: Drawn | None = None  # which images these are
    is_first: bool = False  # whether nothing had been trained yet
    found: list[tuple[Any, Any]] = field(default_factory=list)  # positions (or None) and hits of each batch
    labels: Counter[int] = field(default_factory=Counter)

    def array(self) -> Any:
        """Returns (n,) uint8: the hits by position; in the order in which they came where that is unknown."""
        import numpy as np

        hits = np.concatenate([found.cpu().numpy() for _, found in self.found])
        known = [positions for positions, _ in self.found]
        if any(one is None for one in known):
            return hits.astype(np.uint8)
        positions = np.concatenate([np.asarray(one).reshape(-1) for one in known])
        if len(positions) != len(hits):
            return hits.astype(np.uint8)
        return hits[np.argsort(positions, kind="stable")].astype(np.uint8)


class Hits:
    """Keeps the last pass over all held-out images that the script evaluates, those of every fold."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._open: dict[int, Sheet] = {}
        self._last: dict[Any, list[Sheet]] = {}  # line of a loader, or data set → last passes over its images
        self._trained: list[Drawn] = []  # what passes of training have read

    def trained(self, of: Pass) -> None:
        """Takes note of a pass of training: what it read is not held out from its model."""
        read = drawn(of.of.loader)
        if read is not None:
            self._trained = [*(one for one in self._trained if one != read), read]

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
            self._open[id(of)] = Sheet(of.of, of.place, drawn=drawn(of.of.loader))
        sheet = self._open[id(of)]
        sheet.found.append((_positions(of, forward.batch), predicted(logits, middle) == labels))
        sheet.labels.update(labels.tolist())

    def close(self, of: Pass) -> None:
        """Ends a pass over held-out images; a later one over some of them takes its place."""
        sheet = self._open.pop(id(of), None)
        if sheet is None or _is_shared(sheet.drawn, self._now()):
            return
        sheet.is_first = not self._trained
        before = self._last.get(key := of.of.place or id(of.of.loader.dataset), [])
        self._last[key] = [*(one for one in before if _are_folds(one.drawn, sheet.drawn)), sheet]

    def sheets(self) -> dict[str, Sheet]:
        """Returns the held-out passes as `val` and `test`: the last two, folds of one together."""
        held_out = [[one for one in folds if not self._is_of_training(one)] for folds in self._last.values()]
        kept = [_joined(folds) for folds in held_out if folds]
        if len(kept) == 1:
            return {_split_of(kept[0]): kept[0]}
        last = sorted(kept[-2:], key=lambda one: _split_of(one) == "test")
        return dict(zip(("val", "test"), last, strict=False))

    def _now(self) -> Drawn | None:
        """Returns what the model that is evaluated now was trained on last, or is being trained on."""
        under_way = [one for one in self._changes.doors.course.open if one.backwards]
        return drawn(under_way[-1].of.loader) if under_way else next(iter(self._trained[-1:]), None)

    def _is_of_training(self, sheet: Sheet) -> bool:
        """Returns whether a pass before all training read images that were trained on later."""
        return sheet.is_first and any(_is_shared(sheet.drawn, one) for one in self._trained)


def _is_shared(held_out: Drawn | None, trained: Drawn | None) -> bool:
    return held_out is not None and trained is not None and held_out.overlaps(trained)


def _are_folds(first: Drawn | None, second: Drawn | None) -> bool:
    """Returns whether two passes at one line read different parts of one data set."""
    return first is not None and second is not None and first.of == second.of and not first.overlaps(second)


def _joined(folds: list[Sheet]) -> Sheet:
    """Returns the images of all folds, each as the model of its own fold recognised it."""
    import torch

    last = folds[-1]
    if len(folds) == 1:
        return last
    hits = [(None, torch.from_numpy(one.array())) for one in folds]
    return Sheet(last.loader, last.place, found=hits, labels=sum((one.labels for one in folds), Counter()))


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
