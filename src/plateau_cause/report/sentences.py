"""The report's sentences: headline, notes, what would settle it; each follows from the numbers beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plateau_cause import numbers
from plateau_cause.numbers import percent
from plateau_cause.report.wording import spoken, words

APART = 0.1  # mean over classes that another run must be ahead of one that tells nothing apart
MEASURED = ("knn", "linear_probe", "linear_probe_canonical", "reference")  # levels that a recipe could reach
SAME_GAIN = 0.02  # of accuracy that an effect over all runs and the gain of one may be apart unnoticed
LEAKED = "leaked_test"  # the alarm that makes a test accuracy worth little
Record = Mapping[str, Any]
# What is diagnosed -> what it is judged on; what it becomes; what is counted.
IMAGES = {"recipe": "test images", "script": "held-out images"}
REPAIRED = {"recipe": "recommended recipe", "script": "repaired script"}
ACCURACY = {"recipe": "test accuracy", "script": "held-out accuracy"}


def headline(summary: Record, found: Record) -> str:
    """Returns one sentence that a person can act on.

    Args:
        summary: all of plateau_cause.json but this.
        found: the record of the intervene stage.
    """
    if summary["causes"]:
        return _of_the_cause(summary)
    if summary["verdict"] == "plateau":
        return _without_a_cause(summary, found)
    name, images = subject(summary), IMAGES[subject(summary)]
    reaches = f"the {name} reaches {percent(summary['verified']['before'])} on {images}"
    if summary["verdict"] == "healthy":
        leaked = next((alarm["words"] for alarm in found["alarms"] if alarm["code"] == LEAKED), None)
        end = "." if leaked is None else f"; but {leaked}"
        return f"Nothing to repair was found: {reaches}; {_hidden(summary)}{end}"
    contradicting = [alarm["words"] for alarm in found["alarms"] if not alarm["acquits"]]
    if contradicting:
        return f"Undecided: {reaches}, but: {contradicting[0]}"
    suspect = _suspect(summary, found)
    open_end = f"these runs and {images} do not tell whether there is more"
    return f"Undecided: {reaches}, and {_hidden(summary)}; {suspect or open_end}."


def subject(summary: Record) -> str:
    """Returns what was diagnosed: recipe or script."""
    return str(summary.get("subject", "recipe"))


def is_whole_difference(causes: Sequence[Record], summary: Record) -> bool:
    """Returns whether the script that was verified differs from the user's by one cause, and nothing else."""
    verified, is_script = summary["verified"] or {}, subject(summary) == "script"
    return is_script and len(causes) == 1 and not summary.get("besides") and bool(verified.get("ci"))


def place(cause: Record) -> str:
    """Returns `train.py:41: ` where a cause has a line in the user's file."""
    found = cause.get("location")
    return f"{found['file']}:{found['line']}: " if found else ""


def _of_the_cause(summary: Record) -> str:
    primary, before = summary["causes"][0], percent(summary["verified"]["before"])
    title, gained = f"{place(primary)}{words(primary).title}", numbers.points(primary["effect"])
    name, counted = subject(summary), ACCURACY[subject(summary)]
    if primary.get("alternatives"):
        others = _listed(primary["alternatives"])
        return f"{title}: repairing it gains {gained} of {counted}; so may, in its place: {others}."
    if primary["kind"] == "data" or primary["extrapolated"]:
        return f"{title}: worth {gained} of {counted}; the {name} stands at {before}."
    if _exceeds_the_whole(primary, summary["verified"]):
        lost = gained.removeprefix("+")
        return f"{title}: {_reached(summary)}, and would lose {lost} of {counted} if this alone stayed."
    together = " once the rest is in place (alone it hurts)" if primary["alone_ci"][1] < 0 else ""
    gain = summary["verified"]["after"] - summary["verified"]["before"]
    is_apart = is_whole_difference(summary["causes"], summary) and abs(primary["effect"] - gain) > SAME_GAIN
    runs = " over all runs" if is_apart else ""  # of several seeds; what follows is of one
    return f"{title}: worth {gained} of {counted}{together}{runs}; {_reached(summary)}."


