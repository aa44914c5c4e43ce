"""Embedding and training beside the shortest loops that PyTorch allows, eager and compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.speed import throughput
from benchmarks.speed.measure import Measured, in_turn
from benchmarks.speed.throughput import Workload

BAR = 0.9


def measures(work: Workload, rounds: int) -> Iterator[Measured]:
    """Yields a line for embedding and one for fine-tuning."""
    for what, ours, bare in (
        ("embedding", throughput.embedding, throughput.bare_embedding),
        ("fine-tuning, every layer", throughput.training, throughput.bare_training),
    ):
        yield _against_best(what, work, ours, bare, rounds)


def _against_best(
    what: str,
    work: Workload,
    ours: Callable[[Workload], float],
    bare: Callable[[Workload, bool], float],
    rounds: int,
) -> Measured:
    sides = (lambda: ours(work), lambda: bare(work, False), lambda: bare(work, True))
    found = in_turn(sides, rounds)
    ratios = tuple(mine / max(eager, compiled) for mine, eager, compiled in found)
    faster = "compiled" if sum(c for _, _, c in found) > sum(e for _, e, _ in found) else "eager"
    return Measured(what, f"bare loop, images in memory; its best is {faster}", ratios, BAR)
