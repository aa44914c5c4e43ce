"""MLflow in one folder: one run per stage (and arm), one child per further seed or intervention.

What a stage says is recorded on disk, sent, and sent again later where the server did not take it:

    stage -> Run (plain values) -> Recorder -> Journal (on disk) -> Delivery -> MLflow
                                                   └ later: outbox.flush() ┘

Nothing outside this folder imports mlflow, and nothing in it does so before a run is opened. Runs go
to MLFLOW_TRACKING_URI where it is set, otherwise to mlflow.db and mlartifacts/ at the repository root.
PLATEAU_TRACKING=off records nothing. A server that fails costs one warning, never a stage.
"""

from plateau_cause.tracking.find import read_records
from plateau_cause.tracking.run import Run
from plateau_cause.tracking.stage import stage_run
from plateau_cause.tracking.store import tracking_uri

__all__ = ["Run", "read_records", "stage_run", "tracking_uri"]
