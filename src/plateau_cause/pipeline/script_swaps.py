"""The interventions of a script: which of its repairs are worth what, and what that is reported from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from plateau_cause import artifacts, runtime, tracking
from plateau_cause.capture import observations
from plateau_cause.capture.curves import curve
from plateau_cause.capture.lighter import lighter, undecayed
from plateau_cause.capture.longer import longer
from plateau_cause.capture.observation import Peeked
from plateau_cause.capture.parts import part_of
from plateau_cause.capture.possible import Peek, Possible, possible, rate, with_rate_place
from plateau_cause.capture.replay import Replays, ReplaysOnPart
from plateau_cause.config.params import OF_ALL, OF_PART, Params
from plateau_cause.diagnosis import script_record, script_scale
from plateau_cause.diagnosis.replays import Factor, Replay, classes
from plateau_cause.diagnosis.script import Ask, ScriptDiagnosed, ScriptSearch, renamed
from plateau_cause.diagnosis.symptoms import is_unfinished, is_unfitted, suspect
from plateau_cause.errors import PlateauError
from plateau_cause.lab.scale import JUDGED
from plateau_cause.lab.store import CURVES
from plateau_cause.pipeline import paths, script_arm, scripts

MOST_TIMES, LEAST_TIMES = 3, 2  # as long a training is tried, as far as there is room


def main(given: Params, root: Path) -> None:
    """Replays the script; writes data/interventions and reports/intervene.json."""
    content = scripts.seen()
    with tracking.stage_run(given, "intervene") as run:
        found, record = answer(given, content, scripts.replays(given.recipe, content))
        logged = {"recipe" if "scale" not in record else OF_ALL}  # by the stage that ran it
        for name, one in found.runs.items():
            if name not in logged:
                shown = OF_PART if name == "recipe" else name
                with run.child(shown, {"arm": shown, "seed": one.seed}) as child:
                    script_arm.log(child, one)  # type: ignore[arg-type]
        write(root, found, record)


def answer(given: Params, content: Peek, bench: Replays) -> tuple[ScriptDiagnosed, dict[str, Any]]:
    """Returns what the replays showed and its record; with many images the replays read a part of them."""
    limits, part = given.diagnosis, part_of(content)
    if part is not None:
        try:
            found = diagnose(given, content, bench.on_part(part.images, JUDGED["test"]), part.price)
        except PlateauError as error:
            runtime.say(f"every replay reads all images: {error}")
        else:
            confirmed = script_scale.confirm(found, bench, limits.seeds[0], limits.min_effect)
            made = script_record.record(found, limits.min_effect)
            made = script_scale.with_all(made, confirmed, part.images, part.of, limits.min_effect)
            return script_scale.joined(found, confirmed), made
    found = diagnose(given, content, bench)
    return found, script_record.record(found, limits.min_effect)


def diagnose(
    given: Params, content: Peek, bench: Replays | ReplaysOnPart, price: float = 1.0
) -> ScriptDiagnosed:
    """Returns what the replays showed.

    Args:
        given: all parameters.
        content: of the peek.
        bench: where the script is run.
        price: of one run there, in runs of the script on all its images.
    """
    limits = given.diagnosis

    def is_asked(cause: str) -> bool:
        return limits.factors == "all" or cause in limits.factors

    asked = [one for one in scripts.possible_in(content) if is_asked(one.cause)]
    peeked = Peeked(content, scripts.script_of(given.recipe).folder)

    def rated(run: Replay, room: float) -> list[Possible]:
        change = peeked.change_per_step if content.get("model") else None
        cause = suspect(run.content["epochs"], classes(run), change)
        return [rate(peeked, cause, is_sure=False)] if cause and content.get("optimizers") else []

    def eased(ways: Callable[[Peeked], list[Possible]]) -> Ask:
        def asked_of(run: Replay, room: float) -> list[Possible]:
            found = ways(peeked) if is_unfitted(run.content["epochs"]) else []
            return [one for one in found if is_asked(one.cause)]

        return asked_of

    def lengthened(run: Replay, room: float) -> list[Possible]:
        times = min(MOST_TIMES, int(room))
        # A part of the images is fewer steps as well.
        if price != 1.0 or times < LEAST_TIMES or not is_asked("training_length"):
            return []
        found = longer(peeked, times) if is_unfinished(run.content["epochs"]) else None
        return [] if found is None or found.name in factors else [found]

    def prepared(ask: Ask) -> Ask:
        def asked_of(run: Replay, room: float) -> list[Factor]:
            found = [one for one in ask(run, room) if one.name not in run.interventions]
            for one in found:  # not those that have settings already
                bench.prepare(one)  # type: ignore[arg-type]
            return list(found)

        return asked_of

    def standing(run: Replay) -> list[Possible]:
        seen = observations.standing(content, peeked.folder, run.content)
        causes = {one.cause for one in seen if is_asked(one.cause)}
        found = [one for one in possible(content, peeked.folder, seen) if one.cause in causes]
        for one in found:
            bench.prepare(one)
        return found

    reserve = 0.0 if price == 1.0 else 1.0  # for the run that confirms
    factors: dict[str, Factor] = {one.name: one for one in asked}
    asks = [prepared(ask) for ask in (eased(undecayed), rated, eased(lighter), lengthened)]
    search = ScriptSearch(bench, limits, factors, asks, price, reserve, standing)
    found = renamed(search.diagnose())
    return replace(found, factors=tuple(_as_chosen(one, found, peeked) for one in found.factors))


def _as_chosen(one: Possible, found: ScriptDiagnosed, peeked: Peeked) -> Possible:
    """Returns a change of the rate that a replay chose itself with the line where the rate is written."""
    runs = [found.runs[name] for name in found.runs if name == "reference"] + list(found.runs.values())
    told = (run.content.get("interventions", {}).get(one.name, {}) for run in runs)
    times = next((entry["times"] for entry in told if entry.get("took") and "times" in entry), None)
    if one.name != "rate" or times is None or "times" in one.settings:
        return one
    return with_rate_place(replace(one, settings={**one.settings, "times": times}), peeked)


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Returns learning curves as a table of numbers: what was not measured is no number."""
    return pd.DataFrame(rows, columns=["arm", *CURVES]).astype(dict.fromkeys(CURVES, float))


def write(root: Path, found: ScriptDiagnosed, record: dict[str, Any]) -> None:
    """Writes data/interventions and reports/intervene.json."""
    with artifacts.atomic_folder(root / paths.INTERVENTIONS) as folder:
        artifacts.write_json(folder / paths.FINDINGS.name, record)
        rows = [
            {"arm": name, **row} for name, run in found.runs.items() for row in curve(run.content["epochs"])
        ]
        artifacts.write_parquet(folder / paths.CURVES.name, table(rows))
    effects = {f"effect_{one['cause']}": one["effect"] for one in record["findings"]}
    accuracy = {f"test_accuracy_{one['name']}": one["test_accuracy"] for one in record["runs"]
                if one["name"] in ("recipe", "reference")}  # fmt: skip
    artifacts.write_json(root / paths.metrics("intervene"), {**effects, **accuracy})
