"""Runs the jobs of a GitHub workflow or of .gitlab-ci.yml on this machine, step by step, as written.

What the platforms do around the steps is done here: a fresh clone, artifacts, outputs, secrets. An action
that is not known is an error, so that no step is passed over in silence.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def environment_in(folder: Path) -> None:
    """Gives a clone the environment of these tests, as `make setup` would have installed it."""
    (folder / ".venv").mkdir()
    for entry in Path(sys.prefix).iterdir():
        (folder / ".venv" / entry.name).symlink_to(entry)
    stamp = folder / ".venv/.installed"
    stamp.unlink(missing_ok=True)
    stamp.touch()


def clone(repository: Path, folder: Path, can_push: bool) -> None:
    """Checks the default branch out, with or without the right to push."""
    subprocess.run(["git", "clone", "-q", repository, folder], check=True)
    if not can_push:
        subprocess.run(
            ["git", "remote", "set-url", "--push", "origin", "/no/right/to/push"], cwd=folder, check=True
        )
    environment_in(folder)


def shell(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a script as both platforms do: bash, which stops at the first failure."""
    # `make test` marks its children: their make would print as a nested one, and obey its flags.
    outer = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script], cwd=folder, env={**outer, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip


@dataclass
class Platform:
    """What both have in common.

    Attributes:
        repository: the bare repository that jobs clone.
        folder: for clones and artifacts.
        settings: secrets and variables, by name.
        log: everything that the steps printed.
    """

    repository: Path
    folder: Path
    settings: dict[str, str]
    log: str = ""

    def keep(self, source: Path, paths: list[str]) -> None:
        """Keeps files and folders of a clone as artifacts."""
        for path in (found for pattern in paths for found in source.glob(pattern)):
            target = self.folder / "artifacts" / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            else:
                shutil.copy(path, target)

    def bring(self, target: Path) -> None:
        """Brings the artifacts into a clone."""
        shutil.copytree(self.folder / "artifacts", target, dirs_exist_ok=True)

    def run(self, script: str, folder: Path, environment: dict[str, str]) -> int:
        """Runs a script and returns its exit status."""
        done = shell(script, folder, environment)
        self.log += f"$ {script}\n{done.stdout}\n"
        return done.returncode


@dataclass
class GitHub(Platform):
    """A workflow whose jobs run one at a time."""

    workflow: dict[str, Any] = field(default_factory=dict)
    needs: dict[str, Any] = field(default_factory=dict)

    def job(self, name: str) -> bool:
        """Runs a job; returns False where its condition does not hold.

        Raises:
            AssertionError: a step failed.
        """
        job = self.workflow["jobs"][name]
        context: dict[str, Any] = {
            "secrets": self.settings, "vars": self.settings, "inputs": {}, "needs": self.needs,
            "github": {"token": "a-token"}, "steps": {},
        }  # fmt: skip
        if not self._holds(job.get("if"), context):
            return False
        folder = self.folder / name
        given = {key: self._fill(value, context) for key, value in job.get("env", {}).items()}
        for number, step in enumerate(job["steps"]):
            if self._holds(step.get("if"), context):
                outputs = self._step(step, folder, given, context, number)
                context["steps"][step.get("id", str(number))] = {"outputs": outputs}
        outputs = {key: self._fill(value, context) for key, value in job.get("outputs", {}).items()}
        self.needs[name] = {"outputs": outputs}
        return True

    def _step(
        self, step: dict[str, Any], folder: Path, given: dict[str, str], context: dict[str, Any], number: int
    ) -> dict[str, str]:
        if "uses" in step:
            self._action(step["uses"].partition("@")[0], step.get("with", {}), folder)
            return {}
        written = self.folder / f"{folder.name}-{number}.outputs"
        written.touch()
        own = {key: self._fill(value, context) for key, value in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(written), "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md")}
        status = self.run(self._fill(step["run"], context), folder, {**given, **own, **files})
        assert status == 0, f"{step} ended with {status}:\n{self.log[-4000:]}"
        return dict(line.split("=", 1) for line in written.read_text().splitlines())

    def _action(self, name: str, given: dict[str, Any], folder: Path) -> None:
        if name == "actions/checkout":
            clone(self.repository, folder, can_push=given["persist-credentials"])
        elif name == "actions/upload-artifact":
            self.keep(folder, given["path"].split())
        elif name == "actions/download-artifact":
            self.bring(folder)
        else:
            raise AssertionError(f"{name}: what does it do?")

    def _fill(self, text: Any, context: dict[str, Any]) -> str:
        return EXPRESSION.sub(lambda found: str(self._value(found[1], context)), str(text))

    def _holds(self, condition: str | None, context: dict[str, Any]) -> bool:
        if condition is None:
            return True
        left, operator, right = re.fullmatch(r"(\S+) (==|!=) (\S+)", condition).groups()
        return (self._value(left, context) == self._value(right, context)) == (operator == "==")

    def _value(self, expression: str, context: dict[str, Any]) -> Any:
        """Returns the first alternative that is not empty."""
        for part in expression.split(" || "):
            value: Any = context
            if part.startswith("'"):
                value = part.strip("'")
            else:
                for key in part.split("."):
                    value = value.get(key, "") if isinstance(value, dict) else ""
            if value:
                return value
        return ""


@dataclass
class GitLab(Platform):
    """The jobs of .gitlab-ci.yml."""

    pipeline: dict[str, Any] = field(default_factory=dict)

    def job(self, name: str) -> int:
        """Runs a job and returns its exit status; its artifacts are kept where it succeeds."""
        job = self._complete(name)
        folder = self.folder / name
        clone(self.repository, folder, can_push=True)
        if job.get("needs"):
            self.bring(folder)
        given = dict(self.settings)
        for key, value in job.get("variables", {}).items():
            given[key] = re.sub(r"\$(\w+)", lambda found: given.get(found[1], ""), str(value))
        status = self.run("\n".join(job["script"]), folder, given)
        if status == 0:
            self.keep(folder, job.get("artifacts", {}).get("paths", []))
        return status

    def _complete(self, name: str) -> dict[str, Any]:
        job = self.pipeline[name]
        return {**(self._complete(job["extends"]) if "extends" in job else {}), **job}


def load(path: Path) -> dict[str, Any]:
    """Returns a YAML file."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
