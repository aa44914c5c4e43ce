"""A trained classifier as an MLflow model: written to a folder with its code, loaded again by URI."""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

FILE = "model.pt"
PACKAGES = ("torch", "torchvision", "timm", "numpy", "pandas", "pillow", "scikit-learn", "pyarrow", "PyYAML")
OPTIONAL = ("transformers", "keras")  # needed where this process loaded them


def save(folder: Path, model: Any, input_example: np.ndarray) -> None:
    """Writes the model in MLflow's own format, with the code that it needs; no server is involved."""
    import cloudpickle
    import mlflow
    import torch

    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / FILE
        torch.save(model, path, pickle_module=cloudpickle)
        mlflow.pyfunc.save_model(
            folder,
            loader_module=__name__,
            data_path=str(path),
            code_paths=[str(Path(__file__).parents[1])],
            input_example=input_example,
            signature=_signature(model.predict(input_example)),
            pip_requirements=_requirements(),  # given: inferring them loads the model in another process
        )


def sign(folder: Path, run_id: str, model: LoggedModel) -> None:
    """Notes in the folder, which `save` has written, which run and which of MLflow's models it is."""
    from mlflow.models import Model

    found = Model.load(str(folder))
    found.run_id, found.model_id, found.artifact_path = run_id, model.model_id, model.artifact_location
    found.save(str(folder / "MLmodel"))


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
    """Returns the model that `save` stored; MLflow calls this by name."""
    import torch

    return torch.load(path, map_location="cpu", weights_only=False)
