"""What a stage can say about its run, and the run that listens to nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class NullRun:
    """A run that records nothing: what stages use when tracking is off, and the methods of a real run."""

    def __init__(self) -> None:
        self._children: dict[str, str | None] = {}

    @property
    def run_id(self) -> str | None:
        """Returns MLflow's id; the run's key (`tracking.find`) until MLflow has it; None: no run."""
        return None

    @property
    def children(self) -> dict[str, str | None]:
        """Returns the same of every child, by name."""
        return self._children

    def end(self, status: str) -> None:
        """Ends the run: FINISHED, FAILED or KILLED."""

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Records parameters, nested names joined by dots; a name recorded before keeps its value."""

    def share_params(self, params: Mapping[str, Any]) -> None:
        """Records parameters of the run and of every child that follows, so that they compare alike."""

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Records the numbers among these in one call, nested names joined by dots."""

    def log_history(self, history: Sequence[Mapping[str, Any]], step_key: str = "epoch") -> None:
        """Records a whole curve in one call: the numbers of each row at the step that `step_key` names."""

    def log_tags(self, tags: Mapping[str, Any]) -> None:
        """Records tags."""

    def log_figure(self, figure: Any, path: str) -> None:
        """Records a matplotlib (.png) or plotly (.html) figure under this artifact path."""

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Records a file, or everything in a folder."""

    def log_dict(self, content: Mapping[str, Any], path: str) -> None:
        """Records a JSON or YAML file."""

    def log_text(self, text: str, path: str) -> None:
        """Records a text, Markdown or HTML file."""

    def log_dataset(self, manifest: pd.DataFrame, name: str, digest: str, context: str = "training") -> None:
        """Records the manifest's schema and size as the input data set, and its digest as a tag."""

    def log_model(self, model: Any, input_example: np.ndarray, name: str = "model") -> str | None:
        """Records a model that loads again by URI, with the run's parameters, tags and final metrics.

        Args:
            model: an object on the CPU with `predict(images) -> pandas.DataFrame`, where images is a
                uint8 array (N, H, W, 3); it must pickle.
            input_example: uint8 (n, H, W, 3).
            name: the model's name.

        Returns:
            The URI for `mlflow.pyfunc.load_model(uri).predict(images)`; None where MLflow has it not.
        """
        return None

    def log_diagnosis(self, runs: Sequence[str | None], tags: Mapping[str, Any]) -> None:
        """Records what was found out about other runs (ids or keys), as tags on them and their models."""

    @contextmanager
    def child(self, name: str, tags: Mapping[str, Any] | None = None) -> Iterator[NullRun]:
        """Yields a run with this one's tags and these, nested; under `mlflow run` both have one parent."""
        self._children[name] = None
        yield NullRun()
