"""The peek as one document that a person can read: what the script really does, each with file and line."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe import facts
from plateau_cause.capture.child.describe.averaging import average, never_updated
from plateau_cause.capture.child.describe.data import describe, of_features
from plateau_cause.capture.child.describe.drawn import unread
from plateau_cause.capture.child.describe.expected import expected
from plateau_cause.capture.child.describe.foreseeing import Length, rates_ahead
from plateau_cause.capture.child.describe.gradients import gradients
from plateau_cause.capture.child.describe.model import describe_model
from plateau_cause.capture.child.describe.samples import Sample, Sampled, samples, spread, varies
from plateau_cause.capture.child.doors import schedules
from plateau_cause.capture.child.doors.decoding import Decoding
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.passes import Forward
from plateau_cause.capture.child.places import Place

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors
    from plateau_cause.capture.child.peek import Peek

ROOM = "plateau-"  # what the folders begin with in which copies are made
SCHEMA_VERSION = 1
LIBRARIES = ("torch", "torchvision", "timm", "transformers", "lightning", "numpy")
_begun_in: dict[str, str] = {}  # the folder of the script
SAMPLES = 48  # items of each data set to look at


def sampled(doors: Doors) -> list[Sampled]:
    """Returns each loader with samples of its data set; none where it cannot be read."""
    found = []
    doors.hooks.attempt(doors.loading.name_unread)
    for loader in doors.course.loaders:
        about = (loader.loader, doors.decoding, doors.hooks)
        seen = doors.hooks.attempt(_read, *about) or []
        changes = doors.hooks.attempt(varies, about[0], seen, *about[1:])
        found.append(Sampled(loader, seen, changes))
    return found


def _read(loader: Any, decoding: Decoding, hooks: Hooks) -> list[Sample]:
    return list(samples(loader, spread(loader.dataset, SAMPLES), decoding, hooks))


def document(doors: Doors, peek: Peek, data: list[Sampled]) -> dict[str, Any]:
    """Returns the whole peek; see docs/capture.md for every field."""
    model = describe_model(doors, peek)
    names = model.pop("names")
    loaders, epochs, flow = _loaders(doors, data), _epochs(doors), gradients(doors)
    planned = peek.planned
    length = _length(loaders, epochs, planned, flow, doors.stepping.steps)
    return {
        "schema_version": SCHEMA_VERSION,
        "script": _script(doors),
        "seen": _seen(doors, peek),
        "loaders": loaders,
        "model": model,
        "expected": doors.hooks.attempt(expected, peek),
        "training": _call(peek.training, peek.training[-1:]),
        "computed_at": doors.calling.beforehand and doors.calling.beforehand.computed_at,
        "training_again": None if peek.later is None else _call([peek.later]),
        "evaluation": _call(_evaluation(peek)),
        "average": average(doors, peek, length),
        "averages": doors.hooks.attempt(never_updated, doors.stepping.averages) or [],
        "compiled": doors.calling.compiled,
        "optimizers": [_optimizer(doors, one, names) for one in doors.stepping.innermost()
                       if one.steps or doors.stepping.is_fresh(one)],
        "unused_optimizers": [one.place for one in doors.stepping.held
                              if not (one.steps or one.is_past or doors.stepping.is_fresh(one))],
        "schedules": _schedules(doors, length),
        "loss": _loss(peek, flow),
        "gradients": flow,
        "epochs": epochs,
        "callbacks": doors.course.callbacks,
        "steps": planned and {"count": planned[0], "place": planned[1]},
        "seeds": {name: {"value": facts.plain(value), "place": place}
                  for name, (value, place) in doors.seeding.seeds.items()},
        "problems": doors.hooks.problems,
    }  # fmt: skip


def _loaders(doors: Doors, data: list[Sampled]) -> list[dict[str, Any]]:
    """Returns what each loader does; one of features has the images that these were computed from."""
    numbers = {id(one): number for number, one in enumerate(doors.course.loaders)}
    built = [one.loader.loader for one in data]
    told = {
        id(one.loader): {**found, "number": numbers[id(one.loader)],
                         "reads": doors.hooks.attempt(unread, one.loader.loader, built)}
        for one in data
        if (found := doors.hooks.attempt(describe, one, doors.places))
    }  # fmt: skip
    beforehand = doors.calling.beforehand
    if beforehand is None:
        return list(told.values())
    for loader, source in beforehand.computed_from.items():
        if loader in told and id(source) in told:
            told[loader] = of_features(told[loader], told[id(source)])
    return [one for key, one in told.items() if key not in beforehand.sources]


def document_of_nothing(doors: Doors, peek: Peek) -> dict[str, Any]:
    """Returns the document of a script that ended before it trained."""
    return {"schema_version": SCHEMA_VERSION, "script": _script(doors), "seen": _seen(doors, peek),
            "problems": doors.hooks.problems}  # fmt: skip


def located(value: Any) -> Any:
    """Returns a document with its places as `{"file": …, "line": …}`: files of the folder relative to it."""
    if isinstance(value, Place):
        return {"file": relative(value.file), "line": value.line}
    if isinstance(value, dict):
        return {str(key): located(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [located(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value  # JSON has no such number


def begin() -> None:
    """Notes the folder that the script begins in: it may go elsewhere."""
    _begun_in["folder"] = os.getcwd()


def relative(file: str) -> str:
    """Returns a path relative to the folder that the script runs in, where it lies inside.

    So is one beside a copy of that folder, for what is beside it is a copy, too: see `capture/overlay.py`.
    """
    path, folder = os.path.realpath(file), os.path.realpath(_begun_in.get("folder") or os.getcwd())
    room = re.match(rf"{re.escape(os.path.realpath(tempfile.gettempdir()))}/{ROOM}[^/]*/", folder)
    inside = room.group() if room else folder + os.sep
    return os.path.relpath(path, folder) if path.startswith(inside) else path


def _script(doors: Doors) -> dict[str, Any]:
    versions = {name: getattr(sys.modules.get(name), "__version__", None) for name in LIBRARIES}
    return {"given": doors.job["target"], "is_module": doors.job["is_module"],
            "arguments": doors.job["arguments"], "python": platform.python_version(),
            "versions": {name: version for name, version in versions.items() if version}}  # fmt: skip


def _seen(doors: Doors, peek: Peek) -> dict[str, Any]:
    return {"steps": doors.stepping.steps, **doors.spawning.seen(),
            "has_evaluation": bool(peek.evaluation), "is_late": peek.is_late,
            "follows_another": peek.follows_another, "trained_before": _of_before(peek.before),
            "is_so_far": doors.stepping.steps < 2 or not peek.evaluation}  # fmt: skip


def _of_before(call: Forward | None) -> dict[str, Any] | None:
    """Returns the model that another training, which is over, has trained."""
    if call is None:
        return None
    inner, _ = facts.unwrapped(call.module)
    return {"name": call.name, "class": facts.kind(inner), "place": call.place}


def _evaluation(peek: Peek) -> list[Forward]:
    """Returns the calls of the evaluation, those on other data than training's first."""
    trained_on = [one.of.of for one in peek.training if one.of is not None]
    return sorted(peek.evaluation, key=lambda one: one.of is not None and one.of.of in trained_on)


