"""What a transcription leaves out of a script, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plateau_cause.capture.child import facts
from plateau_cause.capture.child.course import Loader

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors
    from plateau_cause.capture.child.peek import Peek


def left_out(doors: Doors, peek: Peek, others: list[Loader]) -> list[str]:
    """Returns one line for each; an empty list where nothing is left out."""
    stepping = doors.stepping
    found = []
    if len(others) == 1:
        found.append(f"{others[0].name or 'the evaluation set'} is divided: one half chooses, one judges")
    if stepping.clips:
        found.append("gradient clipping is left out")
    if peek.training[0].facts["autocast"]:
        found.append("autocast is left out")
    if any(facts.unwrapped(one.module)[0] is not facts.unwrapped(peek.training[0].module)[0]
           for one in peek.evaluation if len(peek.training) == 1):  # fmt: skip
        found.append("the average of the weights is left out: the trained model is judged")
    mixing = next((one.loader.collate_fn for one in doors.course.loaders if one.role == "train"), None)
    if not str(getattr(mixing, "__module__", "torch.")).startswith("torch."):
        found.append("the collate function is left out")
    known = ("OneCycleLR", "CosineAnnealingLR")
    unknown = [type(one.scheduler).__name__ for one in stepping.schedules]
    found += [f"{name} is left out: the rate stays as it begins" for name in unknown if name not in known]
    if any(one.by_hand for one in stepping.held):
        found.append("the rate written by hand is left out after the first step")
    return found
