"""What a reader must know to read the numbers rightly, and what would decide what is open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plateau_cause import numbers
from plateau_cause.numbers import percent
from plateau_cause.report.sentences import IMAGES, subject, worth
from plateau_cause.report.wording import spoken

Record = Mapping[str, Any]
FEW_IMAGES = 100  # test images below which the smallest effect that can be seen is said
ARMS = ("recipe", "reference")


def _chance(summary: Record) -> float:
    """Returns two standard errors of the test accuracy: what another choice of images may make of it."""
    p, images = summary["verified"]["before"], max(1, summary["test_images"])
    return 2.0 * math.sqrt(p * (1.0 - p) / images)


def in_file(found: Record) -> list[str]:
    """Returns what the recommended recipe asks to be changed in the user's file: params.yaml cannot."""
    said = []
    if left_out := found["recommended"].get("left_out"):
        functions = " and ".join(f"{name}()" for name in left_out)
        said.append(f"The recommended recipe runs your file without its {functions}: leave that out of it.")
    changes: dict[str, list[str]] = {}
    for one in found["recommended"].get("in_file", ()):
        value = f"{one['value']:g}" if isinstance(one["value"], float) else one["value"]
        changes.setdefault(one["function"], []).append(f"{one['what']}: {'null' if value is None else value}")
    said += [
        f"The recommended recipe changes what {name}() in your file decides ({', '.join(values)}): change it "
        "there; params.yaml has no effect on it."
        for name, values in changes.items()
    ]
    return said


def notes(summary: Record, found: Record, target: float | None) -> list[str]:
    """Returns what a reader must know to read the numbers rightly, the gravest first."""
    said = [*summary["alarms"], *_diverged(found), *_scale(summary), *_target(summary, target)]
    said += _few_images(summary)
    if (seeds := found.get("seeds", 1)) > 1:
        said.append(
            f"Accuracies of the recipe and of the recommended recipe are means over {seeds} seeds; "
            "those of single runs are of the first."
        )
    said += in_file(found)
    trained, tested = summary["plateau"]["train_accuracy"], summary["verified"]["before"]
    if summary["verdict"] == "healthy" and trained is not None and tested - trained > _chance(summary):
        said.append(
            "Training accuracy is the lower one: augmentation, regularisation or noisy labels, not a fault."
        )
    open_ones = [f"{spoken(entry['factor'])} ({worth(entry)})" for entry in summary["undecided"]]
    if open_ones:
        said.append(f"Neither shown to matter nor to be harmless: {', '.join(open_ones)}.")
    return said


def _diverged(found: Record) -> list[str]:
    """Returns which runs stopped because their loss was no number any more, and where."""
    return [
        f"The loss of {'the ' if run['name'] in ARMS else ''}{run['name']} is no number (NaN or infinite) "
        f"from step {run['diverged_step']} on, in epoch {run['epochs']}: training stopped there."
        for run in found["runs"]
        if run.get("diverged_step") is not None
    ]


def _scale(summary: Record) -> list[str]:
    """Returns what the swaps of a large data set were trained on, and whether all images bear them out."""
    scale = summary.get("scale")
    if scale is None:
        return []
    swaps = f"The swaps were trained on {scale['images']:,} of {scale['of']:,} training images"
    not_asked = ["Whether more images would help cannot be told from a part of them, and was not asked."]
    not_asked = not_asked if subject(summary) == "recipe" else []
    if scale["confirmed"] is None:
        paid = "training what they recommend on all would cost more than diagnosis.max_cost allows"
        return [f"{swaps}; {paid}.", *not_asked]
    if scale["confirmed"]:
        shown = "what they recommend was trained on all of them, which bears them out"
        shares = "; effects are the swaps', in proportion to what that gained" if summary["causes"] else ""
        return [f"{swaps}; {shown}{shares}.", *not_asked]
    said = {"plateau": "a plateau", "healthy": "nothing to repair", "inconclusive": "no decision"}
    other = "with what they recommend trained on all of them, the verdict is another: no cause is stated"
    return [f"{swaps} and show {said[scale['verdict']]}; {other}.", *not_asked]


def _target(summary: Record, target: float | None) -> list[str]:
    """Returns whether the accuracy that the user needs is reached, and by what."""
    if target is None:
        return []
    before, after = summary["verified"]["before"], summary["verified"]["after"]
    said = f"The target of {percent(target)} (diagnosis.target_accuracy) is "
    if before >= target:
        return [f"{said}reached by the recipe as it stands."]
    if after >= target:
        return [f"{said}reached by the recommended recipe, not by the recipe as it stands."]
    missing = numbers.points(target - after).removeprefix("+")
    return [f"{said}missed by the recommended recipe by {missing}."]


def _few_images(summary: Record) -> list[str]:
    """Returns how small an effect can be seen, where test images are few."""
    if summary["test_images"] >= FEW_IMAGES or "gap" not in summary:
        return []
    low, high = summary["gap"]["ci"]
    seen = numbers.points((high - low) / 2).removeprefix("+")
    images = IMAGES[subject(summary)]
    return [f"{summary['test_images']} {images}: an effect below about {seen} cannot be seen."]


def would_settle(summary: Record) -> list[str]:
    """Returns what would decide what is open; nothing where nothing is."""
    if "gap" not in summary or (not summary["undecided"] and summary["verdict"] != "inconclusive"):
        return []
    gap = numbers.points_with_interval(summary["gap"]["effect"], summary["gap"]["ci"])
    return [
        f"The gap to the reference is {gap}: more test images, or further seeds "
        "(diagnosis.seeds: [0, 1, 2]), narrow every interval.",
        "A larger budget (diagnosis.max_cost) pays for more runs.",
    ]
