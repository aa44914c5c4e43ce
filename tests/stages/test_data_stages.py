import json
import os
import subprocess
import sys

import pandas as pd
import pytest


def run(root, folder, stage):
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(
        [sys.executable, root / f"stages/{stage}.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_data_stages_write_what_dvc_expects(root, tmp_path):
    (tmp_path / "params.yaml").write_text("data: {source: digits, max_images: 200}\n")
    for stage in ("check", "prepare_data", "dataset_stats"):
        done = run(root, tmp_path, stage)
        assert done.returncode == 0, done.stderr
    counts = json.loads((tmp_path / "reports/prepare_data.json").read_text())
    assert (counts["images"], counts["classes"], counts["unreadable"]) == (200, 10, 0)
    assert (tmp_path / "data/reference").is_dir()
    stats = json.loads((tmp_path / "reports/dataset_stats.json").read_text())
    assert stats["train"]["images"] == counts["train"]
    assert {path.name for path in (tmp_path / "data/statistics").iterdir()} >= {
        "duplicates.parquet",
        "leakage.parquet",
    }
    assert (tmp_path / "reports/plots/dataset/samples.png").stat().st_size > 1000
    assert len(pd.read_parquet(tmp_path / "data/prepared/manifest.parquet")) == 200


@pytest.mark.parametrize("columns", ["", ", columns: {label: species}"])
def test_a_broken_table_is_one_line_and_exit_2(root, tmp_path, columns):
    (tmp_path / "t.csv").write_text("image,label\ngone.png,cat\n")
    (tmp_path / "params.yaml").write_text(f"data: {{source: table, path: t.csv{columns}}}\n")
    done = run(root, tmp_path, "prepare_data")
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if line.startswith("error:")] == [
        done.stderr.splitlines()[-1]
    ]
    assert not (tmp_path / "data/prepared").exists()
