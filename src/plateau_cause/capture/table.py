"""What your script really does, as a plain table."""

from __future__ import annotations

import textwrap
from typing import Any

from plateau_cause.capture import table_data, table_keras
from plateau_cause.capture.observation import Observation, at

Row = tuple[str, str, str]  # what, value, where
MANY = 6  # groups of an optimizer that have a row each
STANDING = {
    "frozen": "frozen",
    "unfrozen_later": "unfrozen later",
    "not_held": "not in the optimizer",
    "without_gradient": "without gradient",
}
FORMS = {"never negative": "outputs that are never negative"}
TENTHS = 10  # in which the rates ahead are listed
AGAINST = {"shares": "shares of classes"}


def rows(content: dict[str, Any]) -> list[Row]:
    """Returns the table of a peek: what, its value, file:line."""
    makers = (
        _model,
        table_keras.rows,
        _optimizers,
        _schedules,
        _loss,
        _gradients,
        _modes,
        table_data.rows,
        _rest,
    )
    return [row for maker in makers for row in maker(content)]


def render(content: dict[str, Any], observations: list[Observation], width: int = 100) -> str:
    """Returns the table and the observations as text."""
    found = rows(content)
    first, last = max(len(row[0]) for row in found), max(len(row[2]) for row in found)
    middle = max(width - first - last - 4, 24)
    lines = [line for row in found for line in _lines(row, first, middle)]
    said = [f"  {number}. {one.words}" for number, one in enumerate(observations, 1)]
    note = [f"seen so far: {_missing(content)}"] if content["seen"]["is_so_far"] else []
    head = f"What {content['script']['given']} really does"
    tail = ["What stands out (facts; `plateau diagnose` measures what they cost)", *said] if said else [
        "Nothing stands out."]  # fmt: skip
    patches = [
        f"A change for {number}:\n\n{one.patch}" for number, one in enumerate(observations, 1) if one.patch
    ]
    return "\n".join([head, "", *lines, *note, "", *tail, *(["", *patches] if patches else [])])


def _lines(row: Row, first: int, middle: int) -> list[str]:
    """Returns a row as lines; a long value goes on below itself."""
    what, value, where = row
    parts = textwrap.wrap(value, middle) or [""]
    heads = [what, *[""] * (len(parts) - 1)]
    tails = [where, *[""] * (len(parts) - 1)]
    cells = zip(heads, parts, tails, strict=True)
    return [f"{head:<{first}}  {part:<{middle}}  {tail}".rstrip() for head, part, tail in cells]


def _missing(content: dict[str, Any]) -> str:
    """Returns what has been seen, and what the script raised then: perhaps for having been cut short."""
    steps, error = content["seen"]["steps"], content["script"].get("error_when_cut")
    found = f"{steps} steps" if content["evaluation"] else f"{steps} steps, no evaluation yet"
    if error is None:
        return found
    where = f" at {at(error['place'])}" if error["place"] else ""
    return f"{found}; then the script raised {error['class']}{where}: {error['message']}"


def _model(content: dict[str, Any]) -> list[Row]:
    model = content["model"]
    found = [("model", " in ".join([part["class"], *part["within"]]), at(part["place"]))
             for part in model["parts"]]  # fmt: skip
    backbone = model.get("backbone")
    if backbone:
        found.append(("backbone", f"{backbone['name']} of {backbone['library']}", ""))
    if model["head"]:
        outputs = f"{model['head']['outputs']} output{'s' * (model['head']['outputs'] != 1)}"
        found.append(("head", f"{model['head']['name']}: {outputs}", at(model["head"]["place"])))
    for loaded in model["weights"]:
        found.append(
            ("weights", f"{loaded['matched']} of {loaded['tensors']} tensors loaded", at(loaded["place"]))
        )
    if not model["weights"]:
        found.append(("weights", "none loaded that were seen", ""))
    found.append(("trains", _part(model, "trains"), ""))
    for key, words in STANDING.items():
        if model[key]["parameters"]:
            later = model[key].get("changes_at")
            until = f", until {at(later)} perhaps" if later else ""
            found.append((words, _part(model, key) + until, at(model[key].get("place"))))
    if content.get("computed_at"):
        found.append(("features computed", "once, before training", at(content["computed_at"])))
    if content["average"]:
        average = content["average"]
        also = "evaluates also" if average.get("is_beside") else "evaluates instead"
        copied = ", a copy of what is trained: an average of its weights perhaps"
        said = average["class"] + (copied if average.get("is_copy") else "")
        found.append((also, said, at(average["place"] or average.get("called_at"))))
    return found


