"""The command `plateau`: the list of commands, and how each of them ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from plateau_cause import runtime
from plateau_cause.commands.check import check
from plateau_cause.commands.compare import compare
from plateau_cause.commands.completion import completion
from plateau_cause.commands.diagnose import diagnose
from plateau_cause.commands.doctor import doctor
from plateau_cause.commands.init import init
from plateau_cause.commands.peek import peek
from plateau_cause.commands.report import report
from plateau_cause.commands.retrain import retrain
from plateau_cause.commands.watch import watch
from plateau_cause.pipeline.entry import guarded

COMMANDS = (init, check, diagnose, peek, watch, report, compare, doctor, retrain, completion)
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class InOrder(click.Group):
    """A group that lists its commands in the order in which they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names as they were declared."""
        return list(self.commands)


@click.group("plateau", InOrder, invoke_without_command=True, context_settings=HELP)
@click.version_option(package_name="plateau-cause", message="%(prog)s %(version)s")
@click.pass_context
def plateau(context: click.Context) -> None:
    """Why does my transfer learning plateau at this value, and what do I change?"""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in COMMANDS:
    plateau.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs `plateau` and ends the process; docs/commands.md says what its exit status means."""
    runtime.set_up_threads()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows "?", and goes on
    with guarded():
        sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    """Returns the exit status; what click finds wrong is one line, like any other error."""
    try:
        given = list(arguments) if arguments is not None else None
        status = plateau.main(given, prog_name="plateau", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "plateau"
        reason = " ".join(error.format_message().split()).rstrip(".")
        print(f"error: {reason} (see `{command} --help`)", file=sys.stderr)
        return 2
    except click.Abort:
        raise KeyboardInterrupt from None
    except BrokenPipeError:  # `plateau report | head`: the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return int(status or 0)
