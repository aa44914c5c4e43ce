"""What every command has: a line for the list, what it does, an example."""

from __future__ import annotations

from typing import Any

import click


class Command(click.Command):
    """A command whose help ends with an example; `help` is its docstring."""

    def __init__(self, *arguments: Any, example: str, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the example as it is, unwrapped: it is there to be copied."""
        formatter.write("\nExample:\n" + "".join(f"  {line}\n" for line in self.example.splitlines()))
