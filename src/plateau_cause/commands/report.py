"""plateau report: the finished summary of a project."""

from __future__ import annotations

from pathlib import Path

import click

from plateau_cause.commands.command import Command
from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import paths

FORMATS = ("text", "md", "json", "html")

EXAMPLE = """\
plateau report
plateau report --format md >> "$GITHUB_STEP_SUMMARY"
plateau report --open --project slow_start.plateau"""


@click.command(
    cls=Command, example=EXAMPLE, short_help="Print what the finished diagnosis of this project found."
)
@click.option(
    "--format", "kind", type=click.Choice(FORMATS), default="text", show_default=True, help="What to print."
)
@click.option("--open", "wanted", is_flag=True, help="Open the page in the browser instead of printing.")
@click.option(
    "--project", "where", metavar="DIR", default=".", type=click.Path(file_okay=False, path_type=Path),
    help="A folder in the project. Default: the current one.",
)  # fmt: skip
def report(kind: str, wanted: bool, where: Path) -> None:
    """Prints the summary of the last finished diagnosis; text shows the waterfall in the terminal.

    A warning on standard error says where params.yaml has changed since.
    """
    from plateau_cause.commands import console, staleness
    from plateau_cause.pipeline import project

    root = project.find(where)
    if remark := staleness.remark(root):
        click.echo(f"warning: {console.safe(remark)}", err=True)
    if wanted:
        _open(_existing(root, "html"))
    elif kind == "text":
        _print_text(root)
    else:
        click.echo(_existing(root, kind).read_text(encoding="utf-8").rstrip("\n"))


def _existing(root: Path, kind: str) -> Path:
    """Returns the report's file; the JSON is in git, the others in DVC's cache."""
    path = root / paths.SUMMARY.with_suffix(f".{kind}")
    if path.is_file():
        return path
    if (root / paths.SUMMARY).is_file():
        raise PlateauError(
            f"{path}: not here; `dvc pull` or `dvc repro` brings it (--format text needs neither)"
        )
    raise PlateauError(f"{root}: no finished diagnosis; `plateau diagnose {root / 'params.yaml'}` makes one")


def _print_text(root: Path) -> None:
    from plateau_cause import artifacts
    from plateau_cause.commands import console
    from plateau_cause.report import text

    summary = artifacts.read_json(_existing(root, "json"))
    console.show(text.render(summary, console.width(), console.is_plain()))


def _open(page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        raise PlateauError(f"no browser could be started; open {page} yourself")
    click.echo(f"{page}: opened in the browser")
