"""Classes by hand: numbers that differ, weights far apart."""

from pathlib import Path

import numpy as np
import pytest

from plateau_cause.capture.possible.settings import by_folder, mapping
from plateau_cause.capture.rules.classes import (
    classes,
    labels,
    off_folders,
    weighed_apart,
    without_case,
)
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}
TOLD = {"level": 2, "names": ["a", "b", "c"], "example": "b", "labels": [0, 1, 2]}


class TestWeightsOfClasses:
    def said(self, weights, seen, classes=None):
        train = {"role": "train", "labels": {"seen": seen, "classes": classes}}
        content = {"framework": "keras", "keras": {"class_weight": weights}, "loaders": [train],
                   "training": {"place": PLACE}}  # fmt: skip
        return weighed_apart(Peeked(content, Path()))

    def test_weights_that_make_one_class_count_alone(self):
        found = self.said({"0": 200.0, "1": 0.05}, {"0": 44, "1": 43})
        assert (found.code, found.cause) == ("classes_weighed_apart", "class_imbalance")
        assert "class 0 count 4093 times as much" in found.words

    def test_weights_by_rarity_are_as_they_should_be(self):
        assert self.said({"0": 9.0, "1": 0.1}, {"0": 10, "1": 900}) is None

    def test_few_images_of_a_class_tell_little(self):
        rng = np.random.default_rng(0)
        shares = np.geomspace(1, 0.01, 20) / np.geomspace(1, 0.01, 20).sum()
        weights = {str(one): 1 / share for one, share in enumerate(shares)}
        for _ in range(200):
            drawn = np.bincount(rng.choice(20, 48, p=shares), minlength=20)
            seen = {str(one): int(count) for one, count in enumerate(drawn) if count}
            assert self.said(weights, seen) is None

    def test_a_class_without_weight_is_left_out(self):
        assert self.said({"0": 0.0, "1": 1.0, "2": 1.0}, {"0": 20, "1": 20, "2": 20}) is None

    def test_classes_whose_names_are_numbers_keep_their_own(self):
        found = self.said({"0": 200.0, "1": 0.05}, {"0": 44, "1": 43}, ["1", "0"])
        assert "class 1 count" in found.words
        assert self.said(None, {"0": 10, "1": 900}) is None

    def test_a_class_is_called_by_its_name(self):
        found = self.said({"0": 0.1, "1": 9.0}, {"0": 10, "1": 90}, ["cat", "dog"])
        assert "class dog count" in found.words


class TestClasses:
    def seen(self, train, other):
        loaders = [
            {"role": role, "loop": None, "name": role, "place": PLACE, "labels": {"seen": seen},
             "data_set": {"place": None, "length": 400}}
            for role, seen in (("train", train), ("evaluation", other))
        ]  # fmt: skip
        return classes(Peeked({"loaders": loaders}, Path()))

    def test_an_evaluation_of_other_classes(self):
        found = self.seen({"1": 1, "2": 40, "3": 40}, {"0": 20, "1": 20})
        assert found.code == "classes_apart" and "0, 1" in found.words and found.location == PLACE

    @pytest.mark.parametrize(
        ("train", "other"),
        [
            ({"0": 10, "1": 30}, {"0": 20, "1": 20}),  # few of one is no split
            ({"0": 1, "2": 1, "5": 2}, {"1": 2, "3": 2}),  # too few were looked at to tell
            ({"0": 30, "1": 30}, {"0": 20, "1": 20, "2": 4}),  # one class more
            ({"0": 30, "1": 30}, {}),
        ],
    )
    def test_what_a_few_labels_cannot_tell(self, train, other):
        assert self.seen(train, other) is None


class TestNumbersOfClasses:
    def peeked(self, train, other):
        loaders = [{"role": role, "name": role, "place": PLACE, "data_set": {"place": PLACE},
                    "labels": {"class_to_idx": None, "by_folder": names}}
                   for role, names in (("train", train), ("evaluation", other))]  # fmt: skip
        return Peeked({"loaders": loaders}, Path())

    def test_a_capital_moves_a_folder_in_the_order(self):
        peeked = self.peeked({"daisy": 0, "lily": 1, "roses": 2}, {"Roses": 0, "daisy": 1, "lily": 2})
        found = labels(peeked)
        assert found.code == "labels_in_another_order" and "3 classes differ" in found.words
        assert mapping(peeked) == {"mapping": {"1": 0, "2": 1, "0": 2}}

    def test_the_same_order_is_no_other_one(self):
        assert labels(self.peeked({"a": 0, "b": 1}, {"A": 0, "b": 1})) is None

    def test_names_that_differ_in_capitals_alone_are_classes_of_their_own(self):
        assert without_case({"a": 0, "A": 1}) == {"a": 0, "A": 1} and without_case(None) == {}
        assert labels(self.peeked({"a": 0, "A": 1}, {"A": 0, "a": 1})) is not None


class TestOffFolders:
    def peeked(self, told, other=None):
        train, second = ({"role": role, "place": PLACE, "data_set": {"place": PLACE},
                          "labels": {"off_folders": off, "by_folder": names}}
                         for role, off, names in (("train", told, None),
                                                  ("evaluation", None, other)))  # fmt: skip
        return Peeked({"loaders": [train, second]}, Path())

    def test_labels_of_other_images(self):
        found = off_folders(self.peeked(TOLD))
        assert found.code == "labels_off_folders" and found.cause == "label_noise"
        assert "in the folder b have the labels 0, 1, 2" in found.words and found.location == PLACE

    def test_silent_where_labels_go_with_folders(self):
        assert off_folders(self.peeked(None)) is None

    @pytest.mark.parametrize(
        ("other", "labels"),
        [
            (None, {"a": 0, "b": 1, "c": 2}),
            ({"a": 2, "b": 1, "c": 0, "d": 3}, {"a": 2, "b": 1, "c": 0, "d": 3}),  # evaluation's fit
            ({"a": 2}, {"a": 0, "b": 1, "c": 2}),
        ],
    )
    def test_what_a_folder_is_called_in_labels(self, other, labels):
        assert by_folder(self.peeked(TOLD, other)) == {"level": 2, "labels": labels}


def test_of_a_small_set_all_labels_are_known():
    train = {"role": "train", "data_set": {"length": 4}, "labels": {"seen": {"0": 4}}}
    other = {"role": "evaluation", "name": "val", "place": PLACE, "data_set": {"place": None},
             "labels": {"seen": {"0": 4, "1": 4, "2": 4}}}  # fmt: skip
    assert (
        "classes that training hardly has: 1, 2" in classes(Peeked({"loaders": [train, other]}, Path())).words
    )
