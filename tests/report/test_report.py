"""`write` leaves a whole report or none."""

import json
import subprocess
import sys

import pytest

from plateau_cause.report.files import PICTURES, write
from plateau_cause.report.schema import validate


def test_writes_the_three_files_and_the_pictures(content, drawn_once, tmp_path) -> None:
    write(content, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "plateau_cause.html", "plateau_cause.json", "plateau_cause.md", "plots",
    ]  # fmt: skip
    summary = json.loads((tmp_path / "plateau_cause.json").read_text(encoding="utf-8"))
    validate(summary)
    assert summary == content.summary
    drawn = {path.stem: path.read_bytes() for path in (tmp_path / PICTURES).iterdir()}
    assert set(drawn) == {picture.name for picture in drawn_once(content)}
    assert all(image.startswith(b"\x89PNG") for image in drawn.values())


def test_writing_again_gives_the_same_and_drops_old_pictures(make, tmp_path) -> None:
    write(make("plateau"), tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / PICTURES / "old.png").write_bytes(b"")
    write(make("plateau"), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == first


def test_a_summary_that_breaks_the_schema_writes_nothing(make, tmp_path) -> None:
    content = make("plateau")
    del content.summary["verdict"]
    with pytest.raises(ValueError, match="verdict"):
        write(content, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_not_a_number_becomes_null(make, tmp_path) -> None:
    content = make("plateau")
    content.summary["levels"]["knn"] = float("nan")
    write(content, tmp_path)
    assert json.loads((tmp_path / "plateau_cause.json").read_text(encoding="utf-8"))["levels"]["knn"] is None


def test_importing_the_report_pulls_in_neither_torch_nor_matplotlib() -> None:
    code = (
        "import plateau_cause.report, sys;print({'torch', 'matplotlib', 'mlflow', 'umap'} & set(sys.modules))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "set()\n"
    )
