"""plateau completion: what a shell needs to complete commands, options, files and the arms of a diagnosis."""

from __future__ import annotations

import click

from plateau_cause.commands.command import Command

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_PLATEAU_COMPLETE"  # click's name for it: the shell asks `plateau` itself through this variable

EXAMPLE = """\
eval "$(plateau completion bash)"                                  # in ~/.bashrc
eval "$(plateau completion zsh)"                                   # in ~/.zshrc
plateau completion fish > ~/.config/fish/completions/plateau.fish  # once"""


@click.command(cls=Command, example=EXAMPLE, short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Prints the completion script of SHELL: bash (4.4 or newer), zsh or fish."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None, shell
    script = kind(context.find_root().command, {}, "plateau", VARIABLE)
    click.echo(script.source_template % script.source_vars())  # .source() would run bash to ask its version
