"""Images by hand: how they are normalised, and what loaded weights expect."""

from pathlib import Path

import pytest

from plateau_cause.capture.possible.settings import as_expected
from plateau_cause.capture.rules.images import normalisation, seen_otherwise, training_sees_part, unexpected
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
WEIGHTS = [{"matched": 120, "tensors": 122}]


def loader(role, mean, std, channels="rgb", **more):
    image = {
        "tensor": {"least": -2.0, "most": 2.0, "shape": [8, 3, 4, 4]},
        "normalisation": {"mean": [mean] * 3, "std": [std] * 3, "channels": channels, **more},
    }
    data_set = {"transform": None, "place": PLACE}
    return {"role": role, "name": role, "place": PLACE, "image": image, "data_set": data_set,
            "loop": None}  # fmt: skip


def peeked(*loaders, weights=WEIGHTS, is_whole=True):
    content = {"loaders": list(loaders), "expected": IMAGENET,
               "training": {"input": None}, "evaluation": None,
               "model": {"weights": weights, "backbone": {"is_whole": is_whole}}}  # fmt: skip
    return Peeked(content, Path())


class TestUnexpected:
    @pytest.mark.parametrize(
        ("mean", "std", "channels", "said"),
        [
            (0.0, 1 / 255, "rgb", "values from -2 to 2"),  # bytes
            (120.0, 58.0, "rgb", "its weights expect images of mean"),  # scaled twice
            (0.45, 0.22, "bgr", "BGR images; its weights expect RGB"),
        ],
    )
    def test_far_from_what_the_weights_know(self, mean, std, channels, said):
        seen = peeked(loader("train", mean, std, channels))
        found = unexpected(seen)
        assert (found.code, found.cause) == ("preprocessing_unexpected", "preprocessing")
        assert said in found.words and found.location == PLACE
        told = as_expected(seen)
        assert told["flips"] is (channels == "bgr")
        assert told["scale"][0] == pytest.approx(std / IMAGENET["std"][2 if told["flips"] else 0], rel=0.03)

    @pytest.mark.parametrize("given", [(0.45, 0.22), (0.5, 0.5), (0.0, 1.0), (0.22, 0.45)])
    def test_what_people_do_and_fine_tuning_gets_used_to(self, given):
        assert unexpected(peeked(loader("train", *given))) is None

    def test_silent_where_it_cannot_be_known(self):
        far = loader("train", 0.0, 1 / 255)
        assert unexpected(peeked(far, weights=[])) is None
        assert unexpected(peeked(far, is_whole=False)) is None  # what holds it may scale


class TestOrderOfChannels:
    def test_the_other_order_in_evaluation(self):
        found = normalisation(peeked(loader("train", 0.45, 0.22), loader("evaluation", 0.45, 0.22, "bgr")))
        assert "BGR" in found.words

    def test_an_order_that_is_assumed_tells_nothing(self):
        train = loader("train", 0.45, 0.22, is_assumed=True)
        assert normalisation(peeked(train, loader("evaluation", 0.45, 0.22, "bgr"))) is None


def shown(role, part, grey=False):
    return {"role": role, "name": role, "place": PLACE, "part_seen": part, "grey": grey, "loop": None,
            "data_set": {"transform": None, "place": PLACE}}  # fmt: skip


class TestParts:
    def both(self, train, other):
        content = Peeked({"loaders": [shown("train", *train), shown("evaluation", *other)]}, Path())
        return [one and one.code for one in (seen_otherwise(content), training_sees_part(content))]

    @pytest.mark.parametrize(
        ("train", "other", "codes"),
        [
            ((1.0,), (0.06,), ["evaluation_seen_otherwise", None]),
            ((1.0, False), (1.0, True), ["evaluation_seen_otherwise", None]),
            ((1.0, True), (1.0, False), ["evaluation_seen_otherwise", None]),
            ((0.05,), (1.0,), [None, "training_sees_part"]),
            ((0.5,), (0.77,), [None, None]),  # as ImageNet is trained
            ((1.0,), (0.6,), [None, None]),
            ((0.3,), (0.9,), [None, None]),
            ((0.05,), (0.06,), [None, None]),  # small parts on both sides
            ((None,), (0.1,), [None, None]),
            ((1.0, True), (1.0, True), [None, None]),
            ((1.0, None), (1.0, True), [None, None]),
        ],
    )
    def test_what_evaluation_and_training_see(self, train, other, codes):
        assert self.both(train, other) == codes
