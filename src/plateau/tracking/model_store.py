"""A trained classifier as an MLflow model: stored with its code, loaded again by URI."""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from mlflow import MlflowClient
    from mlflow.entities import RunInfo
    from mlflow.models import ModelSignature

FILE = "model.pt"
PACKAGES = ("torch", "torchvision", "timm", "numpy", "pandas", "pillow", "scikit-learn", "pyarrow", "PyYAML")
OPTIONAL = ("transformers", "keras")  # needed where this process loaded them


def log_model(client: MlflowClient, run: RunInfo, model: Any, input_example: np.ndarray, name: str) -> str:
    """Returns the URI of the model, stored with the code that it needs beside the run."""
    import cloudpickle
    import mlflow
    import torch
    from mlflow.models import Model

    # Made here, because MLflow's own way puts the model into whichever experiment is active.
    logged = client.create_logged_model(run.experiment_id, name=name, source_run_id=run.run_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        torch.save(model, path, pickle_module=cloudpickle)
        Model.log(
            artifact_path=None,
            name=name,
            flavor=mlflow.pyfunc,
            run_id=run.run_id,
            model_id=logged.model_id,
            loader_module=__name__,
            data_path=str(path),
            code_paths=[str(Path(__file__).parents[1])],
            input_example=input_example,
            signature=_signature(model.predict(input_example)),
            pip_requirements=_requirements(),  # given: inferring them loads the model in another process
        )
    return str(logged.model_uri)


def _signature(prediction: Any) -> ModelSignature:
    """Returns what goes in, uint8 images (N, H, W, 3) of any size, and what comes out."""
    import numpy as np
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types import Schema, TensorSpec

    images = Schema([TensorSpec(np.dtype("uint8"), (-1, -1, -1, 3))])
    return ModelSignature(inputs=images, outputs=infer_signature(prediction).inputs)


def _requirements() -> list[str]:
    names = [*PACKAGES, *(name for name in OPTIONAL if name in sys.modules)]
    return [f"{name}=={importlib.metadata.version(name)}" for name in names]


def _load_pyfunc(path: str) -> Any:
    """Returns the model that `log_model` stored; MLflow calls this by name."""
    import torch

    return torch.load(path, map_location="cpu", weights_only=False)
