"""Fits of a Keras script behind its first, each judged by the rules for how a fit trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from plateau_cause.capture.rules.classes import weighed_apart
from plateau_cause.capture.rules.keras import frozen_norms, overridden
from plateau_cause.capture.rules.keras_loss import distance, from_logits, output
from plateau_cause.capture.rules.observation import Observation, Peeked
from plateau_cause.capture.rules.schedule import schedule

RULES = (from_logits, output, distance, weighed_apart, frozen_norms, overridden, schedule)
OF_KERAS = ("class_weight", "callbacks")  # what the part about Keras says of a fit


def observed(peeked: Peeked, found: Sequence[Observation]) -> Iterator[Observation]:
    """Yields what stands out in a later fit alone.

    Args:
        peeked: of any script; only one of Keras has later fits.
        found: what stands out in the first.
    """
    said = {one.code for one in found}
    for number in range(1, len((peeked.content.get("keras") or {}).get("fits") or [])):
        later = Peeked(at_fit(peeked.content, number), peeked.folder)
        for one in (one for rule in RULES if (one := rule(later)) is not None and one.code not in said):
            said.add(one.code)
            yield replace(one, words=f"in a later fit, {one.words}", fit=number)


def at_fit(content: dict[str, Any], number: int) -> dict[str, Any]:
    """Returns the peek of a Keras script as if this fit were its first."""
    told = content["keras"]["fits"][number].get("as_first")
    if number == 0 or told is None:
        return content
    own = {key: told[key] for key in told if key not in ("base", *OF_KERAS)}
    model = {**content["model"], "base": told["base"]}
    keras = {**content["keras"], **{key: told[key] for key in OF_KERAS if key in told}}
    return {**content, **own, "model": model, "keras": keras}
