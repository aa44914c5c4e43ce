"""docs/commands.md, made from the commands themselves.

python -m plateau_cause.commands.document     # prints it
"""

from __future__ import annotations

import inspect

import click

from plateau_cause.commands.command import Command
from plateau_cause.commands.main import plateau

HEAD = """# Commands

Made from the commands themselves; `plateau COMMAND --help` says the same. Exit status: 0 done; 1 a check or
the pipeline failed; 2 something that you can mend, a line for each mistake; 130 interrupted. `dvc repro`
ends with 255 whenever a stage failed: the lines of the stage, `error: ...`, stand above DVC's.
"""


def markdown() -> str:
    """Returns the page: per command its usage, what it does, its options, an example."""
    parts = [_section(name, command) for name, command in plateau.commands.items()]
    return "\n".join([HEAD, *parts])


def _section(name: str, command: click.Command) -> str:
    assert isinstance(command, Command)
    context = click.Context(command, info_name=f"plateau {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    options = [
        option.get_help_record(context) for option in command.params if isinstance(option, click.Option)
    ]
    rows = "".join(
        "| `{}` | {} |\n".format(*(cell.replace("|", "\\|") for cell in row)) for row in options if row
    )
    table = f"| option | |\n|---|---|\n{rows}\n" if rows else ""
    text = inspect.cleandoc(command.help or "")
    return (
        f"## plateau {name}\n\n    plateau {name} {usage}\n\n{text}\n\n{table}```sh\n{command.example}\n```\n"
    )


if __name__ == "__main__":
    print(markdown(), end="")
