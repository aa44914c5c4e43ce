"""Which held-out images were recognised, in the order of their data set, whatever order they came in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child import facts
from plateau_cause.capture.child.course import Forward, Loader, Pass
from plateau_cause.capture.child.tally import predicted

if TYPE_CHECKING:
    from plateau_cause.capture.child.changes import Changes


@dataclass
class Sheet:
    """One pass over held-out images."""

    loader: Loader
    place: Any  # of the loop
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
    """Keeps the last pass over every data set that the script evaluates."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._open: dict[int, Sheet] = {}
        self._last: dict[Any, Sheet] = {}  # data set → its last pass

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
        sheet = self._open.setdefault(id(of), Sheet(of.of, of.place))
        sheet.found.append((_positions(of, forward.batch), predicted(logits, middle) == labels))
        sheet.labels.update(labels.tolist())

    def close(self, of: Pass) -> None:
        """Ends a pass; a later one over the same data takes its place."""
        sheet = self._open.pop(id(of), None)
        if sheet is not None:
            self._last[of.of.place or id(of.of.loader.dataset)] = sheet

    def sheets(self, trained: list[Loader]) -> dict[str, Sheet]:
        """Returns the held-out passes as `val` and `test`: those over no training data, the last two.

        Args:
            trained: loaders of the training.
        """
        own = {id(one.loader.dataset) for one in trained}
        kept = [one for one in self._last.values() if id(one.loader.loader.dataset) not in own]
        if len(kept) == 1:
            return {_split_of(kept[0]): kept[0]}
        last = sorted(kept[-2:], key=lambda one: _split_of(one) == "test")
        return dict(zip(("val", "test"), last, strict=False))


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
