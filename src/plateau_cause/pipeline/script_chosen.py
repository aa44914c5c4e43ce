"""What replays chose themselves, a rate mostly: it belongs to the repair that is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plateau_cause.capture.patches.model import held_whole
from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.possible.rate import with_rate_place
from plateau_cause.capture.rules.frozen import unfreezing
from plateau_cause.capture.rules.observation import Peeked
from plateau_cause.causes import words_of
from plateau_cause.diagnosis.script import ScriptDiagnosed


def as_chosen(one: Possible, found: ScriptDiagnosed, peeked: Peeked) -> Possible:
    """Returns a change with what the replays chose: a multiple of the rate, or one for layers that thaw."""
    runs = [found.runs[name] for name in found.runs if name == "reference"] + list(found.runs.values())
    entries = [run.content.get("interventions", {}).get(one.name, {}) for run in runs]
    taken = [entry for entry in entries if entry.get("took")]
    times = next((entry["times"] for entry in taken if "times" in entry), None)
    if one.name == "rate" and times is not None and "times" not in one.settings:
        return with_rate_place(replace(one, settings={**one.settings, "times": times}), peeked)
    thawed = next((entry for entry in taken if "rate" in entry), None)
    return one if thawed is None else _thawed(one, peeked, thawed)


def _thawed(one: Possible, peeked: Peeked, told: dict[str, Any]) -> Possible:
    """Returns a change that moves more layers with the rate that they were moved at, in words and patch."""
    rate, patch = float(told["rate"]), one.patch
    if patch is not None and one.cause == "frozen_layers":
        patch = unfreezing(peeked, rate)
    elif patch is not None:
        patch = held_whole(peeked.folder, one.location, peeked.parts, rate)
    repair = one.repair or words_of(one.cause).repair
    return replace(one, patch=patch, repair=f"{repair}, at a rate of {rate:.1g} beside {told['beside']:g}")
