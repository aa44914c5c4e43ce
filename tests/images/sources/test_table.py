import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plateau_cause.config.params import Columns, Data
from plateau_cause.errors import MistakesError, PlateauError
from plateau_cause.images.sources import read


@pytest.fixture
def images(make_folder, class_files):
    return make_folder(class_files(("cat", "dog"), 6))


@pytest.fixture
def rows(images):
    return pd.DataFrame(
        [
            {"image": path.relative_to(images).as_posix(), "label": path.parent.name}
            for path in sorted(images.rglob("*.png"))
        ]
    )


def save(table, path):
    table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    return path


def items(path, **columns):
    return list(read(Data(source="table", path=str(path), columns=Columns(**columns))))


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_relative_and_absolute_paths(images, rows, prepared, name):
    rows.loc[0, "image"] = str(images / rows.loc[0, "image"])
    dataset = prepared(save(rows, images / name), source="table")
    assert dataset.manifest["image_id"].tolist() == rows["image"].str.removeprefix(f"{images}/").tolist()
    assert dataset.classes == ("cat", "dog")


def test_fields_apart_by_tabs(images, rows):
    path = images / "t.tsv"
    rows.to_csv(path, sep="\t", index=False)
    assert [one.label for one in items(path)] == rows["label"].tolist()


def test_other_column_names(images, rows):
    path = save(rows.rename(columns={"image": "file", "label": "species"}), images / "t.csv")
    assert items(path, image="file", label="species")[0].label == "cat"


def test_a_missing_column_names_key_columns_and_the_nearest(images, rows):
    path = save(rows.rename(columns={"label": "labels"}), images / "t.csv")
    with pytest.raises(PlateauError) as error:
        items(path)
    assert str(error.value) == (
        "data.columns.label: got 'label', which is no column of the table; did you mean labels?; "
        "columns: image, labels"
    )


def test_all_columns_that_are_missing_are_named_at_once(images, rows):
    path = save(rows.rename(columns={"image": "Image", "label": "Label"}), images / "t.csv")
    with pytest.raises(MistakesError) as caught:
        items(path)
    assert [line.partition(":")[0] for line in caught.value.lines] == [
        "data.columns.image", "data.columns.label",
    ]  # fmt: skip


def test_rows_that_are_longer_than_the_header_and_other_encodings_are_refused(images):
    path = images / "odd.csv"
    path.write_text("image,label\nx.png,cat,extra\n")
    with pytest.raises(PlateauError, match="more fields than its header has names"):
        items(path)
    path.write_bytes("image,label\nx.png,süß\n".encode("latin-1"))
    with pytest.raises(PlateauError, match="save it as UTF-8"):
        items(path)


def test_split_and_group_are_optional_unless_they_are_named(images, rows):
    path = save(rows, images / "t.csv")
    assert {(item.split, item.group) for item in items(path)} == {(None, None)}
    with pytest.raises(PlateauError, match=r"data\.columns\.split: got 'fold'"):
        items(path, split="fold")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_labels_that_are_numbers_or_look_missing(images, rows, name):
    rows["label"] = [1, 2] * 6
    assert {item.label for item in items(save(rows, images / name))} == {"1", "2"}
    rows["label"] = ["007", "NA"] * 6
    assert {item.label for item in items(save(rows, images / name))} == {"007", "NA"}


def test_whole_numbers_that_pandas_made_floats(images, rows):
    rows["label"] = [1.0, 2.0] * 6
    assert {item.label for item in items(save(rows, images / "t.parquet"))} == {"1", "2"}


def test_names_of_splits_and_an_empty_cell(images, rows, prepared):
    rows["split"] = ["Training", "TRAIN", "", "valid", "dev", "Test"] * 2
    dataset = prepared(save(rows, images / "t.csv"), source="table")
    assert dataset.manifest["split"].tolist() == ["train", "train", "train", "val", "val", "test"] * 2


def test_an_unknown_split(images, rows):
    rows["split"] = "tain"
    with pytest.raises(PlateauError, match=r"data\.columns\.split: got 'tain'; did you mean train\?"):
        items(save(rows, images / "t.csv"))


def test_groups_do_not_cross_splits(images, rows, prepared):
    rows["group"] = [f"g{row // 2}" for row in range(12)]
    manifest = prepared(save(rows, images / "t.csv"), source="table").manifest
    assert (manifest.groupby("group")["split"].nunique() == 1).all()
    assert manifest["group"].nunique() == 6


