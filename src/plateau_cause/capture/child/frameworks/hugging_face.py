"""Hugging Face: the epochs of its `Trainer` are no loop of the script; its weights come by their own door."""

from __future__ import annotations

import functools
import math
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.doors.calling import Loaded
from plateau_cause.capture.child.places import here

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors


def install(doors: Doors, module: ModuleType) -> None:
    """Puts the listeners in; `transformers.trainer` has just been imported."""
    doors.hooks.before(module.Trainer, "train", lambda given, *_, **__: _begun(doors, given))
    if doors.job["mode"] == "peek" and hasattr(module, "LabelSmoother"):
        doors.hooks.after(module.LabelSmoother, "__call__", partial(_smoothed, doors))


def _begun(doors: Doors, trainer: Any) -> None:
    arguments = trainer.args
    if arguments.max_steps <= 0:
        doors.course.plan = math.ceil(arguments.num_train_epochs), here()
    if doors.job["mode"] != "peek":
        return
    steps = type(arguments.save_strategy)
    arguments.save_strategy = steps("no")
    if arguments.eval_strategy == "steps":
        arguments.eval_steps = 1


def _smoothed(doors: Doors, loss: Any, smoother: Any, output: Any, labels: Any, *_: Any, **__: Any) -> None:
    """Hears the loss that `label_smoothing_factor` stands for."""
    doors.losing.of_framework(
        "cross_entropy", facts.logits_of(output), labels, loss, label_smoothing=float(smoother.epsilon)
    )


def install_loading(doors: Doors, module: ModuleType) -> None:
    """Has `from_pretrained` tell what it loaded; `transformers.modeling_utils` has just been imported."""
    original = module.PreTrainedModel.from_pretrained.__func__

    @functools.wraps(original)
    def from_pretrained(cls: Any, *arguments: Any, **named: Any) -> Any:
        if doors.hooks.paused or named.get("output_loading_info"):
            return original(cls, *arguments, **named)
        model, told = original(cls, *arguments, **{**named, "output_loading_info": True})
        doors.hooks.hear(_loaded, doors, model, told)
        return model

    module.PreTrainedModel.from_pretrained = classmethod(from_pretrained)


def _loaded(doors: Doors, model: Any, told: Any) -> None:
    """Takes note of the tensors that came from the file: neither new ones nor those of another shape."""
    other = [one[0] if isinstance(one, (list, tuple)) else one for one in told["mismatched_keys"]]
    missing = sorted({*told["missing_keys"], *other})
    own = set(model.state_dict())
    matched = len(own - set(missing))
    given = matched + len(told["unexpected_keys"]) + len(other)
    doors.calling.loaded.append(Loaded(model, here(), given, matched, len(own), missing))
