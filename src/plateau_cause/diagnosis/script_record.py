"""What the diagnosis of a script found, as plain types that one stage writes and the next one reads."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

import numpy as np

from plateau_cause.causes import words_of
from plateau_cause.diagnosis.finding_record import belief_record
from plateau_cause.diagnosis.replays import Replay, accuracy, majority, swing
from plateau_cause.diagnosis.script import NO_ROOM, ScriptDiagnosed
from plateau_cause.diagnosis.script_alarms import (
    held_out,
    is_far_below,
    script_alarms,
    unmoved,
    unsteady,
    untried,
    untried_length,
)
from plateau_cause.diagnosis.symptoms import is_unfinished
from plateau_cause.diagnosis.verdict import HEALTHY, PLATEAU, Finding
from plateau_cause.lab.effect import effect

LENGTH = "training_length"  # the intervention


def record(found: ScriptDiagnosed, limit: float) -> dict[str, Any]:
    """Returns everything the summary needs, as `diagnosis.record.record` does for a recipe.

    Args:
        found: the finished diagnosis.
        limit: `min_effect`, at which probabilities are stated.
    """
    verdict, runs, own = found.verdict, found.runs, found.runs["recipe"]
    seconds = {name: float(run.content["seconds"]) for name, run in runs.items()}
    judged = {one.factor for one in verdict.findings} if verdict else set()  # by the runs in which it took
    return {
        "subject": "script",
        "gap": None if verdict is None else belief_record(verdict.gap, limit),
        "verdict": "healthy" if verdict is None else verdict.verdict,
        "findings": [_finding(one, found, limit) for one in verdict.findings] if verdict else [],
        "data": [],
        "recommended": _recommended(found, limit),
        "runs": [run_record(name, run) for name, run in runs.items()],
        "seconds": {"reference": 0.0, **seconds},
        "reference_seconds": seconds.get("reference", 0.0),
        "test_images": len(own.all_hits),
        "alarms": [*alarms(own, runs[best(found, limit)]), *_untried(found)],
        "left_out": {name: why for name, why in found.left_out.items() if name not in judged},
        "levels": levels(own),
    }


def _finding(finding: Finding, found: ScriptDiagnosed, limit: float) -> dict[str, Any]:
    factor = next(one for one in found.factors if one.name == finding.factor)
    words = words_of(factor.cause)
    repair = factor.repair or words.repair
    fix = {} if factor.patch else {"script": f"{_at(factor.location)}{repair[:1].lower()}{repair[1:]}"}
    said = {key: getattr(factor, key) for key in ("location", "patch") if getattr(factor, key)}
    return {
        "factor": factor.name,
        "cause": factor.cause,
        "standing": finding.standing,
        "difference": factor.difference,
        **belief_record(finding.effect, limit),
        "probability": finding.probability,
        "need": belief_record(finding.need, limit),
        "alone": belief_record(finding.alone, limit),
        "alternatives": [one.cause for one in found.factors if one.name in finding.alternatives],
        "evidence": [f"In the script: {factor.words}.", *_measured(finding.factor, found)],
        "fix": fix,
        "runs": _isolating(finding.factor, found),
        "title": factor.title or words.title,
        "repair": repair,
        "explanation": factor.explanation or words.explanation,
        **said,
    }


def alarms(own: Replay, repaired: Replay) -> list[dict[str, Any]]:
    """Returns what contradicts a healthy verdict, by the script's own run and the one that is recommended."""
    content, trained = own.content, repaired.content["train_accuracy"]
    carries_over = trained is not None and not is_far_below(accuracy(repaired), trained)
    found = script_alarms(
        content["evaluations"], accuracy(own), content["train_accuracy"], carries_over=carries_over
    )
    return [
        vars(alarm)
        for alarm in (
            *held_out(content.get("held_out")),
            *found,
            *unmoved(content["epochs"]),
            *unsteady(swing(content)),
        )
    ]


