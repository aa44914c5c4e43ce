"""Batch norms of a Keras base whose running statistics follow too slowly for a short training."""

from __future__ import annotations

from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.rules.observation import Peeked, with_places

PRIOR = 0.5
MOMENTUM = 0.9  # torch's own: half of the statistics are new after seven steps


def lagging(peeked: Peeked, steps: int) -> Possible | None:
    """Returns batch norms whose statistics follow within a few steps; None where none act as in training.

    Keras' batch norms keep 0.99 or 0.999 of their running statistics at a step: after a hundred steps a third
    and more of these is still that of other images, while training sees those of each batch.

    Args:
        peeked: the peek of the script.
        steps: of its training.
    """
    base = peeked.model.get("base") if peeked.content.get("framework") == "keras" else None
    if not base or not base["acting_norms"]:
        return None
    place, count = base["called_at"] or base["place"], base["acting_norms"]
    words = with_places(
        f"{count} batch norms of {base['name']} use the statistics of each batch in training and are judged "
        f"by running ones that have followed for {steps} steps",
        place,
    )
    return Possible("norm_momentum", "batch_norm", words, "statistics that follow slowly", place, None,
                    {"momentum": MOMENTUM}, PRIOR, False, title="Batch-norm statistics follow too slowly",
                    repair=f"Give batch norms a momentum of {MOMENTUM:g}, or train for more steps",
                    explanation="Training sees the statistics of each batch, evaluation running ones that "
                    "are still those of other images.")  # fmt: skip
