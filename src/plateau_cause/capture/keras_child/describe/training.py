"""The part of the peek about how a fit trains: optimizer, schedule, loss, clipping, as at that fit."""

from __future__ import annotations

import inspect
import re
from typing import Any

from plateau_cause.capture.child.describe.facts import plain
from plateau_cause.capture.child.places import Place
from plateau_cause.capture.keras_child import feeds, library
from plateau_cause.capture.keras_child.call import Call
from plateau_cause.capture.keras_child.clipping import CLIPS
from plateau_cause.capture.keras_child.describe.own_loss import takes
from plateau_cause.capture.keras_child.describe.probe import form
from plateau_cause.capture.keras_child.describe.wording import said
from plateau_cause.capture.keras_child.looking import Look
from plateau_cause.capture.keras_child.nested import labels_each
from plateau_cause.capture.keras_child.scene import Scene

TENTHS = 10
FURTHER, BEHIND = 1.25, 42  # a schedule is asked so many times further on, 10,000 trainings, for its peak
KERAS_ITSELF = ("keras.", "tf_keras.")
MOST_EPOCHS = 10_000  # that a function of the script is asked about
OUTPUTS = {
    "softmax": "probabilities",
    "sigmoid": "between 0 and 1",
    "linear": "logits",
    "relu": "never negative",
}


def describe_training(look: Look, scene: Scene) -> dict[str, Any]:
    """Returns optimizers, schedules, loss and gradients of a fit as JSON."""
    return {"optimizers": [_optimizer(look, scene)], "schedules": _schedules(look, scene),
            "loss": _loss(look, scene), "gradients": _gradients(look, scene)}  # fmt: skip


def _optimizer(look: Look, scene: Scene) -> dict[str, Any]:
    optimizer = library.optimizer_of(look.call.model)
    config = {key: plain(value) for key, value in library.config_of(optimizer).items()}
    place = scene.places.of(optimizer) or compiled_at(look)
    held = [one for one in library.weights(look.call.model) if id(one.variable) in look.trained]
    rate = float(library.values(optimizer.learning_rate))
    words = said(held, library.weights(look.call.model))
    group = {"holds": words["layers"], "parameters": words["parameters"], "numbers": words["numbers"],
             "lr": rate, "rates": [rate], "weight_decay": config.get("weight_decay"),
             "momentum": config.get("momentum")}  # fmt: skip
    return {"class": type(optimizer).__name__, "name": None, "place": place, "step": look.call.place,
            "groups": [group], "rates_by_hand": [], "compiled_at": compiled_at(look)}  # fmt: skip


def compiled_at(look: Look) -> Place | None:
    """Returns the line of `compile`."""
    return look.call.compiled.place if look.call.compiled else None


def _schedules(look: Look, scene: Scene) -> list[dict[str, Any]]:
    given, found = library.schedule_of(library.optimizer_of(look.call.model)), []
    if given is not None:
        place = (
            scene.places.of(given)
            or scene.places.of(library.optimizer_of(look.call.model))
            or compiled_at(look)
        )
        options = {key: plain(value) for key, value in _told(given).items() if key != "name"}
        found.append({"class": type(given).__name__, "place": place, "step": place, "stepped_every": "batch",
                      "options": options, **_rates_ahead(look, given)})  # fmt: skip
    for callback in callbacks(look.call):
        if type(callback).__name__ in ("LearningRateScheduler", "ReduceLROnPlateau"):
            place = scene.places.of(callback) or look.call.place
            found.append({"class": type(callback).__name__, "place": place, "step": look.call.place,
                          "stepped_every": "epoch", "options": {},
                          "rates_ahead": _rates_by_epoch(look, callback)})  # fmt: skip
    return found


def _told(schedule: Any) -> dict[str, Any]:
    """Returns what a schedule says of itself; nothing where a script's own says nothing."""
    try:
        return dict(schedule.get_config())
    except NotImplementedError:
        return {}


def epochs(look: Look) -> int:
    """Returns how many epochs a fit trains, with those behind it that go on with what it compiled."""
    return epochs_of(look.call.given) + look.further


def epochs_of(given: dict[str, Any]) -> int:
    """Returns how many epochs a call of `fit` trains: one that goes on counts from where the last ended."""
    return int(given.get("epochs", 1)) - int(given.get("initial_epoch") or 0)


def _rates_ahead(look: Look, schedule: Any) -> dict[str, Any]:
    """Returns the rates of a fit from its beginning to its end, in tenths, and the highest one behind it.

    None where the number of steps is not known.
    """
    batches = feeds.count(look.training.feed)
    if not batches:
        return {"rates_ahead": None}
    last = epochs(look) * batches - 1

    def rate(step: float) -> float:
        return float(library.values(schedule(round(step))))

    behind = [rate(last * FURTHER**times) for times in range(BEHIND)]
    return {"rates_ahead": [rate(part * last / TENTHS) for part in range(TENTHS + 1)], "peak": max(behind)}


