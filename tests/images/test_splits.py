import numpy as np
import pandas as pd
import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.images import splits


def images(counts, split=None, group=None):
    labels = [label for label, count in counts.items() for _ in range(count)]
    ids = [f"{label}/{row:04d}" for row, label in enumerate(labels)]
    return pd.DataFrame(
        {
            "image_id": ids,
            "label": labels,
            "split": pd.Series(split if split is not None else [None] * len(ids), dtype=object),
            "group": pd.Series(group if group is not None else [None] * len(ids), dtype=object),
        }
    )


def table(found, names):
    return pd.crosstab(found["label"], names).reindex(columns=splits.SPLITS, fill_value=0)


def test_stratified_to_the_image():
    found = images({"a": 100, "b": 50, "c": 10})
    assert table(found, splits.assign(found, 0.2, 0.1, 0)).to_numpy().tolist() == [
        [70, 20, 10],
        [35, 10, 5],
        [7, 2, 1],
    ]


def test_neither_order_nor_numbering_of_the_files_matters_and_the_seed_does():
    found = images({"a": 40, "b": 30})
    first = dict(zip(found["image_id"], splits.assign(found, 0.2, 0.2, 3), strict=True))
    shuffled = found.sample(frac=1, random_state=5)
    assert dict(zip(shuffled["image_id"], splits.assign(shuffled, 0.2, 0.2, 3), strict=True)) == first
    assert dict(zip(found["image_id"], splits.assign(found, 0.2, 0.2, 4), strict=True)) != first


def test_the_draw_is_the_same_on_any_machine():
    names = splits.assign(images({"a": 8, "b": 8}), 0.25, 0.25, 0)
    assert " ".join(names[:8]) == "train test train train train val test val"
    assert " ".join(names[8:]) == "test val train train train val train test"


def test_rare_classes_are_in_train_first_then_in_test():
    found = images({"a": 50, "two": 2, "three": 3})
    assert table(found, splits.assign(found, 0.2, 0.2, 0)).loc[["two", "three"]].to_numpy().tolist() == [
        [1, 0, 1],
        [1, 1, 1],
    ]


def test_groups_stay_together_and_sizes_are_about_right():
    rng = np.random.default_rng(0)
    found = images({"a": 300, "b": 200, "c": 60})
    found["group"] = [f"patient {n}" for n in rng.integers(0, 70, len(found))]
    found.loc[::10, "group"] = None  # some images are on their own
    names = splits.assign(found, 0.2, 0.2, 0)
    grouped = found["group"].notna().to_numpy()
    assert found[grouped].groupby(names[grouped])["group"].unique().explode().is_unique
    shares = table(found, names).div(table(found, names).sum(axis=1), axis=0)
    np.testing.assert_allclose(shares, [[0.6, 0.2, 0.2]] * 3, atol=0.05)


def test_a_class_in_one_group_is_in_train():
    found = images({"a": 40, "b": 40, "rare": 12})
    found["group"] = [f"g{row // 4}" for row in range(80)] + ["only"] * 12
    assert table(found, splits.assign(found, 0.2, 0.2, 0)).loc["rare"].tolist() == [12, 0, 0]


def test_given_splits_win():
    given = ["train"] * 3 + ["val"] * 3 + ["test"] * 4 + ["train"] * 9 + ["test"]
    found = images({"a": 10, "b": 10}, split=given)
    assert splits.assign(found, 0.2, 0.2, 0).tolist() == given


def test_missing_val_is_drawn_from_train():
    given = (["train"] * 8 + ["test"] * 2) * 2
    found = images({"a": 10, "b": 10}, split=given)
    names = splits.assign(found, 0.25, 0.2, 0)
    assert table(found, names).to_numpy().tolist() == [[6, 2, 2], [6, 2, 2]]
    assert ((names == "test") == (np.array(given) == "test")).all()


def test_images_without_a_split_beside_given_ones_are_trained_on():
    found = images({"a": 10, "b": 10}, split=([None] * 6 + ["test"] * 2 + ["val"] * 2) * 2)
    assert table(found, splits.assign(found, 0.2, 0.2, 0)).to_numpy().tolist() == [[6, 2, 2], [6, 2, 2]]


def test_an_image_without_a_split_follows_its_group():
    found = images({"a": 10, "b": 10}, split=(["train"] * 6 + ["test", "val", "test", None]) * 2)
    found.loc[[8, 9], "group"] = "g"
    assert splits.assign(found, 0.2, 0.2, 0)[9] == "test"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (images({"a": 20}), "one class"),
        (images({"a": 20, "b": 1}), "'b' has a single image"),
        (images({"a": 20, "b": 1, "c": 1}), "'b' and 1 more class have a single image"),
        (images({"a": 20, "b": 1, "c": 1, "d": 1}), "'b' and 2 more classes have a single image"),
        (images({"a": 2, "b": 2}), "no image is left for val"),
        (
            images({"a": 3, "b": 3}, split=["train", "val", "test", "val", "test", "test"]),
            "'b' has no training",
        ),
        (images({"a": 3, "b": 3}, split=["train", "val", "test"] * 2, group=["g"] * 6), "'g' has images in"),
        (images({"a": 9, "b": 9}, group=["g"] * 18), "no image is left"),
    ],
)
def test_what_cannot_be_split_is_said_in_one_line(found, words):
    with pytest.raises(PlateauError, match=words) as error:
        splits.assign(found, 0.2, 0.2, 0, "reference_data")
    assert str(error.value).startswith("reference_data")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "name"),
    [("Training", "train"), (" VALID ", "val"), ("validation", "val"), ("dev", "val"), ("TEST", "test")],
)
def test_usual_names_of_splits(given, name):
    assert splits.split_name(given, "data.columns.split") == name


def test_unknown_names_of_splits():
    with pytest.raises(PlateauError, match=r"data\.columns\.split: got 'tset'; did you mean test\?"):
        splits.split_name("tset", "data.columns.split")


def test_many_images_are_quick():
    found = images({f"{n:03d}": 200 for n in range(200)})
    found["group"] = [f"g{row // 3}" for row in range(len(found))]
    assert set(splits.assign(found, 0.2, 0.2, 0)) == set(splits.SPLITS)
