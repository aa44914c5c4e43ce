"""A schedule stepped more often or more seldom than its arguments count on.

Plateau's own schedules cannot be mistimed: only a script's can, and is asked by replay.
"""

from __future__ import annotations

from plateau_cause.causes.words import Words

WORDS = Words(
    title="The schedule is stepped at the wrong time",
    repair="Step the schedule in time",
    explanation=(
        "Its arguments count epochs and it is stepped at every batch, or the reverse: the rate is gone "
        "before training has begun, or stays where it should only have started."
    ),
)