def _untried(found: ScriptDiagnosed) -> list[dict[str, Any]]:
    """Returns what a verdict that names no cause cannot know, as it could not be tried."""
    why = found.left_out.get(LENGTH)
    is_open = why is not None and NO_ROOM not in why and is_unfinished(found.runs["recipe"].content["epochs"])
    names_causes = found.verdict is not None and found.verdict.verdict == PLATEAU
    others = {} if names_causes else found.untried
    return [vars(alarm) for alarm in [*untried_length(why if is_open else None), *untried(others)]]


def _at(place: Mapping[str, Any] | None) -> str:
    return f"{place['file']}:{place['line']}: " if place else ""


def _measured(factor: str, found: ScriptDiagnosed) -> list[str]:
    """Returns what the runs that isolate a factor showed, in words."""
    assert found.game is not None
    everything = found.game.everything
    sides = [("Repaired alone in the script", everything, everything - {factor})]
    if len(everything) > 1:
        sides.append(("Left alone as it is in the repaired script", frozenset(), frozenset({factor})))
    said = []
    for words, before, after in sides:
        hits = [[run.hits for run in found.game.runs if run.broken == side] for side in (before, after)]
        if all(hits):
            one = effect([(np.mean(hits[0], axis=0), np.mean(hits[1], axis=0))])
            change = f"{100 * one.mean:+.1f} points [{100 * one.low:+.1f}, {100 * one.high:+.1f}]"
            said.append(f"{words}: held-out accuracy {change}.")
    return said


def _isolating(factor: str, found: ScriptDiagnosed) -> list[str]:
    """Returns the names of the runs beside which another differs in this factor alone."""
    sets = {name: run.interventions for name, run in found.runs.items()}
    kept = set(sets.values())
    return [name for name, taken in sets.items() if taken and taken ^ {factor} in kept]


def _recommended(found: ScriptDiagnosed, limit: float) -> dict[str, Any]:
    """Returns the repairs to make, and what they reach beyond the script's own run."""
    name = best(found, limit)
    before, after = found.runs["recipe"], found.runs[name]
    gain = effect([(before.all_hits, after.all_hits)])
    is_own, measured = name == "recipe", {"effect": gain.mean, "ci": [gain.low, gain.high]}
    return {
        "name": name,
        "before": accuracy(before),
        "after": None if is_own else accuracy(after),
        "recipe": None,
        "gain": {"effect": None, "ci": None} if is_own else measured,
        "interventions": sorted(after.interventions),
    }


def best(found: ScriptDiagnosed, limit: float) -> str:
    """Returns the first run of the repairs to make; a healthy script's own.

    They are the fewest that include the causes and, on the mean of their seeds, miss what does best by less
    than `limit`: the luckiest of several runs is no reason to change what has shown to be harmless.
    """
    if found.verdict is None or found.verdict.verdict == HEALTHY:
        return "recipe"
    runs: dict[frozenset[str], list[float]] = {}
    for run in found.runs.values():
        runs.setdefault(run.interventions, []).append(accuracy(run))
    reached = {taken: mean(each) for taken, each in runs.items()}
    enough = [taken for taken, level in reached.items() if level > max(reached.values()) - limit]
    needed = {finding.factor for finding in found.verdict.causes if not finding.is_spare}
    chosen = min(enough, key=lambda taken: (len(needed - taken), len(taken), -reached[taken]))
    return next(name for name, run in found.runs.items() if run.interventions == chosen)


def levels(run: Replay) -> dict[str, float | None]:
    """Returns what guessing and the most frequent class reach on the held-out images."""
    evaluations = run.content["evaluations"]
    answered = majority(evaluations)
    if answered is None:
        return {"chance": None, "majority": None}
    return {"chance": 1 / max(one["classes"] for one in evaluations.values()), "majority": answered[0]}


def run_record(name: str, run: Replay) -> dict[str, Any]:
    """Returns what a run reached."""
    evaluations = run.content["evaluations"]
    return {
        "name": name,
        "train_accuracy": run.content["train_accuracy"],
        "val_accuracy": evaluations["val"]["accuracy"] if "val" in evaluations else None,
        "test_accuracy": accuracy(run),
        "epochs": len(run.content["epochs"]),
        "cost_s": run.content["seconds"],
        "interventions": sorted(run.interventions),
        "seed": run.seed,
    }
