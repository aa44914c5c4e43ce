"""The interventions of a script: which of its repairs are worth what, and what that is reported from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from plateau_cause import artifacts, tracking
from plateau_cause.capture.curves import curve
from plateau_cause.capture.observation import Peeked
from plateau_cause.capture.possible import Possible, rate
from plateau_cause.capture.replay import Replays
from plateau_cause.config.params import Params
from plateau_cause.diagnosis import script_record
from plateau_cause.diagnosis.script import Replay, ScriptDiagnosed, ScriptSearch, classes, renamed
from plateau_cause.diagnosis.symptoms import suspect
from plateau_cause.lab.store import CURVES
from plateau_cause.pipeline import paths, script_arm, scripts


def main(given: Params, root: Path) -> None:
    """Replays the script; writes data/interventions and reports/intervene.json."""
    content = scripts.seen()
    with tracking.stage_run(given, "intervene") as run:
        found = diagnose(given, content, scripts.replays(given.recipe, content))
        record = script_record.record(found, given.diagnosis.min_effect)
        for name, one in found.runs.items():
            if name != "recipe":
                with run.child(name, {"arm": name, "seed": one.seed}) as child:
                    script_arm.log(child, one)  # type: ignore[arg-type]
        write(root, found, record)


def diagnose(given: Params, content: dict[str, Any], bench: Replays) -> ScriptDiagnosed:
    """Returns what the replays showed."""
    limits = given.diagnosis
    asked = [
        one for one in scripts.possible_in(content) if limits.factors == "all" or one.cause in limits.factors
    ]
    peeked = Peeked(content, scripts.script_of(given.recipe).folder)

    def suspected(run: Replay) -> Possible | None:
        change = content.get("model", {}).get("change_per_step")
        cause = suspect(run.content["epochs"], classes(run), change)
        if cause is None or not content.get("optimizers"):
            return None
        found = rate(peeked, cause, is_sure=False)
        bench.prepare(found)
        return found

    search = ScriptSearch(bench, limits, {one.name: one for one in asked}, suspected)
    return renamed(search.diagnose())


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
