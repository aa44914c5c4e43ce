"""Pairs of perceptual hashes that differ in few bits: of a small set all, of a large one without all pairs.

In a large set those are compared that agree in a few bits drawn at random (bands, as in locality-sensitive
hashing: Indyk and Motwani 1998) and have nearly the same brightness, in several passes with other bits. Work
is linear in the images: a band has more bits where there are more images, and of its neighbours by brightness
an image meets MOST_NEIGHBOURS at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from plateau_cause.images.blocks import scratch, slices
from plateau_cause.runtime import progress

MOST_COMPARED = 20_000  # images of which every pair is compared: two seconds
PASSES = 16
FEWEST_BITS, MOST_BITS = 6, 16  # of a band
PER_BAND = 256  # images on average that agree in a band's bits
MOST_NEIGHBOURS = 64
STEPS = 256  # per gray level, in which brightness is told
PAIRS_AT_ONCE = 2**22
IN_MEMORY_BYTES = 2**21

Pairs = tuple[np.ndarray, np.ndarray]


def close(
    hashes: np.ndarray, levels: np.ndarray, most_bits: int, most_levels: float, folder: Path | None = None
) -> Iterator[Pairs]:
    """Yields rows (P,), (P,) of pairs, the first before the second; of a large set some twice.

    Args:
        hashes: (n,) uint64.
        levels: (n,) mean gray of each image, 0..255.
        most_bits: of 64 in which the hashes of a pair may differ.
        most_levels: by which the mean gray may differ, where not all pairs are compared.
        folder: where a file of 8 bytes per image may lie.
    """
    if len(hashes) <= MOST_COMPARED:
        yield from _of_all_pairs(hashes, most_bits)
        return
    for number in progress(range(PASSES), PASSES, "duplicates"):
        keys = _sorted_keys(hashes, levels, number, folder)
        for some in slices(len(keys)):
            ahead = keys[some.start : some.stop + MOST_NEIGHBOURS]
            found = [np.zeros((2, 0), np.int64)]
            for pairs in _neighbours(ahead, some.stop - some.start, most_levels):
                is_close = np.bitwise_count(hashes[pairs[0]] ^ hashes[pairs[1]]) <= most_bits
                found.append(np.sort(pairs[:, is_close], axis=0))
            one, other = np.concatenate(found, axis=1)
            yield one, other


def is_all(count: int) -> bool:
    """Returns whether every pair of so many hashes is compared."""
    return count <= MOST_COMPARED


def _of_all_pairs(hashes: np.ndarray, most_bits: int) -> Iterator[Pairs]:
    step = max(1, PAIRS_AT_ONCE // max(1, len(hashes)))
    starts = range(0, len(hashes), step)
    for start in progress(starts, len(starts), "duplicates"):
        # (step, n - start)
        bits = np.bitwise_count(hashes[start : start + step, None] ^ hashes[None, start:])
        first, second = np.nonzero(bits <= most_bits)
        is_later = second > first
        yield start + first[is_later], start + second[is_later]


def _sorted_keys(hashes: np.ndarray, levels: np.ndarray, number: int, folder: Path | None) -> np.ndarray:
    """Returns (n,) uint64, sorted: 16 bits of the band, 16 of the brightness, 32 of the row."""
    wanted = int(np.clip(np.log2(len(hashes) / PER_BAND), FEWEST_BITS, MOST_BITS))
    chosen = np.random.default_rng(number).permutation(64)[:wanted]
    keys = scratch((len(hashes),), np.uint64, folder, IN_MEMORY_BYTES)
    for some in slices(len(keys)):
        band = np.zeros(some.stop - some.start, np.uint64)
        for place, bit in enumerate(chosen):
            band |= ((hashes[some] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(48 + place)
        gray = (levels[some] * STEPS).astype(np.uint64) << np.uint64(32)
        keys[some] = band | gray | np.arange(some.start, some.stop, dtype=np.uint64)
    keys.sort()
    return keys


def _neighbours(keys: np.ndarray, count: int, most_levels: float) -> Iterator[np.ndarray]:
    """Yields rows (2, P): of the first `count` keys, and of others after them in their band, as bright."""
    rows = (keys & np.uint64(2**32 - 1)).astype(np.int64)
    # In the same band: the rest is higher
    reach = np.uint64(round(most_levels * STEPS) + 1 << 32 | 2**32 - 1)
    band = np.uint64(48)
    place = np.arange(count)
    for step in range(1, MOST_NEIGHBOURS + 1):
        place = place[place + step < len(keys)]
        one, other = keys[place], keys[place + step]
        place = place[(one >> band == other >> band) & (other - one <= reach)]
        if not len(place):
            return
        yield np.stack([rows[place], rows[place + step]])