def _part(model: dict[str, Any], key: str) -> str:
    part = model[key]
    return f"{part['layers'] or 'nothing'}: {part['numbers'] / max(model['numbers'], 1):.1%} of the numbers"


def _optimizers(content: dict[str, Any]) -> list[Row]:
    found = []
    for one in content["optimizers"]:
        if len(one["groups"]) > MANY:
            found.append(("optimizer", _summed(one), at(one["place"])))
        for group in one["groups"] if len(one["groups"]) <= MANY else ():
            told = {
                "rate": group["lr"],
                "later": _later(group),
                "decay": group.get("weight_decay"),
                "momentum": group.get("momentum"),
            }
            settings = ", ".join(
                f"{name} {value:g}" for name, value in told.items() if value or name == "rate"
            )
            kind = " within ".join([one["class"], *one.get("within", ())])
            found.append(("optimizer", f"{kind}, {settings}: {group['holds']}", at(one["place"])))
        found += [("rate by hand", f"{written['rate']:g}", at(written["place"]))
                  for written in one["rates_by_hand"][-1:]]  # fmt: skip
    if content["model"]["change_per_step"] is not None:
        change = f"{content['model']['change_per_step']:.2g} of their norm"
        found.append(("weights move per step", change, ""))
    return found


def _summed(optimizer: dict[str, Any]) -> str:
    """Returns an optimizer of many groups in one line: the range of their rates, from the lowest."""
    groups = sorted(optimizer["groups"], key=lambda one: _later(one) or one["lr"])
    ends = [f"{_later(one) or one['lr']:g} ({one['holds']})" for one in (groups[0], groups[-1])]
    return f"{optimizer['class']}, {len(groups)} groups, rates from {ends[0]} to {ends[1]}"


def _later(group: dict[str, Any]) -> float | None:
    """Returns the rate that a schedule or a warmup leads to, where the first step's is below it."""
    ahead = [group.get(name) or 0.0 for name in ("initial_lr", "max_lr", "lr")]
    most = max(*ahead, *group.get("rates", []))
    return most if most > 1.001 * group["lr"] else None


def _schedules(content: dict[str, Any]) -> list[Row]:
    found = []
    for one in content["schedules"]:
        unknown = "" if one["step"] else ", not stepped so far"
        every = f", stepped every {one['stepped_every']}" if one["stepped_every"] else unknown
        every = f", a part of {one['part_of']}" if one.get("part_of") else every
        given = {name: value for name, value in one["options"].items() if value is not None}
        options = ", ".join(f"{name} {_listed(value)}" for name, value in given.items())
        found.append(("schedule", f"{one['class']}({options}){every}", at(one["place"])))
    found += [("rates ahead", _over_time(one["rates_ahead"]), "") for one in content["schedules"][:1]
              if len(one.get("rates_ahead") or ()) > TENTHS]  # fmt: skip
    epochs = content["epochs"]
    if not epochs:
        return found
    counts = ", then ".join(map(str, [epochs["count"], *epochs.get("later", [])]))
    return [*found, ("epochs", counts, at(epochs["place"]))]


