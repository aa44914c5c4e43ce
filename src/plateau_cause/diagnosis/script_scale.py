"""A script whose replays read a part of its images: what all of them say to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from plateau_cause.config.params import ALL, ALL_IMAGES, OF_ALL
from plateau_cause.diagnosis.confirmation import final, judged
from plateau_cause.diagnosis.finding_record import belief_record
from plateau_cause.diagnosis.full_scale import borne_out
from plateau_cause.diagnosis.replays import Bench, Replay, accuracy
from plateau_cause.diagnosis.script import ScriptDiagnosed
from plateau_cause.diagnosis.script_record import alarms, best, levels, run_record
from plateau_cause.lab.belief import Belief


@dataclass(frozen=True)
class Confirmed:
    """A script and what its replays recommend, on all images.

    Attributes:
        name: of the replay of the part that was run again.
        before, after: the runs.
        gain: what `after` reaches beyond; None without it.
        verdict: plateau | healthy | inconclusive, on this gain; None without it.
    """

    name: str
    before: Replay
    after: Replay | None = None
    gain: Belief | None = None
    verdict: str | None = None

    def runs(self) -> dict[str, Replay]:
        """Returns the runs on all images by name."""
        found = {OF_ALL: self.before}
        return found if self.after is None else {**found, f"{self.name}{ALL}": self.after}


def confirm(found: ScriptDiagnosed, bench: Bench, seed: int, min_effect: float) -> Confirmed:
    """Returns the script on all images beside the repairs that a part asks for, or beside all at once.

    Args:
        found: what the replays of the part showed.
        bench: where the script reads all images.
        seed: of both runs.
        min_effect: smallest change of accuracy worth reporting.
    """
    before, name = bench.run(frozenset(), seed), best(found, min_effect)
    if name == "recipe":
        name = "reference"
    if found.game is None or name not in found.runs:
        return Confirmed(name, before)
    after = bench.run(found.runs[name].interventions, seed)
    gain, verdict = judged(found.game, (before.all_hits, after.all_hits), 1, min_effect)
    return Confirmed(name, before, after, gain, verdict)


def with_all(
    record: dict[str, Any], confirmed: Confirmed, images: int, of: int, limit: float
) -> dict[str, Any]:
    """Returns the record of a part with what all images say to it.

    Args:
        record: the part's, see `script_record.record`.
        confirmed: the runs on all images.
        images: training images of the part.
        of: training images in all.
        limit: `min_effect`, at which probabilities are stated.
    """
    verdict, before = final(record["verdict"], confirmed.verdict), confirmed.before
    gap = None if confirmed.gain is None else belief_record(confirmed.gain, limit)
    seconds = {name: float(run.content["seconds"]) for name, run in confirmed.runs().items()}
    own, part = seconds.pop(OF_ALL), dict(record["seconds"])
    return {
        **record,
        "verdict": verdict,
        "gap": gap or record["gap"],
        **borne_out(record, verdict, confirmed.name, gap, limit),
        "recommended": _recommended(record["recommended"], confirmed, gap),
        "runs": [*record["runs"], *(run_record(name, run) for name, run in confirmed.runs().items())],
        "extra_seconds": part.pop("recipe"),
        "seconds": {**part, "recipe": own, ALL_IMAGES: sum(seconds.values())},
        "test_images": len(before.all_hits),
        "alarms": alarms(before, confirmed.after or before),
        "levels": levels(before),
        "scale": {
            "images": images,
            "of": of,
            "verdict": record["verdict"],
            "confirmed": None if confirmed.verdict is None else confirmed.verdict == record["verdict"],
            "before": accuracy(before),
        },
    }


def _recommended(of_part: dict[str, Any], confirmed: Confirmed, gap: dict[str, Any] | None) -> dict[str, Any]:
    """Returns the repairs, where all images show them to be surely better; else the script as it is."""
    own = {**of_part, "name": "recipe", "before": accuracy(confirmed.before), "after": None}
    if gap is None or confirmed.after is None or gap["ci"][0] <= 0:
        return {**own, "gain": {"effect": None, "ci": None}, "interventions": []}
    gain = {"effect": gap["effect"], "ci": gap["ci"]}
    repairs = sorted(confirmed.after.interventions)
    after = accuracy(confirmed.after)
    return {**own, "name": confirmed.name, "after": after, "gain": gain, "interventions": repairs}


def joined(found: ScriptDiagnosed, confirmed: Confirmed) -> ScriptDiagnosed:
    """Returns all runs, those of the part and those on all images."""
    return replace(found, runs={**found.runs, **confirmed.runs()})
