"""What is outside the machine: the MLflow server and the DVC remote."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from plateau_cause.doctor.check import FAIL, OK, WARN, Check
from plateau_cause.errors import PlateauError

PATIENCE_S = 30


def tracking() -> Check:
    """Asks the MLflow store for its experiments."""
    from plateau_cause.tracking import read, store

    if os.environ.get("PLATEAU_TRACKING", "").lower() == "off":
        return Check(OK, "off (PLATEAU_TRACKING=off): no runs are recorded")
    path = store.sqlite_path()
    if path is not None and not path.exists():
        return Check(OK, f"{path} is made by the first stage")
    try:
        return Check(OK, read.probe())
    except PlateauError as error:
        mend = "start the server, or set MLFLOW_TRACKING_URI; stages go on without it"
        return Check(FAIL, str(error), mend)


def remote() -> Check:
    """Lists the folder of DVC's default remote, in a process of its own that can be given up."""
    command = [sys.executable, "-m", "plateau_cause.doctor.remote"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return Check(FAIL, f"no answer within {PATIENCE_S} s", "check the network, then `dvc remote list`")
    try:
        found = json.loads(ended.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return Check(
            FAIL, f"DVC failed: {(ended.stderr.strip().splitlines() or ['no output'])[-1]}", "`dvc doctor`"
        )
    name, url, reason = (found[key] for key in ("name", "url", "reason"))
    if name is None:
        return Check(
            WARN,
            "none: results stay on this machine",
            "dvc remote add --default storage s3://... (or a path)",
        )
    if reason:
        return Check(
            FAIL, f"{name} ({url}): {reason}", f"check `dvc remote list` and the credentials of {name}"
        )
    return Check(OK, f"{name} ({url}) answers")
