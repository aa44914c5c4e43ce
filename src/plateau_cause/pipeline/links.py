"""Where a run can be opened: its address in MLflow."""

from __future__ import annotations

from typing import Any

from plateau_cause.tracking.find import is_key

LOCAL_UI = "http://127.0.0.1:5000"  # where `make ui` serves the runs of this repository


def linked(run: dict[str, Any], run_id: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the run with its address in MLflow: the server's, or the one that `make ui` opens."""
    record = next(
        (record for record in records if run_id in (record["run_id"], *record["children"].values())), None
    )
    if record is None or not run_id or is_key(run_id):
        return {**run, "run_id": run_id, "url": None}
    uri = str(record["tracking_uri"])
    server = uri.rstrip("/") if uri.startswith("http") else LOCAL_UI
    return {**run, "run_id": run_id, "url": f"{server}/#/experiments/{record['experiment_id']}/runs/{run_id}"}
