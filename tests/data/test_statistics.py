import json

import numpy as np
import pytest
from PIL import Image

from plateau.data import statistics
from plateau.data.manifest import prepare
from plateau.data.store import open_dataset
from plateau.params import Data


@pytest.fixture
def described(class_folders, tmp_path, photo):
    """20 pictures of 40 x 30 px in two classes, and a third class of gray squares."""

    def made(gray=5):
        (class_folders / "gray").mkdir()
        for index in range(gray):
            photo(500 + index, (20, 20)).convert("L").save(class_folders / "gray" / f"{index}.png")
        prepare(Data(source="imagefolder", path=str(class_folders)), tmp_path / "prepared")
        dataset = open_dataset(tmp_path / "prepared")
        return dataset, statistics.describe(dataset)

    return made


def test_counts_per_class_and_split(described):
    _, found = described()
    counts = found.class_counts
    assert counts["label"].tolist() == ["<b>x", "gray", "plain"]
    assert counts["total"].tolist() == [10, 5, 10]
    assert counts[["train", "val", "test"]].to_numpy().tolist() == [[6, 2, 2], [3, 1, 1], [6, 2, 2]]
    assert found.metrics["imbalance_ratio_train"] == 2
    assert found.metrics["images"] == 25 and found.metrics["classes_missing_test"] == 0


def test_a_class_that_the_test_lacks(described):
    _, found = described(gray=1)
    assert found.metrics["classes_missing_test"] == found.metrics["classes_missing_val"] == 1
    assert found.metrics["imbalance_ratio_train"] >= 6


def test_sizes(described):
    metrics = described()[1].metrics
    assert metrics["width_px_p50"] == 40 and metrics["height_px_p95"] == 30
    assert metrics["aspect_p50"] == pytest.approx(4 / 3) and metrics["aspect_p05"] == 1
    assert metrics["different_sizes"] == 2 and metrics["square_frac"] == pytest.approx(0.2)


def test_colors_are_those_of_all_training_pixels(described):
    dataset, found = described()
    train = [dataset.store.image(row).reshape(-1, 3) for row in dataset.indices("train")]
    pixels = np.concatenate(train) / 255
    names = ("red", "green", "blue")
    assert [found.metrics[f"mean_{name}_train"] for name in names] == pytest.approx(pixels.mean(0), rel=1e-4)
    assert [found.metrics[f"std_{name}_train"] for name in names] == pytest.approx(pixels.std(0), rel=1e-4)
    assert found.metrics["gray_frac_train"] == pytest.approx(3 / 15)
    luma = np.asarray(Image.fromarray(dataset.store.image(0)).convert("L"), float)
    assert found.images["brightness"].iloc[0] == pytest.approx(luma.mean(), abs=1)
    assert found.images["contrast"].iloc[0] == pytest.approx(luma.std(), abs=1)


def test_metrics_are_flat_numbers(described):
    metrics = described()[1].metrics
    assert all(isinstance(value, (int, float)) for value in metrics.values())
    json.dumps(metrics, allow_nan=False)
