"""Rows of the table about how a script trains: optimizers, schedules, loss, gradients, modes."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.rules.observation import at

Row = tuple[str, str, str]  # what, value, where
MANY = 6  # groups of an optimizer that have a row each
FORMS = {"never negative": "outputs that are never negative"}
TENTHS = 10  # in which the rates ahead are listed
AGAINST = {"shares": "shares of classes"}


def rows(content: dict[str, Any]) -> list[Row]:
    """Returns the rows about optimizers, schedules, the loss, gradients and modes of a peek."""
    return [
        *_optimizers(content), *_schedules(content), *_loss(content), *_gradients(content), *_modes(content),
    ]  # fmt: skip


def _optimizers(content: dict[str, Any]) -> list[Row]:
    found = []
    for one in content["optimizers"]:
        if len(one["groups"]) > MANY:
            found.append(("optimizer", _summed(one), at(one["place"])))
        for group in one["groups"] if len(one["groups"]) <= MANY else ():
            told = {
                "rate": group["lr"],
                "at most": _later(group),
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
    epochs, steps = content["epochs"], content.get("steps")
    if not epochs:
        return [*found, ("steps", str(steps["count"]), at(steps["place"]))] if steps else found
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
