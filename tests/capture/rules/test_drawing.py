"""Which images are drawn, by hand: how often of each class, how few of all."""

from pathlib import Path

import pytest

from plateau_cause.capture.possible.settings import more_images
from plateau_cause.capture.rules.drawing import drawn_apart, few_read
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}


class TestDrawnApart:
    def said(self, drawn, seen):
        train = {"role": "train", "place": PLACE, "sampler": {}, "labels": {"seen": seen, "drawn": drawn}}
        return drawn_apart(Peeked({"loaders": [train]}, Path()))

    def test_one_class_a_hundred_times_as_often(self):
        found = self.said({"0": 1.0, "1": 0.01, "2": 0.01}, {"0": 16, "1": 16, "2": 16})
        assert (found.code, found.cause, found.location) == ("classes_drawn_apart", "class_imbalance", PLACE)
        assert "class 0 100 times as often as class 1" in found.words

    def test_a_class_that_is_never_drawn(self):
        found = self.said({"0": 1.0, "1": 0.0}, {"0": 20, "1": 20})
        assert "hardly ever" in found.words

    @pytest.mark.parametrize(
        ("drawn", "seen"),
        [
            ({"0": 1 / 300, "1": 1 / 20}, {"0": 45, "1": 3}),  # balanced
            ({"0": 1.0, "1": 1.0}, {"0": 45, "1": 3}),  # as they are: of which another rule may tell
            ({"0": 1.0, "1": 0.3}, {"0": 24, "1": 24}),
            (None, {"0": 24, "1": 24}),
        ],
    )
    def test_silent(self, drawn, seen):
        assert self.said(drawn, seen) is None


class TestFewRead:
    def peeked(self, reads):
        train = {"role": "train", "place": PLACE, "data_set": {"place": None}, "reads": reads}
        return Peeked({"loaders": [train]}, Path())

    def test_a_part_of_the_images(self):
        peeked = self.peeked({"items": 20, "of": 300, "unread": 280})
        found = few_read(peeked)
        assert (found.code, found.cause, found.location) == ("few_images_read", "limited_data", PLACE)
        assert "20 of 300 images" in found.words
        assert more_images(peeked) == {"loader": 0, "times": 3.0}

    def test_no_more_than_there_are(self):
        assert more_images(self.peeked({"items": 20, "of": 45, "unread": 25}))["times"] == 2.25

    @pytest.mark.parametrize(
        "reads",
        [
            None,
            {"items": 240, "of": 300, "unread": 60},
            {"items": 100, "of": 300, "unread": 100},  # the others are for validation
            {"items": 160, "of": 300, "unread": 140},
        ],
    )
    def test_silent(self, reads):
        assert few_read(self.peeked(reads)) is None
