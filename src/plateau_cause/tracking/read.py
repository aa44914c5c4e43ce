"""What was recorded, read back: one run by its id, whether the store answers at all, where MLflow shows it.

python -m plateau_cause.tracking.read http://127.0.0.1:5000    # the last of these, for `make ui`
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause.errors import PlateauError
from plateau_cause.tracking import presentation, store

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

PREDICTIONS = "predictions.csv"  # of the test images, in the run of every arm: what two runs are paired on


@dataclass(frozen=True)
class RecordedRun:
    """One run.

    Attributes:
        name: of the run.
        params: flat names to texts.
        metrics: flat names to the last value.
        predictions: of the test images; None where the run keeps none.
    """

    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    predictions: pd.DataFrame | None


def run(run_id: str) -> RecordedRun:
    """Returns a run from the store that this project records to.

    Raises:
        PlateauError: the store does not answer, or has no such run.
    """
    client = _client()
    with store.failing_as(PlateauError, run_id, f" (MLflow at {store.address()})"):
        found = client.get_run(run_id)
        table = _predictions(client, run_id)
    return RecordedRun(str(found.info.run_name), found.data.params, found.data.metrics, table)


def probe() -> str:
    """Returns in a few words what the store says when it is asked for its experiments.

    Raises:
        PlateauError: it does not answer.
    """
    client = _client()
    with store.failing_as(PlateauError, store.address()):
        experiments = client.search_experiments(max_results=1000)
    return f"{store.address()}: {len(experiments)} experiments"


def pages(server: str) -> list[str]:
    """Returns name and address of every experiment of plateau's.

    Args:
        server: address of MLflow's pages, such as http://127.0.0.1:5000.

    Raises:
        PlateauError: the store does not answer.
    """
    client = _client()
    with store.failing_as(PlateauError, store.address()):
        found = client.search_experiments()
    known = [experiment for experiment in found if presentation.SHARED in experiment.tags]
    return [f"{one.name}: {server.rstrip('/')}/{presentation.page(one.experiment_id)}" for one in known]


def _client() -> MlflowClient:
    path = store.sqlite_path()
    if path is not None and not path.is_file():
        raise PlateauError(f"{path}: no runs are recorded here; the first stage that runs makes it")
    store.settle_environment()
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # a few kilobytes
    with store.failing_as(PlateauError, store.address()):
        return store.open_client()


def _predictions(client: MlflowClient, run_id: str) -> pd.DataFrame | None:
    import pandas as pd

    if PREDICTIONS not in [file.path for file in client.list_artifacts(run_id)]:
        return None
    with tempfile.TemporaryDirectory() as folder:
        content = Path(client.download_artifacts(run_id, PREDICTIONS, folder)).read_bytes()
    texts = dict.fromkeys(("image_id", "label", "sha256"), str)
    return pd.read_csv(io.BytesIO(content), dtype=texts, keep_default_na=False)


def main(server: str) -> int:
    """Returns 0 after a line per experiment, 2 after one line on why there is none."""
    try:
        print("\n".join(pages(server)))
    except PlateauError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
