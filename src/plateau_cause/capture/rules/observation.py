"""An observation: a fact about a script that can hold its accuracy back, with the line that decides it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOTABLE = 0.1  # part of the numbers that are to train that must lack gradients to be worth a word
DECAY_DIRECTLY = ("AdamW", "SGD", "Lion")  # optimizers that take rate times decay from the weights
DECAY_AS_GRADIENT = ("Adam", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad", "Adadelta")
USUAL_DECAY, OTHER_DECAY = {"AdamW": 0.3}, 5e-3  # up to which recipes in use go, by optimizer
MOSTLY = 0.7  # of the change
STEADY = ("SGD", "Adam", "AdamW", "NAdam", "Nadam", "RMSprop", "Adagrad", "Lion")
TRAINING = ("train", "labeled", "labelled", "pretrain")  # in names of loaders
DOMINATES = 0.1  # decay that is more of what Adam and its like are given than a gradient is
SOME_NORMS = 4  # of a network: fewer may look untrained by chance
DECAYED = 0.05  # of the weights in one step: there is soon nothing left that a change could be compared with


@dataclass(frozen=True)
class Observation:
    """A fact, not a cause: whether it costs accuracy is for the diagnosis to measure.

    Attributes:
        code: its stable name, such as `gradients_not_cleared`.
        cause: the cause of the diagnosis that tests it, such as `training_loop`.
        words: one sentence with the lines it speaks of.
        location: `{"file": …, "line": …}`; None where the fact has no line.
        patch: a unified diff against the user's file; None where the decision does not stand in plain sight.
        fit: of a Keras script the fit that it is about, counted from 0 by calls of `compile`.
    """

    code: str
    cause: str
    words: str
    location: dict[str, Any] | None = None
    patch: str | None = None
    fit: int = 0


@dataclass(frozen=True)
class Peeked:
    """A peek and the folder that its files are relative to."""

    content: dict[str, Any]
    folder: Path

    @property
    def model(self) -> dict[str, Any]:
        """Returns the part about the model."""
        found: dict[str, Any] = self.content["model"]
        return found

    @property
    def parts(self) -> list[str]:
        """Returns what the script calls the model's parts, as they are called; none where one has no name."""
        names = [one["name"] for one in self.model.get("parts", [])]
        return names if all(names) else []

    @property
    def is_pretrained(self) -> bool:
        """Returns whether most of the weights of a network were loaded, so far as that was seen."""
        loaded, base = self.model.get("weights") or [], self.model.get("base") or {}
        return bool(base.get("is_hub")) or any(one["matched"] >= 0.5 * one["tensors"] for one in loaded)

    @property
    def change_per_step(self) -> float | None:
        """Returns the change of the weights in one step at the full rate, as a part of their norm.

        Measured at the first steps: under a warm-up their rates are a small part of the one to come. None
        where it is mostly the decay of the weights, which says nothing of the rate.
        """
        change: float | None = self.model["change_per_step"]
        ahead = self.rate_ahead
        if change is not None and self.decay_per_step > min(MOSTLY * change, DECAYED):
            return None
        return change if change is None or ahead is None else change * ahead[1] / ahead[0]

    @property
    def decay_per_step(self) -> float:
        """Returns what decay alone takes from the weights in one step, as a part of their norm."""
        direct = [
            one
            for one in self.content.get("optimizers", [])
            if str(one.get("class")).endswith(DECAY_DIRECTLY)
        ]
        pulls = [group["lr"] * (group.get("weight_decay") or 0.0)
                 for one in direct if strong_decay(one) for group in one["groups"]]  # fmt: skip
        others = [one for one in self.content.get("optimizers", []) if _adds_decay(one)]
        if any(strong_decay(one) >= DOMINATES for one in others):  # every step is one towards zero then
            pulls.append((self.content.get("model") or {}).get("change_per_step") or 0.0)
        return max(pulls, default=0.0)

    @property
    def rate_ahead(self) -> tuple[float, float] | None:
        """Returns the mean rate of the steps that were seen, and the higher one that a warm-up leads to."""
        groups = [group for one in self.content.get("optimizers", [])[:1] for group in one["groups"][:1]]
        rates = groups[0].get("rates") if groups else None
        seen = sum(rates) / len(rates) if rates else 0.0
        planned = (
            max((groups[0].get(name) or 0.0 for name in ("initial_lr", "max_lr")), default=0.0)
            if groups
            else 0.0
        )
        return (seen, planned) if 0 < seen < planned else None

    @property
    def steps(self) -> int | None:
        """Returns how many steps of the optimizer the whole training has; None where that is not known."""
        epochs, train = self.content.get("epochs"), self.train_loader
        calls = (self.content.get("gradients") or {}).get("backward_calls_per_step") or 1
        if planned := self.content.get("steps"):
            return max(1, int(planned["count"]) // calls)
        if not epochs or train is None or not train.get("batches"):
            return None
        return int(epochs["count"] * max(1, train["batches"] // calls))

    @property
    def moved_in_all(self) -> float | None:
        """Returns how far a whole training can move any matrix, as a part of its norm; None: not known.

        As if every step went the same way, with what momentum adds; of optimizers alone whose first steps are
        like all others (RAdam's are not).
        """
        if not all(str(one.get("class")).rpartition(".")[2] in STEADY for one in self.content["optimizers"]):
            return None
        change, steps, seen = self.model.get("largest_change_per_step"), self.steps, self.rate_seen
        if not change or not steps or not seen or self.decay_per_step > min(MOSTLY * change, DECAYED):
            return None
        rates = next((found for one in self.content["schedules"] if (found := one.get("rates_ahead"))), None)
        planned = self.rate_ahead[1] if self.rate_ahead else seen
        average = sum(rates) / len(rates) if rates else planned
        momentum = self.content["optimizers"][0]["groups"][0].get("momentum") or 0.0
        return float(change * steps * average / seen / max(1.0 - momentum, 0.01))

    @property
    def rate_seen(self) -> float:
        """Returns the mean rate of the steps that were seen, of the group where it is highest."""
        groups = [group for one in self.content.get("optimizers", []) for group in one["groups"]]
        rates = [group.get("rates") or [group["lr"]] for group in groups]
        return max((sum(one) / len(one) for one in rates), default=0.0)

    @property
    def keras(self) -> dict[str, Any]:
        """Returns what only a Keras script has; empty for others."""
        found: dict[str, Any] = self.content.get("keras") or {}
        return found

    @property
    def base(self) -> dict[str, Any] | None:
        """Returns the pretrained part of a Keras model."""
        found: dict[str, Any] | None = self.model.get("base")
        return found

    @property
    def random_network(self) -> dict[str, Any] | None:
        """Returns the published network of a model that starts as it was initialised; None: it does not.

        No weights were loaded, and no norm of it scales one channel otherwise than another.
        """
        network = self.model.get("backbone") or self.base
        if self.model["weights"] or self.model.get("weights_elsewhere") or not network:
            return None
        is_level = network.get("norms", 0) >= SOME_NORMS and network["level_norms"] == network["norms"]
        return network if is_level else None

    @property
    def callbacks(self) -> list[dict[str, Any]]:
        """Returns the callbacks of Keras or Lightning: class and place, monitor and mode where they wait."""
        return self.keras.get("callbacks") or self.content.get("callbacks") or []

    @property
    def train_loader(self) -> dict[str, Any] | None:
        """Returns the loader that training reads."""
        return next((one for one in self.content.get("loaders") or () if one["role"] == "train"), None)

    @property
    def other_loaders(self) -> list[dict[str, Any]]:
        """Returns the loaders of evaluation, those that are still to be read among them.

        One that was read and fed to no model had another purpose, such as the mean of all images; one that no
        line reads has none.
        """
        others = [one for one in self.content["loaders"] if one["role"] not in ("train", "unused")]
        return [
            one for one in others if one["role"] != "unread" or not (one.get("loop") or _for_training(one))
        ]


def _adds_decay(optimizer: dict[str, Any]) -> bool:
    """Returns whether an optimizer adds the decay to the gradient, which it divides by its size then."""
    is_apart = any(group.get("decoupled_weight_decay") for group in optimizer["groups"])
    return str(optimizer.get("class")).rpartition(".")[2] in DECAY_AS_GRADIENT and not is_apart


def _for_training(loader: dict[str, Any]) -> bool:
    """Returns whether a loader that was not read is one of training by its name."""
    return any(word in str(loader.get("name") or "").lower() for word in TRAINING)


def strong_decay(optimizer: dict[str, Any]) -> float:
    """Returns the weight decay of an optimizer where it is beyond what recipes use; else 0."""
    most = max((group.get("weight_decay") or 0.0 for group in optimizer["groups"]), default=0.0)
    usual = USUAL_DECAY.get(str(optimizer.get("class")).rpartition(".")[2], OTHER_DECAY)
    return float(most) if most > usual else 0.0


def at(place: dict[str, Any] | None) -> str:
    """Returns `train.py:41`, or nothing."""
    return f"{place['file']}:{place['line']}" if place else ""


def with_places(words: str, *places: dict[str, Any] | None) -> str:
    """Returns a sentence followed by its lines, each said once."""
    said = list(dict.fromkeys(at(place) for place in places if place))
    return f"{words} ({', '.join(said)})" if said else words
