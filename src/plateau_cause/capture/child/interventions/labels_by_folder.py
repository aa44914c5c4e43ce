"""Every image has the label of the folder that it lies in."""

from __future__ import annotations

from numbers import Integral
from pathlib import Path
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.describe.facts import LABELS, are_shares
from plateau_cause.capture.child.describe.transforms import chain
from plateau_cause.capture.child.interventions.base import Intervention


class LabelsByFolder(Intervention):
    """Exchanges labels as items are read; settings: `level` of the path, `labels` by the folder's name."""

    def install(self, torch: ModuleType) -> None:
        """Waits for loaders to be read; workers take the data set along as it is when they start."""
        loader_class: Any = torch.utils.data.DataLoader
        begun = loader_class.__iter__

        def __iter__(loader: Any) -> Any:  # noqa: N807
            try:
                for one in chain(loader.dataset):
                    if len(chain(one)) == 1 and not hasattr(type(one), "_plateau_label"):
                        self._exchange(one)
            except Exception as error:
                self.failed = f"{type(error).__name__}: {error}"
            return begun(loader)

        loader_class.__iter__ = __iter__

    def _exchange(self, data_set: Any) -> None:
        """Gives one data set, not its class, another way to read an item."""
        own = type(data_set)

        def __getitem__(one: Any, index: Any) -> Any:  # noqa: N807
            item, number = self._read(own, one, index)
            return item if number is None else relabelled(item, number)

        members = {"__getitem__": __getitem__, "_plateau_label": True, "__module__": own.__module__}
        data_set.__class__ = type(own.__name__, (own,), members)
        self.times += 1

    def _read(self, own: Any, data_set: Any, index: Any) -> tuple[Any, int | None]:
        """Returns an item, and the label of the folder that its first image was read from."""
        decoding = self.changes.doors.decoding
        before = decoding.found, decoding.listening
        decoding.found, decoding.listening = [], True
        try:
            item = own.__getitem__(data_set, index)
        finally:
            found = decoding.found
            decoding.found, decoding.listening = [*before[0], *found], before[1]
        path = next((one.path for one in found if one.path), None) or self._remembered(item)
        parts = Path(path).parts if path else ()
        level = self.settings["level"]
        return item, self.settings["labels"].get(parts[-level]) if len(parts) >= level else None

    def _remembered(self, item: Any) -> str | None:
        """Returns the file of an image in memory."""
        album = self.changes.doors.decoding.album
        values = item.values() if isinstance(item, dict) else item if isinstance(item, (tuple, list)) else ()
        images = [one for one in values if getattr(one, "ndim", 0) in (2, 3)]
        return album.path_of(images[0]) if album and images else None


def relabelled(item: Any, number: int) -> Any:
    """Returns an item with another label: what a dict calls one, else the first behind the image.

    Further numbers may follow, the image's own say.
    """
    if isinstance(item, dict):
        keys = sorted((key for key in item if _as(item[key], number) is not None), key=_is_unnamed)
        return {**item, keys[0]: _as(item[keys[0]], number)} if keys else item
    if not isinstance(item, (tuple, list)):
        return item
    may_be = [_as(one, number) is not None for one in item]
    places = [at for at, is_label in enumerate(may_be) if is_label]
    image = may_be.index(False) if False in may_be else -1
    at = next((at for at in places if at > image), next(iter(places), None))
    return item if at is None else type(item)([*item[:at], _as(item[at], number), *item[at + 1 :]])


def _is_unnamed(key: Any) -> bool:
    return str(key).lower() not in LABELS


def _as(value: Any, number: int) -> Any:
    """Returns a label in the form of another one: a number, an array of one, shares; None: that is none."""
    import torch

    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        return type(value)(number)  # type: ignore[call-arg]
    if type(value).__module__ == "numpy":
        made = _as(torch.as_tensor(value), number)
        return None if made is None else made.numpy()
    if not isinstance(value, torch.Tensor):
        return None
    if value.numel() == 1:
        return torch.full_like(value, number)
    is_shares = value.ndim == 1 and number < len(value) and are_shares(value)
    return torch.nn.functional.one_hot(torch.tensor(number), len(value)).to(value) if is_shares else None


CHANGE = LabelsByFolder
