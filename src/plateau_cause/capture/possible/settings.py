"""What a peek measures for an intervention: sizes, mappings, scales; None where it cannot be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plateau_cause.capture.possible import affine
from plateau_cause.capture.rules.callbacks import waits_wrongly
from plateau_cause.capture.rules.classes import without_case
from plateau_cause.capture.rules.images import apart
from plateau_cause.capture.rules.observation import Peeked

Settings = dict[str, Any]
MORE = 3.0  # times as many images as a run may cost


def none(peeked: Peeked) -> Settings | None:
    """Returns nothing: the intervention needs none."""
    return {}


def turned(peeked: Peeked) -> Settings | None:
    """Returns which metric a callback should wait for to move the other way than its mode says."""
    found = next((one for one in peeked.callbacks if waits_wrongly(one)), None)
    other = {"min": "max", "max": "min"}
    return None if found is None else {"monitor": found["monitor"], "mode": other[found["mode"]]}


def twin(peeked: Peeked) -> Settings | None:
    """Returns that what was loaded into another network of the same layers is meant."""
    return {"twin": True}


def argument(name: str) -> Callable[[Peeked], Settings | None]:
    """Returns what measures nothing and names an argument of the loss."""
    return lambda peeked: {"argument": name}


def parts(peeked: Peeked) -> Settings | None:
    """Returns how many modules the training step calls from outside."""
    return {"parts": peeked.model.get("calls") or len(peeked.model["parts"])}


def unused(peeked: Peeked) -> Settings | None:
    """Returns the line of the optimizer that takes no steps."""
    place = peeked.model["not_held"].get("waits_at")
    return None if place is None else {"line": place["line"]}


def other_beat(peeked: Peeked) -> Settings | None:
    """Returns the beat at which a schedule is not stepped: epoch or batch."""
    every = next((one["stepped_every"] for one in peeked.content["schedules"] if one["stepped_every"]), None)
    return {"every": {"batch": "epoch", "epoch": "batch"}[every]} if every else None


def no_beat(peeked: Peeked) -> Settings | None:
    """Returns that a schedule is never stepped: what fades at its own beat has no better one."""
    return {"every": "never"}


def level(peeked: Peeked) -> Settings | None:
    """Returns the part of the highest rate that every layer is given: what is usual for pretrained ones."""
    return {"least": 0.1}


def loader(peeked: Peeked) -> Settings | None:
    """Returns which loader the training reads, by its number among all that the script built."""
    train = peeked.train_loader
    return None if train is None else {"loader": train.get("number", peeked.content["loaders"].index(train))}


def more_images(peeked: Peeked) -> Settings | None:
    """Returns how many times as many images training can read within its data set; at most `MORE`."""
    train, told = peeked.train_loader, loader(peeked)
    reads = train.get("reads") if train else None
    if not reads or told is None:
        return None
    return {**told, "times": min(MORE, (reads["items"] + reads["unread"]) / reads["items"])}


def unbroken(peeked: Peeked) -> Settings | None:
    """Returns which lines of the script's copy are taken out, so that its loop reads all batches."""
    left = (peeked.train_loader or {}).get("left_after")
    if not left or not left["last"]:
        return None
    return {"drop": {"file": left["place"]["file"], "lines": [left["place"]["line"], left["last"]]}}


def sized(peeked: Peeked) -> Settings | None:
    """Returns the size that training sees."""
    shape = peeked.content["training"]["input"]["shape"]
    return {"channels": shape[1], "size": shape[2:]}


def mapping(peeked: Peeked) -> Settings | None:
    """Returns for each label of an evaluation the number that training gives to the same class."""
    train = peeked.train_loader
    for other in peeked.other_loaders if train else []:
        for key in ("class_to_idx", "by_folder"):
            first, second = (without_case(one["labels"][key]) for one in (train, other))  # type: ignore[index]
            mapping = {str(second[name]): first[name] for name in first if name in second}
            if any(int(given) != meant for given, meant in mapping.items()):
                return {"mapping": mapping}
    return None


def by_folder(peeked: Peeked) -> Settings | None:
    """Returns the label of each folder: that of an evaluation whose labels fit, else the names in order."""
    train = peeked.train_loader
    told = train["labels"].get("off_folders") if train else None
    if told is None:
        return None
    fitting = [one["labels"]["by_folder"] or {} for one in peeked.other_loaders]
    known = next((one for one in fitting if one.keys() >= set(told["names"])), None)
    labels = known or {name: number for number, name in enumerate(told["names"])}
    return {"level": told["level"], "labels": labels}


def as_expected(peeked: Peeked) -> Settings | None:
    """Returns what gives images the normalisation that loaded weights were trained under."""
    wanted, train = peeked.content.get("expected"), peeked.train_loader
    own = affine.normalisation(train) if train else None
    return affine.from_to(own, {**wanted, "channels": "rgb"}) if wanted and own else None


def normalised(peeked: Peeked) -> Settings | None:
    """Returns what makes the images of evaluation look as those of training do.

    Where the loaders give the same, what reaches the model tells: a loop may normalise itself.
    """
    train, others = peeked.train_loader, [one for one in peeked.other_loaders if one["image"]]
    for other in others if train and train["image"] else []:
        if apart(train, other) is None:  # type: ignore[arg-type]
            continue
        wanted, own = affine.normalisation(train), affine.normalisation(other)  # type: ignore[arg-type]
        if wanted and own and not _is_alike(own, wanted):
            return affine.from_to(own, wanted)
        if not (wanted and own):
            return affine.between(other["image"]["tensor"], train["image"]["tensor"])  # type: ignore[index]
    training, evaluation = peeked.content["training"], peeked.content["evaluation"]
    if not evaluation or not training["input"] or not evaluation["input"]:
        return None
    return affine.between(evaluation["input"], training["input"])


def _is_alike(first: affine.Moments, second: affine.Moments) -> bool:
    told = affine.from_to(first, second)
    return (
        not told["flips"]
        and all(abs(one - 1) < 0.05 for one in told["scale"])
        and all(abs(one) < 0.05 for one in told["shift"])
    )
