"""dvc.yaml names every stage's script, its record, and all the code that it runs."""

import ast
from pathlib import Path

import pytest
import yaml

from plateau_cause import imports

STAGES = tuple(yaml.safe_load((Path(__file__).parents[1] / "dvc.yaml").read_text())["stages"])


class TestPipelineFile:
    @pytest.fixture
    def stages(self, root):
        return yaml.safe_load((root / "dvc.yaml").read_text())["stages"]

    def test_every_stage_has_its_script_and_its_record(self, stages, root):
        for name, stage in stages.items():
            assert f"stages/{name}.py" in stage["deps"]
            if name != "check":
                assert any(
                    out.startswith(f"reports/runs/{name}") for out in stage["outs"] if isinstance(out, str)
                )

    def test_no_stage_depends_on_a_record(self, stages):
        deps = [dep for stage in stages.values() for dep in stage["deps"]]
        assert not [dep for dep in deps if dep.startswith("reports/runs")]

    def test_dvc_looks_at_no_file_of_the_users_own(self, stages):
        for stage in stages.values():
            assert all(dep.startswith(("data/", "reports/", "src/", "stages/")) for dep in stage["deps"])
            assert "params" not in stage  # DVC would stop at a key that is left out

    @pytest.mark.parametrize("name", STAGES)
    def test_every_stage_depends_on_all_the_code_that_it_runs(self, stages, root, name):
        source = root / "src"
        started = [source / f"plateau_cause/pipeline/{module}.py" for module in (name, "entry")]
        code = [path.relative_to(root) for path in imports.closure(started, source) if runs(path)]
        deps = [Path(dep) for dep in stages[name]["deps"]]
        assert [path for path in code if not any(path.is_relative_to(dep) for dep in deps)] == []

    @pytest.mark.parametrize("name", STAGES)
    def test_no_stage_depends_on_code_that_it_does_not_run(self, stages, root, name):
        source = root / "src"
        started = [source / f"plateau_cause/pipeline/{module}.py" for module in (name, "entry")]
        code = [path.relative_to(root) for path in imports.closure(started, source)]
        named = [Path(dep) for dep in stages[name]["deps"] if dep.startswith("src/")]
        assert [dep for dep in named if not any(path.is_relative_to(dep) for path in code)] == []


def runs(path):
    """Returns whether the file holds more than its docstring."""
    return len(ast.parse(path.read_text()).body) > 1
