"""A script's held-out accuracy that says little is said to; one that says much is not."""

import pytest

from plateau_cause.diagnosis.replays import swing
from plateau_cause.diagnosis.script_alarms import script_alarms, unmoved, unsteady


def codes(accuracy, **splits):
    found = script_alarms(splits, accuracy)
    assert not any(alarm.acquits for alarm in found)
    return [alarm.code for alarm in found]


def split(images, classes=3, majority=0.34):
    return {"images": images, "classes": classes, "majority": majority}


def test_one_class_alone_tells_nothing():
    assert codes(1.0, val=split(40, classes=1, majority=1.0)) == ["one_class_held_out"]


@pytest.mark.parametrize(
    ("accuracy", "images", "majority", "is_said"),
    [
        (0.34, 300, 0.34, True),  # one class for everything
        (0.90, 300, 0.34, False),
        (0.67, 6, 0.34, True),  # four of six
        (1.0, 6, 0.34, False),
        (0.955, 300, 0.95, True),  # imbalanced
        (0.99, 300, 0.95, False),
        (0.10, 300, 0.34, True),  # below chance
    ],
)
def test_what_the_most_frequent_class_reaches_as_well_is_said(accuracy, images, majority, is_said):
    found = codes(accuracy, val=split(images, majority=majority))
    assert found == ["no_better_than_majority"] * is_said


@pytest.mark.parametrize(
    ("accuracy", "trained", "is_said"),
    [(0.45, 0.40, True), (0.45, 0.60, False), (0.80, 0.40, False), (0.45, None, False)],  # mixed images
)
def test_a_training_that_hardly_learns_its_own_images_is_never_healthy(accuracy, trained, is_said):
    found = [alarm.code for alarm in script_alarms({"val": split(300)}, accuracy, trained)]
    assert found == ["hardly_learned"] * is_said


def test_several_splits_count_together():
    assert codes(0.5, val=split(10), test=split(10)) == ["no_better_than_majority"]
    assert codes(0.5, val=split(100), test=split(100)) == []


def test_where_labels_are_not_known_nothing_is_said():
    assert codes(0.0, val={"images": 5, "classes": None, "majority": None}) == codes(0.0) == []


@pytest.mark.parametrize(
    ("accuracy", "trained", "is_said"),
    [(0.175, 1.0, True), (0.77, 1.0, False), (0.4, 0.45, False), (0.4, None, False), (0.5, 1.0, False)],
)
def test_what_hardly_carries_over_is_said(accuracy, trained, is_said):
    found = script_alarms({"val": split(1000, classes=10, majority=0.1)}, accuracy, trained)
    assert [alarm.code for alarm in found if not alarm.acquits] == ["far_below_training"] * is_said


@pytest.mark.parametrize(
    ("carries_over", "why"), [(True, "that of the repaired script does"), (False, "there are too few images")]
)
def test_why_little_carries_over_is_guessed_only_where_no_repair_shows_it(carries_over, why):
    found = script_alarms(
        {"val": split(1000, classes=10, majority=0.1)}, 0.175, 1.0, carries_over=carries_over
    )
    assert why in found[-1].words


@pytest.mark.parametrize(
    ("changes", "is_said"), [([0.0, 0.0], True), ([0.0, 1e-9], False), ([0.0, None], False), ([], False)]
)
def test_a_training_that_moves_nothing_is_never_healthy(changes, is_said):
    moved = {f"layer{number}": {"change": change} for number, change in enumerate(changes)}
    found = unmoved([{"moved": None}, {"moved": moved}])
    assert [(one.code, one.acquits) for one in found] == ([("nothing_moved", False)] if is_said else [])


def run(*accuracies):
    return {"epochs": [{"evaluations": [{"accuracy": one}]} for one in accuracies]}


class TestSwings:
    @pytest.mark.parametrize(
        ("accuracies", "least", "most"),
        [
            ((0.3, 0.2, 0.24, 0.45, 0.3), 0.1, 0.14),
            ((0.45, 0.72, 0.7, 0.39, 0.72), 0.15, 0.25),
            ((0.2, 0.6, 0.7, 0.74, 0.76), 0.0, 0.03),  # it learns
            ((0.2, 0.3, 0.4, 0.5, 0.6), 0.0, 1e-9),  # steadily
            ((0.9, 0.9, 0.9, 0.9, 0.9, 0.9), 0.0, 0.0),
            ((0.2, 0.9, 0.3, 0.8), 0.0, 0.0),  # too few epochs
            ((0.1, 0.5, 0.2, 0.6, 0.9, 0.91, 0.92, 0.93), 0.0, 0.01),  # it did, early on
            ((), 0.0, 0.0),
        ],
    )
    def test_of_the_last_epochs(self, accuracies, least, most):
        assert least <= swing(run(*accuracies)) <= most

    def test_an_epoch_that_was_not_judged_tells_nothing(self):
        unknown = run(0.3, 0.9, None, 0.2, 0.9, 0.1)
        assert swing(unknown) == 0.0
        unknown["epochs"][2]["evaluations"] = []
        assert swing(unknown) == 0.0

    @pytest.mark.parametrize(
        ("rates", "is_calm"),
        [
            ((1, 1, 1, 1, 1), False),
            ((4, 3, 2, 1, 0), True),
            ((9, 9, 9, 9, 0.1), True),
            ((1, 1, 1, 1, 9), False),
        ],
    )
    def test_a_rate_that_falls_calms_it(self, rates, is_calm):
        content = run(0.3, 0.2, 0.24, 0.45, 0.3)
        for epoch, rate in zip(content["epochs"], rates, strict=True):
            epoch["rates"] = [rate, rate / 10]
        assert (swing(content) < 0.02) is is_calm

    def test_one_image_of_a_few_is_no_swing(self):
        content = run(*(hits / 24 for hits in (16, 16, 16, 17, 16, 17)))
        assert swing(content) > 0.03
        for epoch in content["epochs"]:
            epoch["evaluations"][0]["images"] = 24
        assert swing(content) == 0.0

    def test_is_said_where_it_is_much(self):
        assert unsteady(0.02) == []
        assert "about 12 points" in unsteady(0.12)[0].words and unsteady(0.12)[0].acquits
