"""What a framework does out of sight of the doors of PyTorch: one file each, put in when it is imported."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.frameworks import (
    accelerate,
    fastai,
    hugging_face,
    ignite,
    lightning,
    poutyne,
    skorch,
    timm,
)

if TYPE_CHECKING:
    from plateau_cause.capture.child.doors.imports import AfterImport
    from plateau_cause.capture.child.main import Doors

INSTALL = {
    "lightning.pytorch.trainer.trainer": lightning.install,
    "pytorch_lightning.trainer.trainer": lightning.install,
    "lightning.pytorch.loops.training_epoch_loop": lightning.install_schedules,
    "pytorch_lightning.loops.training_epoch_loop": lightning.install_schedules,
    **{f"{package}.{module}": lightning.install_tuner
       for package in ("lightning.pytorch", "pytorch_lightning")
       for module in ("tuner.tuning", "callbacks.lr_finder", "callbacks.batch_size_finder")},
    "transformers.trainer": hugging_face.install,
    "accelerate.data_loader": accelerate.install,
    "ignite.engine.engine": ignite.install,
    "ignite.handlers.param_scheduler": ignite.install_schedules,
    "skorch.net": skorch.install,
    "poutyne.framework.model": poutyne.install,
    "timm.data.loader": timm.install_loaders,
    "timm.scheduler": timm.install_schedules,
    "fastai.data.load": fastai.install_loaders,
    "fastai.optimizer": fastai.install_optimizers,
    "fastai.learner": fastai.install_learner,
    "fastai.callback.schedule": fastai.install_schedules,
}  # fmt: skip


def wait(doors: Doors, imports: AfterImport) -> None:
    """Has each framework's listeners put in as soon as the script has imported it."""
    for name, install in INSTALL.items():
        imports.when(name, partial(doors.hooks.attempt, install, doors))
    if doors.job["mode"] == "peek":
        imports.when("safetensors.torch", _write_nothing)
        told = partial(doors.hooks.attempt, hugging_face.install_loading, doors)
        imports.when("transformers.modeling_utils", told)


def _write_nothing(module: ModuleType) -> None:
    """Two steps are no reason to write over a finished model."""

    def nothing(*arguments: Any, **named: Any) -> None:
        pass

    for name in ("save_file", "save_model"):
        setattr(module, name, nothing)