def _rates_by_epoch(look: Look, callback: Any) -> list[float] | None:
    """Returns the same of a callback that asks the script's function for each epoch's rate."""
    function, count = getattr(callback, "schedule", None), epochs(look)
    ends_early = any(type(one).__name__ == "EarlyStopping" for one in callbacks(look.call))
    if not callable(function) or not 1 < count <= MOST_EPOCHS or ends_early:
        return None
    first = int(look.call.given.get("initial_epoch") or 0)
    try:
        wants_rate = len(inspect.signature(function).parameters) > 1
        if wants_rate and first:  # of the rate before nothing is known
            return None
        now = float(library.values(library.optimizer_of(look.call.model).learning_rate))  # set by it already
        rates = [now if wants_rate else float(function(first))]
        for epoch in range(first + 1, first + count):
            rates.append(float(function(epoch, rates[-1]) if wants_rate else function(epoch)))
    except Exception:  # the script's own: what it does not like is no news
        return None
    return [rates[round(part * (count - 1) / TENTHS)] for part in range(TENTHS + 1)]


def callbacks(call: Call) -> list[Any]:
    """Returns the callbacks that the script gave to a fit."""
    return given_callbacks(call.given)


def given_callbacks(given: dict[str, Any]) -> list[Any]:
    """Returns the callbacks among the arguments of a fit."""
    found = given.get("callbacks")
    return list(found) if isinstance(found, (list, tuple)) else [found] if found else []


def watched(callback: Any) -> dict[str, str]:
    """Returns which metric a callback waits for, and whether it is to fall or to rise: min or max."""
    compares = str(getattr(getattr(callback, "monitor_op", None), "__name__", ""))
    mode = {"less": "min", "greater": "max"}.get(compares, getattr(callback, "mode", None))
    monitor = getattr(callback, "monitor", None)
    known = isinstance(monitor, str) and mode in ("min", "max")
    return {"monitor": str(monitor), "mode": str(mode)} if known else {}


def loss_of(model: Any) -> tuple[str | None, dict[str, Any], Any]:
    """Returns the name of a model's loss in words of functions, its options, and the loss as it was given."""
    given = model.loss
    given = next(iter(given.values()), None) if isinstance(given, dict) else given
    given = given[0] if isinstance(given, (list, tuple)) and given else given
    if given is None:
        return None, {}, None
    if isinstance(given, str):
        return _snake(given), {"from_logits": False}, given
    if hasattr(given, "get_config"):
        config = {key: plain(value) for key, value in given.get_config().items()}
        told = {key: config[key] for key in ("from_logits", "label_smoothing") if key in config}
        return _snake(type(given).__name__), told, given
    return _snake(getattr(given, "__name__", type(given).__name__)), {}, given


def _snake(name: str) -> str:
    plain_name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return plain_name.replace("cross_entropy", "crossentropy")


def _loss(look: Look, scene: Scene) -> dict[str, Any] | None:
    name, options, given = loss_of(look.call.model)
    if name is None:
        return None
    place = scene.places.of(given) if given is not None and not isinstance(given, str) else None
    probed = look.training.probed
    last = _measured(activation(look.call.model), probed["output"] if probed else None)
    return {
        "function": name, "computes": f"keras.{name}", "options": options, "place": compiled_at(look),
        "built": place or compiled_at(look), "after": None,
        "on": OUTPUTS.get(str(last)) or (form(probed["output"]) if probed else None),
        "activation": last, "labels": look.training.label_shape,
        "takes": _taken(look, name, given),
        "labels_each": labels_each(look.training.labels_first),
    }  # fmt: skip


def _taken(look: Look, name: str, given: Any) -> str | None:
    """Returns what a loss takes that Keras does not have: probabilities or logits."""
    probed = look.training.probed
    classes = probed["output"].shape[-1] if probed and getattr(probed["output"], "ndim", 0) == 2 else None
    if isinstance(given, str) or not classes or type(given).__module__.startswith(KERAS_ITSELF):
        return None
    if str(getattr(given, "__module__", "")).startswith(KERAS_ITSELF):
        return None
    try:
        return takes(given, look.call.model, look.training.labels_first, classes)
    except Exception:  # the script's own: what it does not like is no news
        return None


def _gradients(look: Look, scene: Scene) -> dict[str, Any]:
    optimizer = look.call.model.optimizer
    clips = [(key, getattr(optimizer, key, None)) for key in CLIPS]
    place, times = scene.places.of(optimizer) or compiled_at(look), min(look.clipped, default=None)
    clipping = next(({"function": key, "limit": float(value), "place": place,
                      "norm": None if times is None else times * float(value)}
                     for key, value in clips if value), None)  # fmt: skip
    every = getattr(optimizer, "gradient_accumulation_steps", None)
    return {"backward": look.call.place, "backward_calls_per_step": every, "are_cleared": True,
            "cleared_at": look.call.place, "clipping": clipping, "scaler": None}  # fmt: skip


def _measured(last: str | None, output: Any) -> str | None:
    """Returns the last activation, which what comes out corrects: a script may apply one by a function.

    Args:
        last: the activation of the last layer that has one, in the order in which the model holds them.
        output: (N, C) of a probe; None where there is none.
    """
    told = form(output)
    if told == "probabilities" and last not in ("softmax", "sigmoid"):
        return "softmax"
    is_negative = told == "logits" and output.min() < 0
    return "linear" if is_negative and last in ("softmax", "sigmoid", "relu") else last


def activation(model: Any) -> str | None:
    """Returns the name of the activation of the last layer that has one; None where none is found."""
    for layer in reversed(library.layers(model)):
        if type(layer).__name__ in ("Softmax", "ReLU"):
            return type(layer).__name__.lower()
        if getattr(layer, "activation", None) is not None:
            name = getattr(layer.activation, "__name__", type(layer.activation).__name__)
            return str(name)
    return None
