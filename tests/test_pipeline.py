"""dvc.yaml and params.yaml agree."""

import re

import pytest
import yaml

from plateau_cause.config import params, schema

LEAVES = {key.name: key for key in schema.leaves(params.Params)}


class TestPipelineFile:
    @pytest.fixture
    def stages(self, root):
        return yaml.safe_load((root / "dvc.yaml").read_text())["stages"]

    def test_every_key_is_read_by_some_stage(self, stages):
        named = {
            name for stage in stages.values() for name in stage.get("params", []) if isinstance(name, str)
        }
        unread = [
            key for key in LEAVES if not any(key == name or key.startswith(f"{name}.") for name in named)
        ]
        assert not unread

    def test_every_named_key_exists(self, stages):
        sections = {
            name[:end] for name in LEAVES for end in [*(m.start() for m in re.finditer(r"\.", name)), None]
        }
        named = {
            name for stage in stages.values() for name in stage.get("params", []) if isinstance(name, str)
        }
        assert named <= sections

    def test_every_stage_has_its_script_and_its_record(self, stages, root):
        for name, stage in stages.items():
            assert f"stages/{name}.py" in stage["deps"]
            if name not in ("check", "plan"):
                assert any(
                    out.startswith(f"reports/runs/{name}") for out in stage["outs"] if isinstance(out, str)
                )

    def test_no_stage_depends_on_a_record(self, stages):
        deps = [dep for stage in stages.values() for dep in stage["deps"]]
        assert not [dep for dep in deps if dep.startswith("reports/runs")]
