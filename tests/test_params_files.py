"""What one key of params.yaml alone cannot tell: files that must be there, keys that go together."""

import pytest
from params_files import refusal, write

from plateau_cause.config import params


class TestFiles:
    def test_folder_of_images(self, tmp_path):
        (tmp_path / "photos").mkdir()
        content = {"data": {"source": "imagefolder", "path": "photos"}}
        assert params.load(write(tmp_path, content)).data.path == "photos"
        content["data"]["path"] = str(tmp_path / "photos")
        params.load(write(tmp_path, content))
        content["data"]["path"] = "photo"
        assert "data.path: got 'photo'; no such folder; did you mean photos?" in refusal(tmp_path, content)

    def test_reference_data_is_checked_alike(self, tmp_path):
        content = {"reference_data": {"source": "imagefolder", "path": "none"}}
        assert refusal(tmp_path, content).startswith("reference_data.path: got 'none'; no such folder")
        assert params.load(write(tmp_path, {"reference_data": {}})).reference_data == params.Data()

    def test_table(self, tmp_path):
        content = {"data": {"source": "table", "path": "images.csv"}}
        assert refusal(tmp_path, content).startswith("data.path: got 'images.csv'; no such file")
        (tmp_path / "images.csv").touch()
        params.load(write(tmp_path, content))
        content["data"]["path"] = "images.xlsx"
        assert "allowed: an existing .csv or .tsv or .parquet file" in refusal(tmp_path, content)

    @pytest.mark.parametrize(("source", "suffix"), [("table", ".parquet"), ("webdataset", ".tar")])
    def test_shards(self, tmp_path, source, suffix):
        (tmp_path / "shards/train").mkdir(parents=True)
        content = {"data": {"source": source, "path": "shards"}}
        assert "data.path: got 'shards'" in refusal(tmp_path, content)
        (tmp_path / f"shards/train/0{suffix}").touch()
        for path in ("shards", f"shards/*/*{suffix}", f"shards/train/0{suffix}", str(tmp_path / "shards")):
            content["data"]["path"] = path
            assert params.load(write(tmp_path, content)).data.path == path
        for path in (f"shards/*{suffix}", "shards/*/*", "shard", f"shards/train/1{suffix}"):
            content["data"]["path"] = path
            text = refusal(tmp_path, content)
            assert text.startswith(f"data.path: got '{path}'")
            assert text.endswith(f"{suffix} file, or a folder or pattern of {suffix} files")
        content["data"]["path"] = f"shards/train/1{suffix}"
        assert f"no such file; did you mean 0{suffix}?" in refusal(tmp_path, content)

    @pytest.mark.parametrize("source", ["torchvision", "huggingface"])
    def test_names_are_left_to_the_source(self, tmp_path, source):
        content = {"data": {"source": source, "path": "owner/name", "root": "/elsewhere"}}
        assert params.load(write(tmp_path, content)).data.root == "/elsewhere"

    @pytest.mark.parametrize("source", params.SOURCES[1:-1])
    def test_a_source_that_needs_a_path(self, tmp_path, source):
        assert "data.path: got null" in refusal(tmp_path, {"data": {"source": source}})

    def test_a_path_that_would_be_ignored(self, tmp_path):
        assert "source digits reads no path" in refusal(tmp_path, {"data": {"path": "photos"}})

    def test_weights(self, tmp_path):
        assert "did you mean bundled?" in refusal(tmp_path, {"backbone": {"weights": "bundeld"}})
        content = {"backbone": {"weights": "my.pth"}}
        assert "no such file" in refusal(tmp_path, content)
        (tmp_path / "my.pth").touch()
        params.load(write(tmp_path, content))

    def test_code(self, tmp_path):
        content = {"recipe": {"code": "mine.py"}}
        (tmp_path / "mime.py").touch()
        assert "recipe.code: got 'mine.py'; no such file; did you mean mime.py?" in refusal(tmp_path, content)
        content["recipe"]["code"] = str(tmp_path)
        assert "allowed: null, or an existing .py file" in refusal(tmp_path, content)

    def test_split_must_leave_training_images(self, tmp_path):
        text = refusal(tmp_path, {"data": {"split": {"val": 0.5, "test": 0.5}}})
        assert text.startswith("data.split: got val 0.5 + test 0.5")
