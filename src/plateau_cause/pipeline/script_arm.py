"""The arm of a script: the script as it is, run once under every seed that is asked for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from plateau_cause import artifacts, tracking
from plateau_cause.capture.curves import curve
from plateau_cause.capture.replay import Replayed
from plateau_cause.config.params import Params
from plateau_cause.lab.store import CURVES
from plateau_cause.pipeline import paths, scripts
from plateau_cause.tracking.run import Run

ARM = "script"


def train(given: Params, root: Path) -> None:
    """Runs the script; writes data/arms/script, its curve and its metrics."""
    bench = scripts.replays(given.recipe, scripts.seen())
    with tracking.stage_run(given, "finetune", ARM, given.diagnosis.seeds[0]) as run:
        found = bench.run(frozenset(), given.diagnosis.seeds[0])
        log(run, found)
        with artifacts.atomic_folder(root / paths.arm(ARM)) as folder:
            artifacts.write_json(folder / paths.arm_record(ARM).name, found.content)
            artifacts.write_arrays(folder / "hits.npz", **found.hits)
        rows = pd.DataFrame(curve(found.content["epochs"]), columns=CURVES)
        artifacts.write_csv(root / paths.curves(ARM), rows)
        artifacts.write_json(root / paths.metrics(f"finetune_{ARM}"), metrics(found))


def log(run: Run, found: Replayed) -> None:
    """Logs one run of a script under the names of every other training."""
    run.log_params({"interventions": ", ".join(sorted(found.interventions)) or "none", "seed": found.seed})
    run.log_history(curve(found.content["epochs"]))
    run.log_metrics(metrics(found))
    run.log_dict(found.content, "replay.json")


def metrics(found: Replayed) -> dict[str, float]:
    """Returns the final numbers of one run; `test_accuracy` is that on all held-out images."""
    splits = found.content["evaluations"]
    known = {"train_accuracy": found.content["train_accuracy"], "test_accuracy": found.accuracy}
    if "val" in splits:
        known["val_accuracy"] = splits["val"]["accuracy"]
    return {name: float(value) for name, value in known.items() if value is not None}
