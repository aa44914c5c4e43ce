"""What a shell is told: asked as bash, zsh and fish ask, and once through a real bash."""

import os
import subprocess
import sys

import pytest

QUOTED = r"reference\ -\ layers"


def complete(shell, words, index, folder):
    """Returns the values that a shell is offered."""
    environment = {
        **os.environ,
        "_PLATEAU_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": index,
    }
    command = [sys.executable, "-m", "plateau_cause"]
    said = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout
    if shell == "zsh":
        return said.splitlines()[1::3]
    return [line.partition(",")[2].partition("\t")[0] for line in said.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_complete(shell, tmp_path):
    begun = {"fish": "re"}.get(shell, "1")
    assert "report" in complete(shell, "plateau re", begun, tmp_path)
    assert "doctor" not in complete(shell, "plateau re", begun, tmp_path)


def test_formats_complete(tmp_path):
    assert complete("bash", "plateau report --format h", "3", tmp_path) == ["html"]


def test_the_arms_of_the_finished_diagnosis_complete(finished):
    assert complete("bash", "plateau compare recipe re", "3", finished) == ["recipe", "reference"]


def test_where_nothing_is_finished_no_arm_completes(tmp_path):
    assert complete("zsh", "plateau compare re", "2", tmp_path) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_the_command(call, shell):
    ended = call("completion", shell)
    assert ended.status == 0
    assert f"_PLATEAU_COMPLETE={shell}_complete" in ended.out


def test_a_real_bash_completes_a_name_with_spaces(executable, finished):
    import json

    arms = finished / "data/interventions/arms.json"
    arms.write_text(json.dumps({**json.loads(arms.read_text()), "reference - layers": {}}))
    script = f"""
        export PATH={executable}:$PATH
        eval "$(plateau completion bash)"
        complete -p plateau
        COMP_WORDS=(plateau compare 'reference\\ -') COMP_CWORD=2
        _plateau_completion plateau
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ended = subprocess.run(["bash", "-c", script], cwd=finished, capture_output=True, text=True)
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["complete -o nosort -F _plateau_completion plateau", QUOTED]