def _over_time(rates: list[float]) -> str:
    """Returns rates of a training's beginning, middle and end; the highest too where it is none of these."""
    named = [(0, "at first"), (TENTHS // 2, "half way"), (TENTHS, "at the end")]
    peak = max(range(len(rates)), key=rates.__getitem__)
    if rates[peak] > 1.001 * max(rates[place] for place, _ in named):
        named = sorted([*named, (peak, f"at {peak / TENTHS:.0%}")])
    return ", ".join(f"{rates[place]:.3g} {words}" for place, words in named)


def _listed(value: Any) -> str:
    """Returns a value as it is read: rows without brackets, numbers without noise."""
    if isinstance(value, list):
        return " ".join(map(_listed, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _loss(content: dict[str, Any]) -> list[Row]:
    loss = content["loss"]
    if not loss:
        return []
    given = {name: value for name, value in loss["options"].items() if value not in (None, 0.0, -100, "mean")}
    options = "".join(f", {name} {_listed(value)}" for name, value in given.items())
    on = f" on {FORMS.get(loss['on'], loss['on'])}" if loss["on"] else ""
    kind = (loss.get("target") or {}).get("kind", "classes")
    against = "" if kind == "classes" else f", against {AGAINST.get(kind, kind)}"
    told = f"{loss['function']}{on}{against}{options}"
    found = [("loss", told, at(loss["built"] or loss["place"]))]
    found += [("loss, added to it", one["function"], at(one["place"])) for one in loss.get("with", [])]
    found += [("loss, beside it", one["function"], at(one["place"])) for one in loss.get("beside", [])]
    if loss.get("after"):
        found.append(("before the loss", loss["after"]["function"], at(loss["after"]["place"])))
    return found


def _gradients(content: dict[str, Any]) -> list[Row]:
    gradients = content["gradients"]
    is_keras = content.get("framework") == "keras"  # which always clears them
    cleared = {True: "yes", False: "never", None: "not seen"}[gradients["are_cleared"]]
    found = [] if is_keras else [("gradients cleared", cleared, at(gradients["cleared_at"]))]
    if (gradients["backward_calls_per_step"] or 1) > 1:
        batches = f"{gradients['backward_calls_per_step']} backward calls per step"
        found.append(("accumulation", batches, at(gradients["backward"])))
    if gradients["clipping"]:
        clipping = gradients["clipping"]
        norm = f", the norm was {clipping['norm']:.3g}" if clipping["norm"] is not None else ""
        found.append(
            ("clipping", f"{clipping['function']} {clipping['limit']:g}{norm}", at(clipping["place"]))
        )
    if gradients["scaler"]:
        state = "on" if gradients["scaler"]["enabled"] else "off"
        found.append(("gradient scaler", state, at(gradients["scaler"]["place"])))
    return found


def _modes(content: dict[str, Any]) -> list[Row]:
    found = []
    for key in ("training", "evaluation"):
        call = content[key]
        if call is None:
            continue
        modes = call["modes"]
        counted = [f"{modes[name]['training']} of {modes[name]['count']} {words} act as in training"
                   for name, words in (("batch_norm", "batch norms"), ("dropout", _dropouts(content)))
                   if modes[name]["count"]]  # fmt: skip
        mode = "training mode" if modes["training"] else "evaluation mode"
        found.append((f"{key} in", "; ".join([mode, *counted]), at(call["set_at"])))
        if call["autocast"]:
            found.append((f"{key} computes in", call["autocast"], at(call["place"])))
    return found


def _dropouts(content: dict[str, Any]) -> str:
    most = (content["model"].get("dropout") or {}).get("p")
    return f"dropouts ({most:g} at most)" if most else "dropouts"


def _rest(content: dict[str, Any]) -> list[Row]:
    seeds = content["seeds"].items()
    found = [(f"seed of {name}", str(seed["value"]), at(seed["place"])) for name, seed in seeds]
    return [*found, *(("not seen", problem, "") for problem in content["problems"])]
