"""The interventions of a script: which of its repairs are worth what, and what that is reported from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from plateau_cause import artifacts, runtime, tracking
from plateau_cause.capture.curves import curve
from plateau_cause.capture.parts import part_of
from plateau_cause.capture.possible.script import Peek
from plateau_cause.capture.replay import Replays, ReplaysOnPart
from plateau_cause.capture.rules.observation import Peeked
from plateau_cause.config.params import OF_ALL, OF_PART, Params
from plateau_cause.diagnosis import script_record, script_scale
from plateau_cause.diagnosis.replays import Factor, Replay
from plateau_cause.diagnosis.script import ScriptDiagnosed, ScriptSearch, renamed
from plateau_cause.errors import PlateauError
from plateau_cause.lab.scale import JUDGED
from plateau_cause.lab.store import CURVES
from plateau_cause.pipeline import paths, script_arm, scripts
from plateau_cause.pipeline.script_asks import Asks
from plateau_cause.pipeline.script_chosen import as_chosen

OTHER_LABELS = "labels_mapped"  # the intervention by which labels have other numbers than in the script


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
    peeked = Peeked(content, scripts.script_of(given.recipe).folder)
    listed = scripts.possible_in(content)
    asks = Asks(peeked, bench, limits.factors, frozenset(one.name for one in listed), price == 1.0)
    reserve = 0.0 if price == 1.0 else 1.0  # for the run that confirms
    factors: dict[str, Factor] = {one.name: one for one in asks.asked(listed)}
    search = ScriptSearch(bench, limits, factors, asks.in_turn(), price, reserve, asks.standing)
    found = renamed(search.diagnose())
    return replace(found, factors=tuple(as_chosen(one, found, peeked) for one in found.factors))


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Returns learning curves as a table of numbers: what was not measured is no number."""
    return pd.DataFrame(rows, columns=["arm", *CURVES]).astype(dict.fromkeys(CURVES, float))


def judged_curve(run: Replay) -> list[dict[str, Any]]:
    """Returns a run's learning curve; without validation where that is judged by other labels than here."""
    rows = curve(run.content["epochs"])
    if OTHER_LABELS not in run.interventions:
        return rows
    return [{**row, "val_accuracy": None, "val_loss": None} for row in rows]


def write(root: Path, found: ScriptDiagnosed, record: dict[str, Any]) -> None:
    """Writes data/interventions and reports/intervene.json."""
    with artifacts.atomic_folder(root / paths.INTERVENTIONS) as folder:
        artifacts.write_json(folder / paths.FINDINGS.name, record)
        rows = [{"arm": name, **row} for name, run in found.runs.items() for row in judged_curve(run)]
        artifacts.write_parquet(folder / paths.CURVES.name, table(rows))
    effects = {f"effect_{one['cause']}": one["effect"] for one in record["findings"]}
    accuracy = {f"test_accuracy_{one['name']}": one["test_accuracy"] for one in record["runs"]
                if one["name"] in ("recipe", "reference")}  # fmt: skip
    artifacts.write_json(root / paths.metrics("intervene"), {**effects, **accuracy})
