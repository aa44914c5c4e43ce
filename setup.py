"""Puts the pipeline (dvc.yaml, stages) beside the code in the wheel; the rest is in pyproject.toml."""

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "src"))
from plateau_cause.pipeline.project import FILES, FOLDERS, TEMPLATE  # noqa: E402  # needs the standard library only


class BuildWithPipeline(build_py):
    """Copies what an installed plateau starts projects from; an editable install finds it in the clone."""

    def run(self) -> None:
        """Builds as usual, then copies."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "plateau_cause" / TEMPLATE
        shutil.rmtree(target, ignore_errors=True)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in FILES:
            shutil.copy(ROOT / name, target / name)


setup(cmdclass={"build_py": BuildWithPipeline})
