"""plateau check: says everything at once; its exit status says whether a diagnosis can start."""

import json

import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    """Two classes of ten pictures."""
    for number in range(20):
        path = tmp_path / "pictures" / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(path)
    return tmp_path


def test_nothing_is_wrong(call, pictures):
    (pictures / "params.yaml").write_text("data: {source: imagefolder, path: pictures}\n")
    ended = call("check")
    assert (ended.status, ended.out, ended.err) == (0, "params.yaml: nothing is wrong\n", "")


def test_notes_do_not_stop_anything(call, pictures):
    (pictures / "pictures/A").mkdir()
    for number in range(5):
        Image.new("RGB", (40, 30)).save(pictures / f"pictures/A/{number}.png")
    (pictures / "my.yaml").write_text("data: {source: imagefolder, path: pictures, stored_size: 16}\n")
    ended = call("check", "my.yaml")
    assert ended.status == 0
    assert ended.out.splitlines() == [
        "note: data: 'A' and 'a' are separate classes; were they meant as one?",
        "note: data.stored_size: 16 px stores images of up to 40 px smaller than the 64 px that the recipe "
        "reads: what is finer is lost; null keeps it",
        "my.yaml: nothing is wrong",
    ]


def test_mistakes_are_lines_on_standard_error(call, tmp_path):
    (tmp_path / "params.yaml").write_text("recipe: {trainable: al}\nbackbone: {name: resnet18}\n")
    ended = call("check")
    assert (ended.status, ended.out) == (2, "")
    assert [line.partition(" got ")[0] for line in ended.err.splitlines()] == [
        "error: recipe.trainable:",
        "error: backbone.weights:",
    ]


def test_json_is_one_document(call, pictures):
    (pictures / "mine.py").write_text("print('hello')\ndef loss(output, target):\n    return output\n")
    (pictures / "params.yaml").write_text(
        "data: {source: imagefolder, path: pictures}\nrecipe: {code: mine.py}\n"
    )
    ended = call("check", "--json")
    found = json.loads(ended.out)
    assert (ended.status, found["ok"]) == (2, False)
    assert found["mistakes"] == [
        "recipe.code: loss() (line 2) gives (2, 2); allowed: a scalar tensor, such as its mean()"
    ]
    assert found["notes"] == ["recipe.code: mine.py defines loss(), in place of recipe.loss"]
    assert ended.err == "hello\n"


def test_outside_a_project_a_missing_file_is_said(call):
    ended = call("check")
    assert (ended.status, ended.err) == (2, "error: params.yaml: cannot be read: No such file or directory\n")


def test_paths_are_taken_from_the_file(call, pictures, monkeypatch):
    (pictures / "params.yaml").write_text("data: {source: imagefolder, path: pictures}\n")
    (pictures / "elsewhere").mkdir()
    monkeypatch.chdir(pictures / "elsewhere")
    assert call("check", "../params.yaml").status == 0
