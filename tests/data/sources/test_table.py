import pandas as pd
import pytest

from plateau.data.sources import read
from plateau.errors import PlateauError
from plateau.params import Columns, Data


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    for name in ("1.png", "2.png", "3.png"):
        (tmp_path / "pictures" / name).write_bytes(b"x")
    return tmp_path


def items(path, **columns):
    return list(read(Data(source="table", path=str(path), columns=Columns(**columns))))


def write(folder, text, encoding="utf-8"):
    (folder / "t.csv").write_text(text, encoding=encoding)
    return folder / "t.csv"


def test_rows_keep_their_order_and_paths_may_be_absolute(folder):
    table = write(folder, f"image,label\npictures/2.png,b\n{folder}/pictures/1.png,a\n")
    found = items(table)
    assert [(item.image_id, item.label) for item in found] == [
        ("pictures/2.png", "b"),
        (f"{folder}/pictures/1.png", "a"),
    ]
    assert all(item.load() == b"x" and item.split is None and item.group is None for item in found)


def test_split_group_and_other_column_names(folder):
    table = write(folder, "file,kind,part,who\npictures/1.png,a,valid,7\npictures/2.png,b,,\n")
    found = items(table, image="file", label="kind", split="part", group="who")
    assert [(item.split, item.group) for item in found] == [("valid", "7"), (None, None)]


def test_csv_labels_are_taken_literally(folder):
    table = write(
        folder, "image,label\npictures/1.png,007\npictures/2.png,NA\npictures/3.png,<b>x</b>\n", "utf-8-sig"
    )
    assert [item.label for item in items(table)] == ["007", "NA", "<b>x</b>"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([3, 11, 3], ["3", "11", "3"]), ([3.0, None, 4.0], ["3", "", "4"]), (["x", None, "y"], ["x", "", "y"])],
)
def test_parquet_labels_of_any_type(folder, labels, expected):
    images = [f"pictures/{i}.png" for i in (1, 2, 3)]
    pd.DataFrame({"image": images, "label": labels}).to_parquet(folder / "t.parquet")
    found = items(folder / "t.parquet")
    assert [item.label for item in found] == expected
    assert [item.refused for item in found] == [None if label else "no label" for label in expected]


def test_missing_files_are_refused_one_by_one(folder):
    found = items(write(folder, "image,label\npictures/1.png,a\nnowhere.png,a\n,b\n"))
    assert [item.refused for item in found] == [None, "no such file", "no image path"]


def test_a_repeated_row_gets_a_name_of_its_own(folder):
    found = items(write(folder, "image,label\npictures/1.png,a\npictures/1.png,b\n"))
    assert [item.image_id for item in found] == ["pictures/1.png", "pictures/1.png#1"]


def test_a_missing_column_names_key_columns_and_nearest(folder):
    table = write(folder, "images,target\npictures/1.png,a\n")
    with pytest.raises(PlateauError) as caught:
        items(table)
    assert str(caught.value) == (
        "data.columns.image: got 'image', which the table lacks; it has: images, target; did you mean images?"
    )


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00bad"])
def test_what_is_no_table_is_one_clear_line(folder, content):
    for name in ("t.csv", "t.parquet"):
        (folder / name).write_bytes(content)
        with pytest.raises(PlateauError, match=r"data\.path") as caught:
            items(folder / name)
        assert "\n" not in str(caught.value)
