"""The working scale: which images, how many, and how long a recipe trains on them."""

import numpy as np
import pytest
from tiny import tiny_dataset

from plateau_cause.config.recipe import Recipe, put
from plateau_cause.lab import scale
from plateau_cause.lab.scale import Scale, images_of_part, scales


@pytest.fixture
def many(tmp_path, monkeypatch):
    """720 training images, of which 90 are enough."""
    for name, value in {"LEAST_IMAGES": 90, "MOST_IMAGES": 90, "PER_CLASS": 10}.items():
        monkeypatch.setattr(scale, name, value)
    monkeypatch.setattr(scale, "JUDGED", {"val": 60, "test": 120})
    return tiny_dataset(tmp_path, 400)


class TestParts:
    def test_few_images_have_none(self, tiny_dataset):
        assert scales(tiny_dataset) == []

    def test_are_stratified_and_in_the_order_of_the_manifest(self, many):
        first = scales(many)[0]
        assert (first.images, first.of) == (90, 720)
        assert np.all(np.diff(first.rows) > 0)
        part = many.subset(first.rows)
        for split, n in (("train", 90), ("val", 60), ("test", 120)):
            assert np.bincount(part.targets[part.indices(split)]).tolist() == [n // 3] * 3

    def test_are_the_same_each_time(self, many):
        one, two = scales(many), scales(many)
        assert all(np.array_equal(a.rows, b.rows) for a, b in zip(one, two, strict=True))

    def test_grow_while_much_is_saved(self, many):
        assert [part.images for part in scales(many)] == [90, 360]

    def test_a_rare_class_stays(self, many):
        keep = np.r_[np.flatnonzero(many.targets < 2), np.flatnonzero(many.targets == 2)[:3]]
        part = scales(many.subset(keep))[0]
        assert 2 in many.subset(keep).targets[part.rows]

    @pytest.mark.parametrize(
        ("n", "classes", "expected"),
        [(1_800, 10, None), (5_900, 10, None), (6_000, 10, 1_500), (50_000, 10, 4_166), (10**6, 10, 6_000)],
    )
    def test_how_many(self, n, classes, expected):
        assert images_of_part(n, classes) == expected

    def test_many_classes_need_more(self):
        assert images_of_part(1_281_167, 1_000) == 20_000


class TestSchedule:
    part = Scale(np.arange(1_500), 1_500, 30_000)

    def test_as_many_epochs_where_there_are_steps_enough(self):
        given = put(Recipe(), {"batch_size": 32, "schedule.epochs": 10})
        assert self.part.shortened(given) == given

    def test_more_epochs_where_steps_would_be_few(self):
        given = put(Recipe(), {"batch_size": 256, "schedule.epochs": 6})  # 5 steps in an epoch of the part
        assert self.part.shortened(given).schedule.epochs == 40

    def test_never_more_steps_than_the_recipe_takes(self):
        given = put(Recipe(), {"batch_size": 256, "schedule.epochs": 1})  # 117 steps in all
        assert self.part.shortened(given).schedule.epochs == 24

    def test_comes_back_as_the_user_has_it(self):
        given = put(Recipe(), {"batch_size": 256, "schedule.epochs": 6})
        swapped = put(self.part.shortened(given), {"trainable": "all"})
        assert self.part.whole(swapped, given) == put(given, {"trainable": "all"})
        longer = put(swapped, {"batch_size": 32, "schedule.epochs": 6})  # the reference's
        assert self.part.whole(longer, given) == longer