def _exceeds_the_whole(primary: Record, verified: Record) -> bool:
    """Returns whether a cause left alone surely costs more than all repairs together gain.

    Other repairs suit the training in which it is repaired, and hurt the one in which it is not: a rate for
    all layers is too low for a head alone.
    """
    return bool(verified["ci"]) and bool(primary["ci"][0] > verified["ci"][1])


def _without_a_cause(summary: Record, found: Record) -> str:
    """Returns the headline where the recipe stays below the reachable, and no run isolates why."""
    open_ones = [entry["factor"] for entry in summary["undecided"]]
    which = f"; which of its changes does it is not decided ({_listed(open_ones)})" if open_ones else ""
    reached = _reached(summary)
    if tells_apart(found):
        before, after = (percent(run["class_mean"]) for run in _ends(found))
        what = f"The recipe predicts one class for nearly all test images: its mean over classes is {before}"
        return f"{what}; {reached}, and a mean over classes of {after}{which}."
    return f"The {subject(summary)} stays below what was measured as reachable; {reached}{which}."


def _suspect(summary: Record, found: Record) -> str:
    """Returns what is open and likely worth the most, with its line; nothing where that is too little."""
    open_ones = [item for item in found["findings"] if item["standing"] == "undecided"]
    first = max(open_ones, key=lambda item: item["effect"], default=None)
    if first is None or first["effect"] < summary["min_effect"]:
        return ""
    return f"not decided, but first to look at: {place(first)}{words(first).title} ({worth(first)})"


def _reached(summary: Record) -> str:
    before, after = summary["verified"]["before"], summary["verified"]["after"]
    if after <= before:
        return f"no run was recommended that reaches more than the {subject(summary)}'s {percent(before)}"
    besides = _listed(summary.get("besides", ())) if summary["causes"] else ""
    also = f", with {besides} besides," if besides else ""
    return f"the {REPAIRED[subject(summary)]}{also} reaches {percent(after)} instead of {percent(before)}"


def tells_apart(found: Record) -> bool:
    """Returns whether the recipe predicts one class alone and the recommended run tells the classes apart."""
    if not any(alarm["code"] == "one_class" for alarm in found["alarms"]):
        return False
    before, after = _ends(found)
    return bool(after["class_mean"] - before["class_mean"] >= APART)


def _ends(found: Record) -> tuple[Record, Record]:
    runs = {run["name"]: run for run in found["runs"]}
    return runs["recipe"], runs[found["recommended"]["name"]]


def _hidden(summary: Record) -> str:
    """Returns how much may still be hidden: by intervals, by what is open, by levels that were measured."""
    before, verified = summary["verified"]["before"], summary["verified"]
    ends = [known["ci"][1] for known in (summary.get("gap"), verified) if known and known["ci"]]
    if not ends:
        left = 1.0 - before
        few = f"no more than {numbers.points(left).removeprefix('+')} are left to gain"
        return few if left < summary["min_effect"] else "nothing stands out that could be changed"
    ends += [entry["ci"][1] for entry in summary["undecided"]]
    ends += [level - before for name in MEASURED if (level := summary["levels"].get(name)) is not None]
    most = numbers.points(max(0.0, *ends)).removeprefix("+")
    hidden = f"at most {most} may still be hidden"
    if subject(summary) == "script":  # whose faults are as many as there are lines
        hidden += " in what was tried"
    return f"{hidden} with {summary['test_images']} {IMAGES[subject(summary)]}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(spoken(name) for name in names)


def worth(entry: Record) -> str:
    """Returns an effect with its interval, in points."""
    return numbers.points_with_interval(entry["effect"], entry["ci"])