def test_rows_without_label_path_or_file_are_quarantined(images, rows, prepared, tmp_path):
    more = [
        {"image": "cat/00.png"},
        {"label": "cat"},
        {"image": "gone.png", "label": "cat"},
        {"image": "cat", "label": "cat"},
    ]
    path = save(pd.concat([rows, pd.DataFrame(more)]), images / "t.csv")
    dataset = prepared(path, source="table", max_unreadable=0.5)
    assert len(dataset) == 12
    reasons = pd.read_parquet(tmp_path / "prepared/quarantine.parquet")["reason"]
    assert sorted(reasons) == [
        "cannot be read: No such file or directory",
        "no image path",
        "no label",
        "not a regular file",
    ]


def test_an_image_listed_twice_keeps_both_labels(images, rows, prepared):
    rows = pd.concat([rows, pd.DataFrame([{"image": "cat/00.png", "label": "dog"}])])
    manifest = prepared(save(rows, images / "t.csv"), source="table").manifest.set_index("image_id")
    assert manifest.loc[["cat/00.png", "cat/00.png#2"], "label"].tolist() == ["cat", "dog"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_a_byte_order_mark(images, rows, separator):
    (images / "t.csv").write_bytes(b"\xef\xbb\xbf" + rows.to_csv(index=False, sep=separator).encode())
    assert len(items(images / "t.csv")) == 12


@pytest.mark.parametrize(
    ("name", "content"), [("t.csv", b""), ("t.csv", b"\xff\xfe\x00"), ("t.parquet", b"x")]
)
def test_what_is_no_table(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PlateauError, match=r"data\.path: .* cannot be read as a table"):
        items(tmp_path / name)


def test_shards_have_ids_of_their_own(images, rows):
    for part in ("a", "b/c"):
        (images / part).mkdir(parents=True)
        save(rows, images / part / "0.parquet")
        content = [(images / name).read_bytes() for name in rows["image"]]
        save(rows.assign(image=content), images / part / "1.parquet")
    found = items(images)
    assert len({item.image_id for item in found}) == len(found) == 48
    assert found[12].image_id == "a/1.parquet/0000000"
    assert found[12].load() == content[0]


def test_paths_in_shards_are_relative_to_their_shard(images, rows):
    save(rows, images / "0.parquet")
    (found, *_) = items(images / "*.parquet")
    assert (found.image_id, found.load()) == ("cat/00.png", (images / "cat/00.png").read_bytes())


def test_a_shard_without_a_column_is_named(images, rows):
    save(rows, images / "0.parquet")
    save(rows.drop(columns="label"), images / "1.parquet")
    with pytest.raises(PlateauError, match=r"label: got 'label', which is no column of '.*/1\.parquet'"):
        items(images)


def test_gaps_in_numbers_of_any_type(images, rows):
    rows["label"] = pd.array([1, 2, None] * 4, dtype="Int64")
    found = items(save(rows, images / "t.parquet"))
    assert [item.label for item in found[:3]] == ["1", "2", ""]
    assert found[2].refused == "no label"


def test_class_names_that_the_file_brings_along(images):
    info = b'{"info": {"features": {"label": {"names": ["cat", "dog"]}}}}'
    content = {"image": [b"x"] * 4, "label": [1, 0, -1, None]}
    pq.write_table(pa.table(content).replace_schema_metadata({b"huggingface": info}), images / "t.parquet")
    assert [item.label for item in items(images / "t.parquet")] == ["dog", "cat", "", ""]


def test_damage_behind_a_sound_beginning(images, rows):
    path = save(rows, images / "t.parquet")
    start = pq.ParquetFile(path).metadata.row_group(0).column(1).data_page_offset
    whole = bytearray(path.read_bytes())
    whole[start : start + 30] = bytes(30)
    path.write_bytes(whole)
    with pytest.raises(PlateauError, match=r"data\.path: .* cannot be read as a table"):
        items(path)


@pytest.mark.parametrize("name", ["label", "image", "note"])
def test_two_columns_of_one_name(images, rows, name):
    path = images / "t.csv"
    path.write_text(f"image,label,note,{name}\ncat/00.png,cat,x,y\n")
    with pytest.raises(PlateauError, match=rf"data\.path: .*two columns are called '{name}'; rename one"):
        items(path)


def test_a_table_without_a_single_right_path_says_so(images, rows, prepared):
    rows["image"] = "photos/" + rows["image"]
    path = save(rows, images / "t.csv")
    with pytest.raises(PlateauError) as caught:
        prepared(path, source="table")
    text = str(caught.value)
    assert text.startswith("data.columns.image: none of the 12 paths in ")
    assert f"looked for at {images}/photos/cat/00.png" in text
    assert "max_unreadable" not in text


def test_labels_with_signs_that_steer(images, rows):
    rows["label"] = ["c\x1bat", "c\x07at"] * 6
    assert {item.label for item in items(save(rows, images / "t.csv"))} == {"c\\x1bat", "c\\x07at"}
