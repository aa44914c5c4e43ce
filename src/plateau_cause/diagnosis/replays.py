"""What the diagnosis of a script asks of its factors, its runs and where they are run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.symptoms import has_learned

SURELY_ABOVE = 2.0  # standard errors
UNEVEN = 2.0  # times the share of a class that the most frequent one has
LATE = 4  # epochs near the end, at least; more are seen where there are many


class Factor(Protocol):
    """What can be changed in a script."""

    @property
    def name(self) -> str:
        """Returns the name of the intervention."""

    @property
    def cause(self) -> str:
        """Returns the cause that it tests."""

    @property
    def prior(self) -> float:
        """Returns the probability, before anything is run, that it matters."""

    @property
    def words(self) -> str:
        """Returns what the script does, in words."""

    @property
    def is_sure(self) -> bool:
        """Returns whether it repairs a fault, rather than choosing otherwise."""

    @property
    def cost(self) -> float:
        """Returns what a run with it costs, in runs without."""


class Replay(Protocol):
    """A finished run."""

    @property
    def content(self) -> dict[str, Any]:
        """Returns replay.json."""

    @property
    def all_hits(self) -> np.ndarray:
        """Returns (n,) whether each held-out image was recognised."""

    @property
    def interventions(self) -> frozenset[str]:
        """Returns what was changed, as far as it took."""

    @property
    def untaken(self) -> dict[str, str]:
        """Returns why what did not take did not."""

    @property
    def seed(self) -> int:
        """Returns the seed."""


class Bench(Protocol):
    """Where the script is run."""

    def run(self, interventions: Factors, seed: int) -> Replay:
        """Returns a replay.

        Raises:
            PlateauError: the script failed.
        """


def with_replay(game: Game, run: Replay) -> Game:
    """Returns the game after a replay."""
    trained = [epoch["training"] for epoch in run.content["epochs"] if epoch["training"]]
    accuracies, losses = ([row[name] for row in trained] for name in ("accuracy", "loss"))
    learned = has_learned(accuracies, losses, classes(run))
    return game.with_run(game.everything - run.interventions, run.all_hits, learned, swing(run.content))


def swing(content: Mapping[str, Any]) -> float:
    """Returns by how much a run's held-out accuracy swings from epoch to epoch near its end, 0..1.

    What it ends with is then as much a matter of luck. It is the deviation from a straight line through
    three epochs, so that steady progress is none, and as much less as the rate is less at the end than it was
    then: so are the steps. What one image more or less makes is left out, for the choice of images is told of
    elsewhere. 0 where there are too few epochs to tell.
    """
    epochs = [one for one in content["epochs"] if one["evaluations"]]
    known = [one["evaluations"][0]["accuracy"] for one in epochs]
    if len(known) <= LATE or len(known) != len(content["epochs"]) or None in known:
        return 0.0
    count = max(LATE, math.ceil(len(known) / 3))
    bends = np.diff(known[-count:], 2) / math.sqrt(6.0)  # of a, b, c: a - 2 b + c, six times one's variance
    rates = [max(one.get("rates") or [0.0]) for one in epochs[-count:]]
    usual = np.convolve(rates, np.ones(3) / 3, "valid")
    calmed = np.minimum(rates[-1] / usual, 1.0) if usual.all() else 1.0  # unknown where there are none
    images = min(one["evaluations"][0].get("images") or math.inf for one in epochs)
    return math.sqrt(max(float(np.square(bends * calmed).mean()) - images**-2, 0.0))


def majority(evaluations: Mapping[str, Mapping[str, Any]]) -> tuple[float, int] | None:
    """Returns what one answer for all held-out images reaches, 0..1, and how many these are.

    Args:
        evaluations: of replay.json. None: of one the labels are not known.
    """
    splits = list(evaluations.values())
    if not splits or any(one.get("classes") is None or one.get("majority") is None for one in splits):
        return None
    images = sum(one["images"] for one in splits)
    return sum(one["majority"] * one["images"] for one in splits) / images, images


def is_above(accuracy: float, answered: tuple[float, int]) -> bool:
    """Returns whether an accuracy is surely above what one answer for all images reaches."""
    share, images = answered
    return accuracy >= min(1.0, share + SURELY_ABOVE * math.sqrt(share * (1.0 - share) / images))


def tells_apart(run: Replay) -> bool:
    """Returns whether a run recognises surely more images than one answer for all of them does.

    True where that is not known, and of classes so uneven that one answer reaches much.
    """
    answered = majority(run.content["evaluations"])
    is_uneven = answered is not None and answered[0] * classes(run) > UNEVEN
    return answered is None or is_uneven or is_above(accuracy(run), answered)


def classes(run: Replay) -> int:
    """Returns how many classes the script tells apart."""
    return max((one.get("classes") or 2 for one in run.content["evaluations"].values()), default=2)


def accuracy(run: Replay) -> float:
    """Returns the part of the held-out images that was recognised."""
    return float(run.all_hits.mean())
