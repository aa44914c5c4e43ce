"""Pictures of the data set: for any class names, any number of classes, with and without duplicates."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plateau import artifacts
from plateau.data import statistics
from plateau.data.manifest import prepare
from plateau.data.store import open_dataset
from plateau.params import Data
from plateau.report import dataset_files, plots_data, style

NAMES = ("<b>x</b>", "$x^$", "_hidden", "a name that is much too long for any picture of this width")
PICTURES = {"class_counts", "sizes", "brightness", "samples"}


@pytest.fixture
def dataset(tmp_path):
    """Returns a function that prepares noise images in so many classes, with or without copies."""

    def made(classes=4, copies=0):
        random = np.random.default_rng(0)
        names = [NAMES[i] if i < len(NAMES) else f"class {i}" for i in range(classes)]
        images = random.integers(0, 256, (3 * classes, 8, 9, 3), dtype=np.uint8)
        images[-copies or len(images) :] = images[:copies]
        rows = []
        for index, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / f"{index}.png")
            rows.append((f"{index}.png", names[index % classes], ("train", "val", "test")[index // classes]))
        pd.DataFrame(rows, columns=["image", "label", "split"]).to_csv(tmp_path / "t.csv", index=False)
        prepare(Data(source="table", path=str(tmp_path / "t.csv")), tmp_path / "prepared")
        return open_dataset(tmp_path / "prepared")

    return made


@pytest.mark.parametrize(("classes", "copies"), [(4, 0), (4, 3), (40, 0), (2, 0)])
def test_every_picture_is_drawn(dataset, classes, copies):
    prepared = dataset(classes, copies)
    found = plots_data.dataset_figures(prepared, statistics.describe(prepared))
    assert set(found) == PICTURES | ({"duplicates"} if copies else set())
    for figure in found.values():
        assert style.to_png(figure).startswith(b"\x89PNG")


def test_names_are_shown_as_they_are(dataset):
    prepared = dataset()
    figure = plots_data.class_counts(statistics.class_counts(prepared))
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels[:2] == ["$x^$", "<b>x</b>"] and max(map(len, labels)) <= 22


def test_conflicts_come_first_among_duplicates(dataset):
    prepared = dataset(4, 3)
    figure = plots_data.duplicates(prepared, statistics.describe(prepared).duplicates)
    assert "test" in figure.axes[1].get_title()
    assert figure.axes[0].get_ylabel() == "exact"


def test_files_of_the_stage(dataset, tmp_path):
    prepared = dataset(4, 3)
    found = statistics.describe(prepared)
    dataset_files.write_tables(tmp_path / "statistics", tmp_path / "dataset_stats.json", found)
    dataset_files.write_plots(tmp_path / "plots", prepared, found)
    written = {path.stem for path in (tmp_path / "statistics").iterdir()}
    assert written == set(dataset_files.TABLES)
    assert len(artifacts.read_parquet(tmp_path / "statistics" / "leakage.parquet")) == 3
    assert artifacts.read_json(tmp_path / "dataset_stats.json")["leaking_pairs"] == 3
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == {*PICTURES, "duplicates"}
