"""The model registry: versions of one model, what they come from, and the two aliases that point at them.

`challenger` is today's model, `champion` the one that is deployed: `models:/<name>@champion`. Unlike a run,
which may go unrecorded, a version that cannot be registered is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plateau_cause.errors import PlateauError
from plateau_cause.tracking import find, prediction, provenance, store

CHAMPION, CHALLENGER = "champion", "challenger"
TRAINING_SET = "training_set"  # artifact folder of the run that registered the model
REGISTERED_BY = "registered_by"  # tag: that run
ABOUT = """\
Models of the recipe in params.yaml, one version per retraining. `champion` is deployed; `challenger` is what
the last retraining compared with it, and became the champion if it was better by more than noise.
"""
ARM_KEY = "arm_key"  # tag: content key of the trained arm; equal keys, equal models


class RegistryError(Exception):
    """The registry failed; the message is one clear line."""


@dataclass(frozen=True)
class Version:
    """A registered model.

    Attributes:
        name: of the registered model.
        version: its number, as MLflow writes it.
        tags: what it comes from and what its diagnosis says.
    """

    name: str
    version: str
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        """Returns what `mlflow.pyfunc.load_model` and `mlflow models serve` take."""
        return f"models:/{self.name}/{self.version}"

    @property
    def causes(self) -> tuple[str, ...]:
        """Returns the causes that the model's diagnosis names."""
        return tuple(filter(None, self.tags.get("causes", "").split(",")))


class Registry:
    """The versions of one registered model.

    Raises:
        RegistryError: from every method, where the server cannot be reached or refuses.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        store.settle_environment()
        with _asking():
            self._client = store.open_client()

    def version(self, alias: str) -> Version | None:
        """Returns the version that an alias points at, or None."""
        with _asking():
            found = self._client.search_registered_models(f"name = '{self.name}'")
            versions = {name: version for model in found for name, version in model.aliases.items()}
            if alias not in versions:
                return None
            return _version(self._client.get_model_version(self.name, str(versions[alias])))

    def find(self, arm_key: str) -> Version | None:
        """Returns the newest version of this trained arm, or None."""
        with _asking():
            query = f"name = '{self.name}' and tags.{ARM_KEY} = '{arm_key}'"
            found = self._client.search_model_versions(query)
        newest = max(found, key=lambda version: int(version.version), default=None)
        return None if newest is None else _version(newest)

    def logged_model(self, run_id: str | None) -> str | None:
        """Returns the URI of the model that a run logged; None where this server has no such run or model."""
        from mlflow.exceptions import MlflowException

        if run_id is None:
            return None
        try:
            models = find.models_of(self._client, run_id)
        except MlflowException:  # the run was recorded elsewhere: on a laptop, by another server
            return None
        return f"models:/{models[0]}" if models else None

    def register(
        self, model_uri: str, run_id: str, training_set: Path, tags: Mapping[str, Any], description: str = ""
    ) -> Version:
        """Returns the new version, the challenger from now on.

        Args:
            model_uri: of a logged model.
            run_id: of the run that registers it; keeps the training set, before the version can be seen.
            training_set: folder of what the model was trained on.
            tags: what it comes from; None values are left out.
            description: what people read beside it, Markdown.
        """
        import mlflow

        known = {key: provenance.clean_text(value) for key, value in tags.items() if value is not None}
        known[REGISTERED_BY] = run_id
        with _asking():
            self._client.log_artifacts(run_id, str(training_set), TRAINING_SET)
            made = mlflow.register_model(model_uri, self.name, tags=known)
            if description:
                self._client.update_model_version(self.name, made.version, description)
            if not self._client.get_registered_model(self.name).description:
                self._client.update_registered_model(self.name, ABOUT)
        self.challenge(str(made.version))
        return Version(self.name, str(made.version), known)

    def challenge(self, version: str) -> None:
        """Points the alias `challenger` at a version."""
        with _asking():
            self._client.set_registered_model_alias(self.name, CHALLENGER, version)

    def promote(self, version: str) -> None:
        """Points the alias `champion` at a version, and notes on it which one it replaced."""
        before = self.version(CHAMPION)
        with _asking():
            self._client.set_registered_model_alias(self.name, CHAMPION, version)
            replaced = before.version if before else "none"
            self._client.set_model_version_tag(self.name, version, "replaced", replaced)

    def training_set(self, version: Version, folder: Path) -> Path | None:
        """Returns the folder of what a version was trained on, downloaded; None where it was not kept."""
        run_id = version.tags.get(REGISTERED_BY)
        if run_id is None:  # registered by hand
            return None
        with _asking():
            return Path(self._client.download_artifacts(run_id, TRAINING_SET, str(folder)))

    def predict(self, version: Version, pixels: Path, places: Mapping[str, Sequence[int]]) -> list[str]:
        """Returns a version's label for each stored image, by the code that it was logged with."""
        try:
            return prediction.predict_apart(version.uri, store.tracking_uri(), pixels, places)
        except RuntimeError as error:
            raise RegistryError(provenance.without_password(str(error))) from None


def reach() -> None:
    """Opens the tracking server, so that one that is away is noticed before anything is trained.

    Raises:
        RegistryError: it cannot be reached.
    """
    store.settle_environment()
    with _asking():
        store.open_client()


def check_name(name: str) -> None:
    """Raises a PlateauError where an experiment's name cannot be the name of a model."""
    wrong = sorted({character for character in name if character in "/:'\"%"})
    if wrong:
        raise PlateauError(
            f"tracking.experiment: got {name!r}; it names the registered model too, which allows none of "
            f"{' '.join(wrong)}"
        )


def _version(found: Any) -> Version:
    return Version(found.name, str(found.version), dict(found.tags))


def _asking() -> AbstractContextManager[None]:
    """Returns a context in which what the server fails with is one clear line."""
    return store.failing_as(RegistryError, f"the model registry at {store.address()} failed")
