import numpy as np
import pytest
from PIL import Image

from plateau_cause.images import statistics


def test_counts_sizes_and_colours_of_known_images(make_folder, prepared):
    files = {f"red/{n}.png": Image.new("RGB", (20, 10), (255, 0, 0)) for n in range(10)}
    files |= {f"gray/{n}.png": Image.new("L", (10, 40), 51) for n in range(5)}
    dataset = prepared(make_folder(files))
    found = statistics.describe(dataset)
    assert found.counts.loc["red"].tolist() == [6, 2, 2]
    assert found.counts.loc["gray"].tolist() == [3, 1, 1]
    red = found.images[found.images["label"] == "red"].iloc[0]
    gray = found.images[found.images["label"] == "gray"].iloc[0]
    assert (red["width"], red["height"], red["aspect"], gray["aspect"]) == (20, 10, 2.0, 0.25)
    assert red["brightness"] == pytest.approx(0.299 * 255)
    assert gray["brightness"] == pytest.approx(51)
    assert red["contrast"] == pytest.approx(0, abs=1e-4)
    assert (bool(red["is_gray"]), bool(gray["is_gray"])) == (False, True)
    np.testing.assert_allclose(found.color_mean, [(6 + 3 * 0.2) / 9, 0.2 / 3, 0.2 / 3])
    assert found.histogram.sum() == 3 * (10 * 200 + 5 * 400)
    assert found.histogram[:, 51].tolist() == [2000, 2000, 2000]
    numbers = statistics.metrics(found)
    assert numbers["train"] == pytest.approx(
        {"images": 9, "smallest_class": 3, "largest_class": 6, "imbalance": 2.0, "gray_frac": 1 / 3}
        | {"brightness": (6 * 76.245 + 3 * 51) / 9, "contrast": 0.0},
        abs=1e-4,
    )


def test_colour_moments_equal_those_of_the_pixels(make_folder, class_files, prepared):
    dataset = prepared(make_folder(class_files()))
    rows = dataset.indices("train")
    pixels = np.stack([dataset.store.image(row) for row in rows]) / 255.0  # (n, H, W, 3)
    found = statistics.describe(dataset)
    np.testing.assert_allclose(found.color_mean, pixels.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(found.color_std, pixels.std(axis=(0, 1, 2)))
    luma = pixels[0] @ [76.245, 149.685, 29.07]
    assert found.images["contrast"].iloc[rows[0]] == pytest.approx(luma.std())


def test_gray_survives_compression_and_colour_is_not_gray(make_folder, encode, picture, prepared):
    files = {}
    for n in range(6):
        files[f"gray/{n}.jpg"] = encode(picture(n, (90, 90)).convert("L").convert("RGB"), "JPEG", quality=60)
        files[f"color/{n}.jpg"] = encode(picture(n, (90, 90)), "JPEG", quality=60)
    found = statistics.describe(prepared(make_folder(files))).images
    assert (found["is_gray"] == (found["label"] == "gray")).all()


def test_a_class_that_a_split_lacks(make_folder, class_files, picture, prepared):
    files = class_files() | {"two/1.png": picture(90), "two/2.png": picture(91)}
    found = statistics.describe(prepared(make_folder(files)))
    numbers = statistics.metrics(found)
    assert numbers["val"]["smallest_class"] == 0
    assert numbers["train"]["imbalance"] == 6.0
