"""The images of params.yaml: are they there, can they be read and divided, and how large are they?"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause.config.params import Data, Params
from plateau_cause.errors import PlateauError, shown
from plateau_cause.images.decode import Decoded, quiet_pillow
from plateau_cause.trial.finding import Findings

if TYPE_CHECKING:
    from plateau_cause.images.item import Item

TRIED = 16  # images that are decoded, spread over the list
LISTING_S = 2.5  # of a set that is larger, the first part is enough
MOST_NAMED = 5  # folders in one line
MOST_DIVIDED = 50_000  # images whose division into splits is tried


@dataclass(frozen=True)
class Sample:
    """What a look at the images of one source shows.

    Attributes:
        items: all that were listed.
        is_complete: whether they are all there are.
        is_here: False where the first stage has yet to download them: then nothing was listed.
        images: a few of them, as they will be stored.
        unreadable: (source, reason) of others that were tried; those that the list itself refuses are none.
        classes: names of the classes.
    """

    items: tuple[Item, ...] = ()
    is_complete: bool = True
    is_here: bool = True
    images: tuple[Decoded, ...] = field(default=(), repr=False)
    unreadable: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def tried(self) -> int:
        """Returns how many images were decoded, or could not be."""
        return len(self.images) + len(self.unreadable)


def look(params: Params, found: Findings) -> Sample | None:
    """Returns a sample of `data`, None where it cannot be had; `reference_data` is looked at as well."""
    samples = {}
    for key, data in (("data", params.data), ("reference_data", params.reference_data)):
        if data is not None and not (found.touches(f"{key}.path") or found.touches(f"{key}.source")):
            samples[key] = found.tried(partial(_checked, data, key, params, found))
    return samples.get("data")


def survey(data: Data, key: str, longest_px: int) -> Sample:
    """Returns what a look at one source shows; it is listed for a few seconds at most.

    Raises:
        PlateauError: the source cannot be read as what it is declared to be, or holds no images.
    """
    from plateau_cause.images import prepare, sources

    if not is_here(data):
        return Sample(is_here=False)
    items, is_complete = _listed(sources.read(data, key))
    if not items:
        raise PlateauError(f"{key}.path: {shown(data.path)} holds no images")
    chosen = items[:: max(1, len(items) // TRIED)][:TRIED]
    with quiet_pillow():
        results = [(item, prepare.decode_one(item, longest_px)) for item in chosen]
    return Sample(
        items=tuple(items),
        is_complete=is_complete,
        images=tuple(result for _, result in results if not isinstance(result, str)),
        unreadable=tuple(
            (item.source, result) for item, result in results if isinstance(result, str) and not item.refused
        ),
        classes=tuple(sorted({item.label for item in items})),
    )


def is_here(data: Data) -> bool:
    """Returns whether reading the images needs no download."""
    if data.source == "torchvision":
        from plateau_cause.images.sources.torchvision import KNOWN

        known = KNOWN.get(str(data.path))
        folder = Path(data.root) / (known.folder if known else "")
        return known is None or (folder.is_dir() and any(folder.iterdir()))  # an unknown name: read() says so
    return data.source != "huggingface" or Path(str(data.path)).exists()


def _checked(data: Data, key: str, params: Params, found: Findings) -> Sample:
    """Returns the sample of one source, having said what is wrong or odd about it."""
    from plateau_cause.images.prepare import stored_px
    from plateau_cause.trial.sizes import read_px

    wanted_px = read_px(params)
    sample = survey(data, key, stored_px(data, wanted_px))
    if not sample.is_here:
        found.notes.append(
            f"{key}: {data.source} {shown(data.path)} is not here: the first stage downloads it"
        )
        return sample
    _say_unreadable(sample, data, key, found)
    _say_classes(sample, data, key, found)
    _say_stored_size(sample, data, key, params, found)
    return sample


def _say_unreadable(sample: Sample, data: Data, key: str, found: Findings) -> None:
    """Says which images cannot be read: a mistake where they are too many already, or all of those tried."""
    from plateau_cause.images.quarantine import too_many

    refused = [(item.source, item.refused) for item in sample.items if item.refused]
    bad = [*refused, *sample.unreadable]
    total = len(sample.items) if sample.images else len(bad)
    if bad and (line := too_many(bad, total, data, key)):
        of_some = bool(sample.unreadable) and sample.tried < len(sample.items)
        found.wrong(f"{line} ({sample.tried} of the files were opened)" if of_some else line)
    elif bad:
        source, reason = bad[0]
        count = f"{len(bad)} of {len(sample.items):,}" if len(bad) > 1 else f"1 of {len(sample.items):,}"
        found.notes.append(f"{key}: at least {count} files are set aside, such as {source}: {reason}")


def _say_classes(sample: Sample, data: Data, key: str, found: Findings) -> None:
    """Says which class names look like one, and what keeps the images from being divided."""
    from plateau_cause.images.labels import doubts
    from plateau_cause.images.prepare import divided
    from plateau_cause.images.sources import imagefolder

    found.notes += doubts(sample.classes, key)
    if data.source == "imagefolder" and (empty := imagefolder.empty(data, key)):
        named = ", ".join(empty[:MOST_NAMED]) + (", …" if len(empty) > MOST_NAMED else "")
        found.notes.append(f"{key}.path: no images in {named}: no class comes of it")
    if key == "data" and sample.is_complete and len(sample.items) <= MOST_DIVIDED:
        usable = [item for item in sample.items if not item.refused]
        if usable and not found.touches(key):
            found.tried(lambda: divided(usable, data, key))


def _say_stored_size(sample: Sample, data: Data, key: str, params: Params, found: Findings) -> None:
    """Says what is lost where images are stored smaller than they are and than anything reads them."""
    from plateau_cause.trial.sizes import expected_px, read_px

    largest_px = max((max(image.width, image.height) for image in sample.images), default=0)
    stored = data.stored_size
    if stored is None or stored >= largest_px or found.touches("backbone"):
        return
    given = f"{key}.stored_size: {stored} px stores images of up to {largest_px} px smaller than"
    if stored < (read := read_px(params)):
        found.notes.append(
            f"{given} the {read} px that the recipe reads: what is finer is lost; null keeps it"
        )
    elif stored < (expected := expected_px(params)):
        found.notes.append(
            f"{given} the {expected} px that the weights expect: whether larger inputs help is judged by "
            "what is left; null keeps it"
        )


def _listed(items: Iterable[Item]) -> tuple[list[Item], bool]:
    """Returns the items that are listed within a few seconds, not too many, and whether they are all."""
    end, found = time.monotonic() + LISTING_S, []
    for item in items:
        found.append(item)
        if time.monotonic() > end or len(found) > MOST_DIVIDED:
            return found, False
    return found, True
