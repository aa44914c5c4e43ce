"""An MLflow store to copy."""

import pytest


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A store that was made once: making one takes seconds."""
    import mlflow

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").get_experiment("0")
    return path
