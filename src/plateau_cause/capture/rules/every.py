"""The list of observations of a peek: every rule is asked; faults stand before what may be meant so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plateau_cause.capture.possible import lighter
from plateau_cause.capture.rules import (
    callbacks,
    classes,
    drawing,
    images,
    keras,
    keras_weights,
    later_fits,
    loop,
    loss,
    model,
    schedule,
)
from plateau_cause.capture.rules.observation import Observation, Peeked

RULES = (
    *model.RULES, *loop.RULES, *loss.RULES, *schedule.RULES, *keras_weights.RULES,
    *keras.RULES, *callbacks.RULES, *images.RULES, *classes.RULES, *drawing.RULES,
)  # fmt: skip
STANDING = ("frozen_layers", "optimizer_parameters", "no_gradient")  # what a later epoch can disprove
CHOSEN = (  # maybe meant so
    "frozen_layers", "computed_beforehand", "neither_reached_nor_held", "rates_apart", "saved_model_fixed",
    "training_overridden", "predicted_shuffled", "weights_random",
    "passes_left_early", "few_images_read",
)  # fmt: skip
SMALL = ("augmented_once",)  # true, and seldom what holds a training back
WAITING = ("frozen", "not_held")  # parts of the model's description that a line ahead may change


def observe(
    content: dict[str, Any], folder: Path, watched: dict[str, Any] | None = None
) -> list[Observation]:
    """Returns what stands out in a peek; an empty list where nothing does.

    Args:
        content: the peek, as `launch.peek` returns it.
        folder: where the script runs; files of the peek are relative to it.
        watched: the whole run, as `launch.watch` returns it: a layer that stands still at the first steps and
            moves later (scripts unfreeze layers after some epochs) is not said to stand still.
    """
    peeked = Peeked(content, folder)
    found = [one for rule in RULES if (one := rule(peeked)) is not None]
    found += [*later_fits.observed(peeked, found), *lighter.beyond(peeked)]
    found.sort(key=lambda one: (one.code in SMALL, one.code in CHOSEN))
    if watched is None or stands_still(watched):
        return found
    return [one for one in found if one.code not in STANDING]


def standing(content: dict[str, Any], folder: Path, watched: dict[str, Any]) -> list[Observation]:
    """Returns what stood still to the end of a run, although a line that could have moved it was still ahead.

    Args:
        content: the peek, which says nothing of such layers: it sees the first steps only.
        folder: where the script runs.
        watched: the whole run.
    """
    seen = dict(content.get("model") or {})
    waiting = [key for key in WAITING if (seen.get(key) or {}).get("changes_at")]
    if not waiting or not stands_still(watched):
        return []
    seen |= {key: {**seen[key], "changes_at": None} for key in waiting}
    said = {one.code for one in observe(content, folder)}
    found = observe({**content, "model": seen}, folder, watched)
    return [one for one in found if one.code in STANDING and one.code not in said]


def stands_still(watched: dict[str, Any]) -> list[str]:
    """Returns the layers with weights that have not moved by the end of a watched run."""
    rows = [epoch["moved"] for epoch in watched["epochs"] if epoch["moved"]]
    return [name for name, one in rows[-1].items() if one["norm"] and not one["change"]] if rows else []
