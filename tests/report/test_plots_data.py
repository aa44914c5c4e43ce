import numpy as np
import pytest
from PIL import Image

from plateau_cause.config.params import Data
from plateau_cause.images import statistics
from plateau_cause.images.prepare import prepare
from plateau_cause.images.store import open_dataset
from plateau_cause.pipeline import dataset_stats
from plateau_cause.report import plots_data


def dataset(tmp_path, classes, count=4):
    rng = np.random.default_rng(0)
    for name in classes:
        (tmp_path / "images" / name).mkdir(parents=True)
        for row in range(count):
            pixels = rng.integers(0, 256, (20, 10 + row, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{row}.png")
    last = tmp_path / "images" / classes[-1]
    (last / "copy.png").write_bytes((tmp_path / "images" / classes[0] / "0.png").read_bytes())
    prepare(Data(source="imagefolder", path=str(tmp_path / "images")), tmp_path / "prepared")
    return open_dataset(tmp_path / "prepared")


def test_every_figure_is_drawn_and_odd_names_do_no_harm(tmp_path):
    found = dataset(tmp_path, ("<b>x", "$x^$", "a very long name of a class that goes on and on", "猫"))
    described = statistics.describe(found)
    dataset_stats.write_plots(tmp_path / "plots", found, described)
    dataset_stats.write_tables(tmp_path / "tables", tmp_path / "stats.json", described)
    names = {"class_counts", "sizes", "brightness_contrast", "color_histogram", "samples", "duplicates"}
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == names
    assert all(Image.open(path).width > 300 for path in (tmp_path / "plots").iterdir())
    tables = {"images", "class_counts", "duplicates", "leakage", "conflicts"}
    assert {path.stem for path in (tmp_path / "tables").iterdir()} == tables


def test_no_duplicates_no_picture(tmp_path):
    found = dataset(tmp_path, ("a", "b"))
    (tmp_path / "images/b/copy.png").unlink()
    prepare(Data(source="imagefolder", path=str(tmp_path / "images")), tmp_path / "prepared")
    found = open_dataset(tmp_path / "prepared")
    assert "duplicates" not in plots_data.figures(found, statistics.describe(found))


@pytest.mark.parametrize("classes", [2, 25, 40])
def test_samples_show_at_most_twenty_classes(tmp_path, classes):
    found = dataset(tmp_path, tuple(f"c{n:02d}" for n in range(classes)))
    figure = plots_data.sample_grid(found)
    assert len(figure.axes) == plots_data.GRID_COLUMNS * min(classes, plots_data.GRID_CLASSES)
    assert figure.axes[0].get_ylabel() == "c00"


def test_bars_are_ordered_by_size(tmp_path):
    found = dataset(tmp_path, ("a", "b"))
    figure = plots_data.class_counts(statistics.class_counts(found.manifest, found.classes))
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["b", "a"]