def _call(calls: list[Forward], lasts: list[Forward] | None = None) -> dict[str, Any] | None:
    """Returns the first of some calls, with the last one's output and where gradients stop in any of them."""
    if not calls:
        return None
    call, last = calls[0], (lasts or calls)[0]
    logits = facts.logits_of(last.output)
    output = {"kind": facts.kind(last.output), "shape": None if logits is None else list(logits.shape)}
    told = {name: value for name, value in call.facts.items() if name != "still"}
    told["stopped_at"] = next((one.facts["stopped_at"] for one in calls if one.facts["stopped_at"]), None)
    return {"place": call.place, "model": call.name, **told, "output": output}


def _optimizer(doors: Doors, held: Any, names: dict[int, str]) -> dict[str, Any]:
    from plateau_cause.capture.child.describe.layers import prefixes, worded

    groups = []
    for number, group in enumerate(held.optimizer.param_groups):
        named = [names[id(one)] for one in group["params"] if id(one) in names]
        told = {key: facts.plain(value) for key, value in group.items() if key != "params"}
        size = sum(one.numel() for one in group["params"])
        layers = worded(prefixes(named, list(names.values())))
        rates = [row[number] for row in held.rates if number < len(row)]
        acting: dict[str, Any] = {"lr": rates[0], "rates": rates} if rates else {}
        acting |= {"max_lr": held.peaks[number]} if number < len(held.peaks) else {}
        groups.append(
            {"holds": layers, "parameters": len(group["params"]), "numbers": size, **told, **acting}
        )
    by_hand = [{"place": place, "rate": rate} for place, rate in held.by_hand[-4:]]
    return {"class": held.kind or facts.kind(held.optimizer), "name": held.name, "place": held.place,
            "within": [facts.kind(one.optimizer) for one in doors.stepping.around(held)],
            "step": held.step_place, "is_fresh": doors.stepping.is_fresh(held), "groups": groups,
            "rates_by_hand": by_hand}  # fmt: skip


def _schedules(doors: Doors, length: Length | None) -> list[dict[str, Any]]:
    """Returns each schedule, with the rates that lie ahead where the length of the training is known."""
    among = doors.stepping.schedules
    told = schedules.describe(among)
    is_known = length is not None and any(one.role == "train" for one in doors.course.loaders)
    ahead = [
        doors.hooks.attempt(rates_ahead, one, among, length) if is_known else None for one in among.known
    ]
    return [{**one, "rates_ahead": rates} for one, rates in zip(told, ahead, strict=True)]


def _length(
    loaders: list[dict[str, Any]], epochs: Any, planned: Any, gradients: dict[str, Any], seen: int
) -> Length | None:
    """Returns how long the training is, in steps of the optimizer; None where that is not known."""
    batches = next((one["batches"] for one in loaders if one["role"] == "train"), None)
    calls = gradients["backward_calls_per_step"] or 1
    if planned:
        return Length(1, max(1, planned[0] // calls), calls, seen)
    if not epochs or not batches:
        return None
    return Length(epochs["count"], max(1, batches // calls), calls, seen)


def _loss(peek: Peek, gradients: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the loss; of those computed beside it whether only they would train something.

    Where backward is called several times a step, what the first call leaves out is a later one's.
    """
    if peek.loss is None:
        return None
    without = {one for one, largest in peek.gradients.items() if largest is None}
    is_all = (gradients["backward_calls_per_step"] or 1) == 1
    told = [{**one, "is_missed": bool(one["reaches"] & without)} for one in peek.loss.get("beside", [])]
    beside = [{key: one[key] for key in one if key != "reaches"} for one in told if is_all]
    return {**peek.loss, "beside": beside}


def _epochs(doors: Doors) -> dict[str, Any] | None:
    plans = [one.plan for loader in doors.course.loaders if loader.role == "train" for one in loader.passes]
    found = [plan for plan in plans if plan is not None]
    counts = [count for count, _ in found]
    later = [after for before, after in pairwise(counts) if after != before]  # of further phases
    return {"count": counts[0], "place": found[0][1], "later": later} if found else None
