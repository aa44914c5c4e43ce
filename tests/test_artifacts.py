"""Files and folders are there whole, or not at all."""

import json

import numpy as np
import pandas as pd
import pytest

from plateau_cause import artifacts
from plateau_cause.errors import PlateauError


def test_json_comes_back_with_plain_types(tmp_path):
    content = {
        "a": np.float32(0.5),
        "b": np.arange(3),
        "c": (1, None),
        "d": tmp_path,
        5: np.int64(2),
        "é": np.True_,
    }
    artifacts.write_json(tmp_path / "new/x.json", content)
    back = artifacts.read_json(tmp_path / "new/x.json")
    assert back == {"a": 0.5, "b": [0, 1, 2], "c": [1, None], "d": str(tmp_path), "5": 2, "é": True}


def test_json_has_no_nan(tmp_path):
    artifacts.write_json(tmp_path / "x.json", {"a": float("nan"), "b": [np.inf, np.array([np.nan, 1.0])]})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": None, "b": [None, [None, 1.0]]}


def test_tables_and_arrays_come_back(tmp_path):
    table = pd.DataFrame({"label": ["a", None], "target": np.array([0, 1])})
    artifacts.write_parquet(tmp_path / "x.parquet", table)
    pd.testing.assert_frame_equal(artifacts.read_parquet(tmp_path / "x.parquet"), table)
    artifacts.write_csv(tmp_path / "x.csv", table)
    assert (tmp_path / "x.csv").read_text() == "label,target\na,0\n,1\n"
    features = np.random.default_rng(0).random((3, 2), dtype=np.float32)
    artifacts.write_arrays(tmp_path / "x.npz", features=features, empty=np.zeros((0, 2)))
    back = artifacts.read_arrays(tmp_path / "x.npz")
    np.testing.assert_array_equal(back["features"], features)
    assert back["empty"].shape == (0, 2)


@pytest.mark.parametrize("read", [artifacts.read_json, artifacts.read_parquet, artifacts.read_arrays])
def test_what_is_missing_is_named(tmp_path, read):
    with pytest.raises(PlateauError, match=r"nothing\.x: no such file"):
        read(tmp_path / "nothing.x")


def test_what_is_not_json_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(PlateauError, match=r"x\.json: not valid JSON"):
        artifacts.read_json(tmp_path / "x.json")


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    artifacts.write_json(tmp_path / "x.json", 1)
    with pytest.raises(TypeError):
        artifacts.write_json(tmp_path / "x.json", {"a": object()})
    assert artifacts.read_json(tmp_path / "x.json") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_folder_replaces_the_old_one_whole(tmp_path):
    for name in ("first", "second"):
        with artifacts.atomic_folder(tmp_path / "out") as folder:
            (folder / name).touch()
            assert folder.parent == tmp_path
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failed_folder_leaves_the_old_one_and_nothing_else(tmp_path):
    with artifacts.atomic_folder(tmp_path / "out") as folder:
        (folder / "first").touch()
    with pytest.raises(RuntimeError), artifacts.atomic_folder(tmp_path / "out") as folder:
        (folder / "second").touch()
        raise RuntimeError
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["first"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_others_may_read_what_was_written(tmp_path):
    artifacts.write_json(tmp_path / "x.json", 1)
    with artifacts.atomic_folder(tmp_path / "out"):
        pass
    (tmp_path / "plain").touch()
    (tmp_path / "folder").mkdir()
    assert (tmp_path / "x.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "folder").stat().st_mode
