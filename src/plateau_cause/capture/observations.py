"""The list of observations of a peek: every rule is asked, in the order in which a reader needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plateau_cause.capture import rules_data, rules_loop, rules_model
from plateau_cause.capture.observation import Observation, Peeked

RULES = (*rules_model.RULES, *rules_loop.RULES, *rules_data.RULES)


def observe(content: dict[str, Any], folder: Path) -> list[Observation]:
    """Returns what stands out in a peek; an empty list where nothing does.

    Args:
        content: the peek, as `launch.peek` returns it.
        folder: where the script runs; files of the peek are relative to it.
    """
    peeked = Peeked(content, folder)
    return [found for rule in RULES if (found := rule(peeked)) is not None]
