from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plateau_cause.images.item import UnreadableError
from plateau_cause.images.parquet import ImageReader, class_names, holds_images, image_bytes

ROWS = 300


def content(row):
    return b"image %d" % row


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"image": [content(row) for row in range(ROWS)]}), path, row_group_size=77)
    return path


@pytest.mark.parametrize(
    "rows",
    [range(ROWS), range(ROWS - 1, -1, -10), [0, 76, 77, 78, 299, 0, 150, 149], [5, 200, 205, 77], [299, 299]],
)
def test_rows_in_any_order(file, rows):
    reader = ImageReader()
    assert [reader.read(file, "image", row) for row in rows] == [content(row) for row in rows]


def test_many_threads_and_files(file, tmp_path):
    others = [tmp_path / f"{name}.parquet" for name in range(4)]
    for other in others:
        other.write_bytes(file.read_bytes())
    wanted = [(path, row) for path in others for row in range(0, ROWS, 3)]
    reader = ImageReader()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda place: reader.read(place[0], "image", place[1]), wanted))
    assert found == [content(row) for _, row in wanted]
    assert len(reader._open) <= 2


def test_a_row_group_is_read_piece_by_piece(tmp_path):
    """64 MiB in one row group; no more than an eighth is ever in memory."""
    image = np.random.default_rng(0).bytes(2**16)
    path, rows = tmp_path / "t.parquet", 1024
    table = pa.table({"image": pa.array([image] * rows)})
    pq.write_table(table, path, write_batch_size=8, data_page_size=2**16, use_dictionary=False)
    del table
    reader, pool = ImageReader(), pa.default_memory_pool()
    before = pool.bytes_allocated()
    for row in range(rows):
        assert reader.read(path, "image", row) == image
        assert pool.bytes_allocated() - before < 2**23


def test_a_damaged_file_costs_only_what_is_damaged(tmp_path):
    rows = [np.random.default_rng(row).bytes(1000) for row in range(100)]
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"image": rows}), path, row_group_size=50, compression="zstd")
    whole = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(0).column(0).data_page_offset
    whole[start : start + 200] = bytes(200)
    path.write_bytes(whole)
    reader = ImageReader()
    with pytest.raises(UnreadableError, match="damaged"):
        reader.read(path, "image", 0)
    assert reader.read(path, "image", 60) == rows[60]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.binary(), True),
        (pa.large_binary(), True),
        (pa.struct([("bytes", pa.binary()), ("path", pa.string())]), True),
        (pa.string(), False),
        (pa.struct([("path", pa.string())]), False),
    ],
)
def test_which_columns_hold_images(kind, expected):
    assert holds_images(kind) is expected


def test_cells(tmp_path):
    (tmp_path / "a.png").write_bytes(b"file")
    for value, expected in {
        b"x": b"x",
        "a.png": b"file",
        (b"x", "a.png"): b"x",
        (None, "a.png"): b"file",
        (b"", "a.png"): b"file",
    }.items():
        cell = dict(zip(("bytes", "path"), value, strict=True)) if isinstance(value, tuple) else value
        assert image_bytes(cell, tmp_path) == expected
    for nothing in (None, {"bytes": None, "path": None}):
        with pytest.raises(UnreadableError, match="no image"):
            image_bytes(nothing, tmp_path)


def test_class_names_of_the_datasets_library():
    names = b'{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    schema = pa.schema([("label", pa.int64())], metadata={b"huggingface": names})
    assert class_names(schema, "label") == ["cat", "dog"]
    assert class_names(schema, "other") is None
    assert class_names(pa.schema([("label", pa.int64())]), "label") is None
    assert class_names(schema.with_metadata({b"huggingface": b"?"}), "label") is None


def test_a_path_is_relative_to_its_table(tmp_path):
    folder: Path = tmp_path / "shards"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"file")
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(
        pa.table({"image": pa.array([{"bytes": None, "path": "a.png"}], kind)}), folder / "t.parquet"
    )
    assert ImageReader().read(folder / "t.parquet", "image", 0) == b"file"
