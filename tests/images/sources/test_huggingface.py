import os
import sys
from pathlib import Path

import pytest
from forms import CLASSES, FORMS, pictures

from plateau_cause.config.params import Columns, Data
from plateau_cause.errors import MistakesError, PlateauError
from plateau_cause.images import sources

datasets = pytest.importorskip("datasets")


pytestmark = pytest.mark.usefixtures("hub_is_off")


@pytest.fixture
def saved(tmp_path):
    """A function: saves columns as a data set of one split, and returns how to read it."""

    def save(content, split=None, columns=None, **features):
        kinds = datasets.Features(features) if features else None
        datasets.Dataset.from_dict(content, features=kinds, split=split).save_to_disk(tmp_path / "saved")
        return Data(source="huggingface", path=str(tmp_path / "saved"), columns=columns or Columns())

    return save


def refusal(data):
    with pytest.raises(PlateauError) as error:
        list(sources.read(data))
    assert "\n" not in str(error.value)
    return str(error.value)


def images(count=2):
    return [{"bytes": p.content, "path": None} for p in pictures()[:count]]


def test_the_package_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    data = Data(source="huggingface", path="owner/name")
    assert refusal(data) == (
        "data.source: huggingface needs the package `datasets`, which is not installed; "
        "pip install '.[huggingface]' adds it"
    )
    with pytest.raises(PlateauError, match="needs the package"):
        sources.local_files(data)


@pytest.mark.parametrize("name", ["owner/name", "beans", "owner/name:config@main", "a/b/c", "no such"])
def test_a_name_that_cannot_be_had(name):
    text = refusal(Data(source="huggingface", path=name))
    assert text.startswith(f"data.path: '{name}' is nothing on this machine, and the hub does not give it: ")
    assert "allowed: owner/name[:configuration][@revision], a folder of Parquet files" in text
    assert sources.local_files(Data(source="huggingface", path=name)) is None


def test_a_data_set_of_the_hub_that_was_fetched_before(tmp_path, hub_is_off):
    data = FORMS["huggingface Parquet"].write(tmp_path / "pets", pictures())
    local = [(i.image_id, i.label, i.split, i.load()) for i in sources.read(data)]
    os.rename(hub_is_off / "pets", hub_is_off / "owner___pets")
    for name in ("owner/pets", "owner/pets:default"):
        found = sources.read(Data(source="huggingface", path=name))
        assert [(i.image_id, i.label, i.split, i.load()) for i in found] == local
    assert "Available configs in the cache" in refusal(Data(source="huggingface", path="owner/pets:other"))


def test_a_single_parquet_file(tmp_path):
    data = FORMS["huggingface Parquet"].write(tmp_path / "pets", pictures())
    (file,) = Path(data.path).glob("data/test-*")
    found = list(sources.read(Data(source="huggingface", path=str(file))))
    assert sorted(i.label for i in found) == list(CLASSES)


def test_a_folder_that_holds_no_data(tmp_path):
    text = refusal(Data(source="huggingface", path=str(tmp_path)))
    assert text.startswith(f"data.path: '{tmp_path}' cannot be read as a data set: ")


@pytest.mark.parametrize("names", [("image", "label"), ("img", "labels"), ("photo", "kind")])
def test_usual_names_or_the_only_column_of_its_type(saved, names):
    kinds = dict(zip(names, (datasets.Image(), datasets.ClassLabel(names=["cat", "dog"])), strict=True))
    data = saved(dict(zip(names, (images(), [1, 0]), strict=True)), **kinds)
    assert [i.label for i in sources.read(data)] == ["dog", "cat"]


def test_several_columns_that_could_be_meant_are_named(saved):
    kind = datasets.ClassLabel(names=["cat", "dog"])
    content = {"img": images(), "fine_label": [0, 1], "coarse_label": [0, 0]}
    data = saved(content, img=datasets.Image(), fine_label=kind, coarse_label=kind)
    assert refusal(data) == (
        "data.columns.label: got 'label', which is no column of the data set; did you mean fine_label or "
        "coarse_label?; columns: img, fine_label, coarse_label"
    )
    chosen = Data(source="huggingface", path=data.path, columns=Columns(label="fine_label"))
    assert [i.label for i in sources.read(chosen)] == ["cat", "dog"]


def test_a_column_that_is_asked_for_and_absent(saved):
    data = saved({"img": images(), "label": ["a", "b"]}, columns=Columns(image="imgs", group="g"))
    with pytest.raises(MistakesError) as error:
        list(sources.read(data))
    image, group = error.value.lines
    assert "data.columns.image: got 'imgs', which is no column of the data set; did you mean img?" in image
    assert group.startswith("data.columns.group: got 'g'")


@pytest.mark.parametrize("kind", ["bytes", "path", "struct", "PIL"])
def test_images_as_bytes_paths_structs_or_pil(saved, tmp_path, kind):
    contents = [p.content for p in pictures()[:2]]
    (tmp_path / "saved").mkdir()
    for number, content in enumerate(contents):
        (tmp_path / f"saved/{number}.png").write_bytes(content)
    columns = {
        "bytes": contents,
        "path": ["0.png", str(tmp_path / "saved/1.png")],
        "struct": [{"bytes": contents[0], "path": None}, {"bytes": None, "path": "1.png"}],
        "PIL": [_opened(content) for content in contents],
    }
    found = list(sources.read(saved({"image": columns[kind], "label": ["a", "b"]})))
    if kind == "PIL":
        assert [_opened(i.load()).tobytes() for i in found] == [_opened(c).tobytes() for c in contents]
    else:
        assert [i.load() for i in found] == contents


def _opened(content):
    import io

    from PIL import Image

    return Image.open(io.BytesIO(content))


def test_splits_and_groups_of_columns(saved):
    content = {"image": images(), "label": [1.0, 2.0], "split": ["Validation", None], "group": ["g", "h"]}
    found = sources.read(saved(content, split="train"))
    assert [(i.label, i.split, i.group) for i in found] == [("1", "val", "g"), ("2", None, "h")]


@pytest.mark.parametrize(
    ("split", "ours"), [("train", "train"), ("validation", "val"), ("extra", None), (None, None)]
)
def test_names_of_splits(saved, split, ours):
    found = list(sources.read(saved({"image": images(), "label": ["a", "b"]}, split=split)))
    assert {i.split for i in found} == {ours}


def test_withheld_labels_are_refused(saved):
    kinds = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    found = sources.read(saved({"image": images(3), "label": [-1, None, 1]}, **kinds))
    assert [(i.label, i.refused) for i in found] == [("", "no label"), ("", "no label"), ("dog", None)]


def test_columns_of_the_wrong_kind(saved):
    assert "data.columns.label: 'label' holds List values; allowed: a column of one text" in refusal(
        saved({"image": images(), "label": [["a"], ["b", "c"]]})
    )


def test_images_of_the_wrong_kind(saved):
    assert "data.columns.image: 'image' holds int64 values; allowed: a column of images" in refusal(
        saved({"image": [1, 2], "label": ["a", "b"]})
    )


def test_ids_of_an_image_folder_do_not_change_when_others_are_added(tmp_path):
    write = FORMS["huggingface imagefolder"].write
    data = write(tmp_path / "raw", pictures())
    before = {i.image_id for i in sources.read(data)}
    write(tmp_path / "raw", [pictures()[0]._replace(number=50)])
    assert before < {i.image_id for i in sources.read(data)}
    assert "train/cat/0.png" in before
