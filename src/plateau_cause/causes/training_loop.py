"""What a loop does to its gradients before it uses them: keeps old ones, clears new ones, clips them away.

Plateau's own loop does none of it: only a script can, and is asked by replay.
"""

from __future__ import annotations

from plateau_cause.causes.words import Words

WORDS = Words(
    title="The training loop spoils its gradients",
    repair="Mend the loop",
    explanation=(
        "A step is meant to follow the gradient of its own batch. Here the gradients of earlier batches are "
        "added to it, or it is cleared or cut to next to nothing before the step uses it."
    ),
)
