"""Stage check in a process of its own."""

import subprocess
import sys

import yaml


def write(folder, content):
    (folder / "params.yaml").write_text(yaml.safe_dump(content) if content else "", encoding="utf-8")


class TestCheckStage:
    """The real stage, in a process of its own."""

    def run(self, root, folder):
        command = [sys.executable, str(root / "stages/check.py")]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)

    def test_a_wrong_key(self, root, tmp_path):
        write(tmp_path, {"recipe": {"optimizer": {"lerning_rate": 0.1}}})
        ended = self.run(root, tmp_path)
        assert ended.returncode == 2
        assert ended.stdout == ""
        assert ended.stderr == (
            "error: recipe.optimizer.lerning_rate: unknown key; did you mean learning_rate? allowed: "
            "name, learning_rate, weight_decay, momentum, parameters\n"
        )
        assert not (tmp_path / "data").exists()

    def test_no_file(self, root, tmp_path):
        ended = self.run(root, tmp_path)
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1

    def test_a_valid_file(self, root, tmp_path):
        write(tmp_path, "")
        ended = self.run(root, tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        assert (tmp_path / "data/params.ok").read_text() == "params.yaml is valid\n"
