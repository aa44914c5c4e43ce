"""`plateau` itself: it answers at once, and every mistake is one line and exit status 2."""

import os
import resource
import subprocess
import sys

import pytest

from plateau_cause.commands.main import COMMANDS, plateau

NAMES = [command.name for command in COMMANDS]
HEAVY = {"numpy", "pandas", "torch", "mlflow", "dvc", "timm", "umap", "matplotlib", "yaml", "sklearn", "PIL"}


def test_lists_every_command_in_the_order_in_which_they_are_needed(call):
    ended = call("--help")
    assert ended.status == 0
    listed = [
        line.split()[0] for line in ended.out.partition("Commands:")[2].splitlines() if line[2:3].isalpha()
    ]
    assert listed == NAMES


def test_without_a_command_it_says_what_there_is(call):
    assert call() == call("--help")


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_command_ends_with_an_example_that_names_it(call, name):
    ended = call(name, "--help")
    assert ended.status == 0
    before, _, example = ended.out.partition("\nExample:\n")
    assert "--help" in before
    assert f"plateau {name}" in example


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reprt"], "'report'"),
        (["report", "--formt", "md"], "'--format'"),
        (["report", "--format", "pdf"], "'text', 'md', 'json', 'html'"),
        (["diagnose"], "PARAMS"),
        (["compare", "recipe"], "takes 2"),
        (["completion", "tcsh"], "'bash', 'zsh', 'fish'"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_allowed(call, arguments, said):
    ended = call(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert said in ended.err
    assert "--help`" in ended.err


def test_nothing_heavy_is_imported_before_a_command_runs():
    code = f"import sys, plateau_cause.commands.main; print({HEAVY} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_help_is_there_in_less_than_0_3_seconds():
    """Of CPU time, the best of three: what else the machine does is not to decide."""

    def seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "plateau_cause", "--help"], check=True, stdout=subprocess.DEVNULL
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.3


def test_a_reader_that_has_enough_is_no_error(finished):
    command = f"{sys.executable} -m plateau_cause report --format json | head -n 1"
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=finished, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "{\n", "")


def test_a_terminal_that_lacks_signs_gets_others(finished):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "plateau_cause", "report"]
    ended = subprocess.run(command, cwd=finished, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0
    assert ended.stdout.isascii()
    assert "####" in ended.stdout


def test_says_its_version(call):
    ended = call("--version")
    assert ended.status == 0
    assert ended.out.split()[0] == plateau.name
