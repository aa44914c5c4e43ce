"""plateau diagnose: wrong files stop at once, nothing is overwritten, a stage's failure is passed on.

The diagnosis itself, to its end, is in tests/stages/test_commands.py.
"""

import json

import pytest
import yaml
from PIL import Image

from plateau_cause.commands import diagnose
from plateau_cause.pipeline import project

MINE = "data: {source: imagefolder, path: pictures}\nrecipe: {code: train.py}\n"


@pytest.fixture
def pictures(tmp_path):
    """Two classes of one picture each: valid, and too few for a split."""
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / name / "1.png")
    (tmp_path / "train.py").write_text("def loss(output, target): ...\n")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "mine.yaml: cannot be read"),
        ("recipe: {trainable: al}\n", "did you mean all?"),
        ("data: {source: imagefolder, path: nowhere}\n", "data.path: got 'nowhere'; no such folder"),
    ],
)
def test_a_wrong_file_is_one_line_before_anything_is_made(call, tmp_path, text, said):
    if text is not None:
        (tmp_path / "mine.yaml").write_text(text)
    before = set(tmp_path.iterdir())
    ended = call("diagnose", "mine.yaml")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err
    assert set(tmp_path.iterdir()) == before


def test_a_params_yaml_in_the_way_is_not_overwritten(call, tmp_path):
    (tmp_path / "mine.yaml").write_text("data: {source: digits}\n")
    (tmp_path / "work").mkdir()
    (tmp_path / "work/params.yaml").write_text("precious: true\n")
    ended = call("diagnose", "mine.yaml", "--workspace", "work")
    assert ended.status == 2
    assert "work: holds something else" in ended.err
    assert (tmp_path / "work/params.yaml").read_text() == "precious: true\n"


def test_what_check_finds_is_said_before_anything_is_made(call, pictures):
    (pictures / "mine.yaml").write_text(MINE)
    ended = call("diagnose", "mine.yaml", "--json")
    assert ended.status == 2
    document = json.loads(ended.out)
    assert document["ok"] is False
    assert [line.partition(":")[0] for line in document["mistakes"]] == ["data", "recipe.code"]
    assert [f"error: {line}" for line in document["mistakes"]] == ended.err.splitlines()
    assert not (pictures / "mine.plateau").exists()


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_stage_that_stops_is_passed_on_with_its_status(call, pictures, options):
    """The real pipeline, up to the stage that finds the pictures that nobody tried before."""
    for number in range(100):
        path = pictures / "pictures" / "ab"[number % 2] / f"{number:03d}.png"
        path.write_bytes(b"no picture") if number % 12 == 5 else Image.new("RGB", (8, 8)).save(path)
    (pictures / "train.py").write_text("from torch import nn\nloss = nn.CrossEntropyLoss()\n")
    (pictures / "mine.yaml").write_text(MINE)
    ended = call("diagnose", "mine.yaml", *options)
    assert ended.status == 2, ended
    assert ended.err.splitlines()[-1].startswith("error: data.max_unreadable: ")
    if options:
        assert json.loads(ended.out)["mistakes"][0].startswith("data.max_unreadable: ")
    folder = pictures / "mine.plateau"
    assert (folder / "data/inputs/recipe.json").exists()
    assert not (folder / "data/prepared").exists()
    assert (pictures / "mine.yaml").read_text() == MINE
    given = yaml.safe_load((folder / "params.yaml").read_text())
    assert given["data"]["path"] == "../pictures"
    assert given["recipe"]["code"] == "../train.py"
    assert given["backbone"]["weights"] == "bundled"


def test_a_params_yaml_without_a_pipeline_gets_a_workspace_too(call, tmp_path, monkeypatch):
    """Where the stages would run: the folder that DVC is started in."""
    started = []
    monkeypatch.setattr(diagnose, "_repro", lambda folder, params, quiet: (1, [started.append(folder)][:0]))
    (tmp_path / "params.yaml").write_text("data: {source: digits}\n")
    call("diagnose", "params.yaml")
    project.create(tmp_path / "mine")
    call("diagnose", "mine/params.yaml")
    call("diagnose", "mine/params.yaml", "--workspace", "other")
    assert [folder.name for folder in started] == ["params.plateau", "mine", "other"]
