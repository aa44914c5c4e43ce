"""Stage check in a process of its own."""

import shutil
import subprocess
import sys

import yaml


def write(folder, content):
    (folder / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


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
        write(tmp_path, {})
        ended = self.run(root, tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        written = {path.stem for path in (tmp_path / "data/inputs").iterdir()}
        assert written >= {"prepare_data", "embed", "recipe", "reference", "intervene"}

    def test_a_key_that_is_left_out_is_its_default(self, root, tmp_path):
        write(tmp_path, {})
        self.run(root, tmp_path)
        before = {path.name: path.read_bytes() for path in (tmp_path / "data/inputs").iterdir()}
        write(tmp_path, {"recipe": {"trainable": "head"}, "tracking": {"experiment": "plateau"}})
        self.run(root, tmp_path)
        assert {path.name: path.read_bytes() for path in (tmp_path / "data/inputs").iterdir()} == before

    def test_nothing_heavy_is_imported(self, root, tmp_path):
        write(tmp_path, {})
        code = (
            "import sys; from plateau_cause.pipeline.entry import run_stage; run_stage('check')\n"
            "print({'torch', 'pandas', 'sklearn', 'mlflow', 'PIL', 'torchvision'} & set(sys.modules))"
        )
        ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        assert ended.stdout == "set()\n", ended.stderr

    def test_what_was_tried_is_not_tried_again(self, root, tmp_path):
        """A file of one's own is run to try it: once, and again only after a change."""
        (tmp_path / "mine.py").write_text(
            "print('tried')\nfrom torch import nn\nloss = nn.CrossEntropyLoss()\n"
        )
        write(tmp_path, {"recipe": {"code": "mine.py"}})
        first = self.run(root, tmp_path)
        assert (first.returncode, first.stderr.count("tried\n")) == (0, 1), first.stderr
        shutil.rmtree(tmp_path / "data")  # as DVC does before it runs a stage
        again = self.run(root, tmp_path)
        assert (again.returncode, again.stderr) == (0, "")
        assert (tmp_path / "data/inputs/recipe.json").exists()
        write(tmp_path, {"recipe": {"code": "mine.py", "batch_size": 8}})
        assert "tried\n" in self.run(root, tmp_path).stderr

    def test_every_mistake_has_a_line(self, root, tmp_path):
        (tmp_path / "mine.py").write_text("def loss(output, target):\n    return 1\n")
        write(tmp_path, {"recipe": {"code": "mine.py", "trainable": "al"}})
        ended = self.run(root, tmp_path)
        assert ended.returncode == 2
        assert [line.partition(": ")[2].partition(" ")[0] for line in ended.stderr.splitlines()] == [
            "recipe.trainable:",
            "recipe.code:",
        ]
        assert not (tmp_path / "data").exists()
