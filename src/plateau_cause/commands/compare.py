"""plateau compare: two runs side by side, on the same test images."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from plateau_cause.commands.command import Command
from plateau_cause.commands.completion import VARIABLE
from plateau_cause.errors import PlateauError

if TYPE_CHECKING:
    from plateau_cause.commands.comparison import Paired, Side

LONGEST = 44  # characters of a value beside another

EXAMPLE = """\
plateau compare recipe reference
plateau compare reference "reference - frozen_layers"
plateau compare HEAD~1 HEAD"""


def _complete(context: click.Context, option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Returns the arms of the finished diagnosis that begin so; the shell shows them."""
    from plateau_cause.commands import comparison_files
    from plateau_cause.pipeline import project

    try:
        arms = comparison_files.arm_names(project.find(Path()))
    except PlateauError:
        return []
    found = [arm for arm in arms if arm.startswith(begun)]
    if os.environ.get(VARIABLE, "").startswith("bash"):  # which inserts a name as it is, unquoted
        found = [arm.replace(" ", r"\\ ") for arm in found]
    return [CompletionItem(arm) for arm in found]


@click.command(
    cls=Command,
    example=EXAMPLE,
    short_help="Compare two runs: settings, accuracies, and the interval between them.",
)
@click.argument("runs", metavar="RUN RUN", nargs=2, shell_complete=_complete)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(runs: tuple[str, str], as_json: bool) -> None:
    """Shows in what two runs differ, what they reach, and what the difference is worth.

    A RUN is an arm of the finished diagnosis, the id of an MLflow run, or a git revision: the recipe as its
    reports were committed. The change has a 95 % interval, paired image by image, where the predictions of
    both are at hand; a warning says where the two were not judged on the same test images.
    """
    from plateau_cause.commands import comparison, comparison_files
    from plateau_cause.pipeline import project

    root = project.enter(Path())
    first, second = (comparison_files.resolve(root, name) for name in runs)
    differences, change = comparison.differing(first, second), comparison.paired(first, second)
    if as_json:
        click.echo(json.dumps(_plain(first, second, differences, change), indent=2, ensure_ascii=False))
    else:
        _show(first, second, differences, change)


def _plain(first: Side, second: Side, differences: dict[str, Any], change: Paired | str) -> dict[str, Any]:
    known = ("name", "origin", "accuracy")
    sides = [{key: getattr(side, key) for key in known} for side in (first, second)]
    if isinstance(change, str):
        return {"runs": sides, "differences": differences, "paired": None, "why": change}
    effect = change.effect
    found = {"images": change.images, "effect": effect.mean, "ci": [effect.low, effect.high]}
    unlike = {"same": not any(change.unlike), **change.unlike._asdict()}
    return {"runs": sides, "differences": differences, "paired": found, "test_images": unlike}


def _show(first: Side, second: Side, differences: dict[str, Any], change: Paired | str) -> None:
    from plateau_cause import numbers
    from plateau_cause.commands import console
    from plateau_cause.commands.comparison import SPLITS

    rows = [("", "1", "2"), ("run", first.name, second.name), ("which is", first.origin, second.origin)]
    rows += [(name, one or numbers.ABSENT, two or numbers.ABSENT) for name, (one, two) in differences.items()]
    for split in SPLITS:
        one, two = (numbers.percent(side.accuracy.get(split)) for side in (first, second))
        rows.append((f"{split} accuracy", one, two))
    console.show("\n".join(_table(rows)))
    console.show(f"\n{_sentence(change)}")


def _table(rows: list[tuple[str, str, str]]) -> list[str]:
    from plateau_cause.report.text import shortened

    cut = [[shortened(cell, LONGEST) for cell in row] for row in rows]
    name, left = (max(len(row[column]) for row in cut) for column in (0, 1))
    return [f"{row[0]:<{name}}  {row[1]:<{left}}  {row[2]}".rstrip() for row in cut]


def _sentence(change: Paired | str) -> str:
    from plateau_cause import numbers

    if isinstance(change, str):
        return f"No interval: {change}. The accuracies above may be of different images."
    effect = change.effect
    points = numbers.points_with_interval(effect.mean, [effect.low, effect.high])
    decided = "" if effect.decided else "; the interval includes zero: not decided"
    found = f"From 1 to 2, on {change.images} test images: {points}{decided}."
    if not any(change.unlike):
        return found
    return (
        f"Warning: the test images are not the same: {change.unlike}. The accuracies above cannot be "
        f"compared; the change below is on those that both were judged on.\n{found}"
    )
