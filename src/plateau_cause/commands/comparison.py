"""Two runs side by side: what they differ in, what they reach, and the interval between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from plateau_cause.lab.effect import Effect

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        name: as it was asked for.
        origin: what it is, for people.
        settings: dotted name to value as params.yaml shows it.
        accuracy: train, val, test to 0..1; what is known.
        predictions: one row per test image: image_id, label, correct, and sha256 of its stored pixels where
            that is known; None where they are not at hand.
    """

    name: str
    origin: str
    settings: Mapping[str, str]
    accuracy: Mapping[str, float]
    predictions: pd.DataFrame | None


class Unlike(NamedTuple):
    """How many test images the two were not judged on alike.

    Attributes:
        only_first, only_second: images that the other was not judged on.
        relabelled: images that both know, under different labels.
        other_pixels: images of one name and label that look different: changed files, or another stored size.
    """

    only_first: int
    only_second: int
    relabelled: int
    other_pixels: int

    def __str__(self) -> str:
        counts = {
            f"{self.only_first} only in 1": self.only_first,
            f"{self.only_second} only in 2": self.only_second,
            f"{self.relabelled} under another label": self.relabelled,
            f"{self.other_pixels} with other pixels": self.other_pixels,
        }
        return ", ".join(words for words, count in counts.items() if count)


class Paired(NamedTuple):
    """The change from the first to the second on the test images that both were judged on."""

    images: int
    effect: Effect
    unlike: Unlike


def differing(first: Side, second: Side) -> dict[str, tuple[str | None, str | None]]:
    """Returns the settings in which the two differ, by name; None where one of them does not record it."""
    names = dict.fromkeys([*first.settings, *second.settings])
    values = {name: (first.settings.get(name), second.settings.get(name)) for name in names}
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}


def paired(first: Side, second: Side) -> Paired | str:
    """Returns the change of test accuracy with its interval, or in a few words why there is none.

    An image counts where both sides know it under the same label: an id alone may be another image elsewhere.
    """
    from plateau_cause.lab.effect import effect

    lacking = [side.name for side in (first, second) if side.predictions is None]
    if first.predictions is None or second.predictions is None:
        return f"no predictions of {' and '.join(lacking)} at hand"
    both = first.predictions.merge(second.predictions, on=["image_id", "label"], suffixes=("_1", "_2"))
    if both.empty:
        return "no test image in common"
    hits = (both["correct_1"].to_numpy(bool), both["correct_2"].to_numpy(bool))
    return Paired(len(both), effect([hits]), _unlike(first.predictions, second.predictions, both))


def _unlike(first: pd.DataFrame, second: pd.DataFrame, both: pd.DataFrame) -> Unlike:
    known = int(first["image_id"].isin(second["image_id"]).sum())
    pixels = ("sha256_1", "sha256_2")
    changed = (both[pixels[0]] != both[pixels[1]]).sum() if set(pixels) <= set(both) else 0
    return Unlike(len(first) - known, len(second) - known, known - len(both), int(changed))
