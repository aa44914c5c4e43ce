"""Labels of evaluation that mean other classes are told by confusions; mistakes are not."""

import numpy as np
import pytest

from plateau_cause.capture.child import confusion
from plateau_cause.capture.possible.relabelled import mapping, relabelled
from plateau_cause.capture.rules.observation import Peeked

CLASSES = 6
LABELS = np.arange(120) % CLASSES
PLACE, LOADER = {"file": "train.py", "line": 3}, {"file": "train.py", "line": 9}


def judged(predicted, labels=LABELS):
    return {"val": confusion.told(np.asarray(predicted), np.asarray(labels))}


def mistaken(share, seed=0):
    """Returns labels of which a share is another one by chance."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(LABELS)) < share, rng.integers(0, CLASSES, len(LABELS)), LABELS)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_classes_in_another_order_are_mapped_back(share):
    learned = (mistaken(share) + 2) % CLASSES
    assert mapping(judged(learned)) == {label: (label + 2) % CLASSES for label in range(CLASSES)}


def test_only_those_that_are_exchanged():
    learned = np.choose(LABELS, [1, 0, 2, 3, 4, 5])
    assert mapping(judged(learned)) == {0: 1, 1: 0}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_mistakes_by_chance_are_no_order(share, seed):
    assert mapping(judged(mistaken(share, seed))) == {}


@pytest.mark.parametrize("one", range(CLASSES))
def test_one_answer_for_everything_is_no_order(one):
    assert mapping(judged(np.full(len(LABELS), one))) == {}


def test_a_model_that_hardly_tells_classes_apart_has_no_order():
    """A few answers that follow the most frequent labels would fit better under another order."""
    uneven = np.repeat(np.arange(CLASSES), [60, 30, 10, 8, 6, 6])
    assert mapping(judged(np.full(len(uneven), 3), uneven)) == {}
    two = np.where(uneven == 0, 4, 5)
    assert mapping(judged(two, uneven), 0.99) == {0: 4, 1: 5, 4: 0, 5: 1}  # much of what training reaches
    little = np.where(np.arange(len(uneven)) % 3 == 0, (uneven + 1) % CLASSES, 5)
    assert mapping(judged(little, uneven), 0.99) == {}


@pytest.mark.parametrize(("trained", "is_order"), [(0.24, False), (0.45, True)])
def test_what_learns_none_of_its_own_labels_has_no_order(trained, is_order):
    """Shuffled labels: what looks alike is given one answer, and that answer means nothing."""
    learned = (mistaken(0.72) + 2) % CLASSES
    assert bool(mapping(judged(learned), trained)) is is_order


def test_classes_that_are_taken_for_one_another_are_confused_and_not_exchanged():
    learned = np.where(LABELS == 0, 1, LABELS)
    assert mapping(judged(learned)) == {}


def test_nothing_is_said_without_confusions():
    assert mapping({}) == {} and mapping({"val": {"accuracy": 0.1}}) == {}
    many = np.arange(500)
    assert judged(many, many)["val"]["confused"] == []


def test_facts_of_an_evaluation():
    told = confusion.told(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]))
    assert {key: told[key] for key in ("accuracy", "images", "classes", "majority")} == {
        "accuracy": 0.75, "images": 4, "classes": 2, "majority": 0.75,
    }  # fmt: skip
    assert told["confused"] == [[[0, 0, 2], [1, 1, 1]], [[0, 1, 1]]]


@pytest.mark.parametrize(("place", "named"), [(PLACE, LOADER), (LOADER, LOADER), ({**PLACE, "line": 5},) * 2])
def test_the_line_is_that_of_what_is_evaluated(place, named, tmp_path):
    made = [PLACE, place]
    roles = ["train", "evaluation"]
    loaders = [
        {"role": role, "place": LOADER, "data_set": {"place": one}, "labels": {"by_folder": None}}
        for role, one in zip(roles, made, strict=True)
    ]
    found = relabelled(Peeked({"loaders": loaders}, tmp_path), judged((LABELS + 1) % CLASSES), 0.9)
    assert (found.name, found.cause, found.location) == ("labels_mapped", "label_mapping", named)
    assert found.settings == {"mapping": {str(label): (label + 1) % CLASSES for label in range(CLASSES)}}
    assert "0 is learned as 1" in found.words and "and 2 more" in found.words


def test_labels_that_fit_ask_for_nothing(tmp_path):
    assert relabelled(Peeked({"loaders": []}, tmp_path), judged(LABELS), 0.9) is None


@pytest.mark.parametrize(("framework", "key"), [("pytorch", "by_folder"), ("keras", "class_to_idx")])
@pytest.mark.parametrize("other", [{"six": 0, "nine": 1}, {"six": 0}])
def test_classes_that_have_names_are_not_doubted(framework, key, other, tmp_path):
    """A model that was trained on turned images takes a 6 for a 9: that is no order of labels."""
    named = [{"six": 0, "nine": 1, "one": 2}, other]
    loaders = [{"role": role, "place": LOADER, "data_set": {"place": PLACE}, "labels": {key: names}}
               for role, names in zip(("train", "evaluation"), named, strict=True)]  # fmt: skip
    peeked = Peeked({"loaders": loaders, "framework": framework}, tmp_path)
    found = relabelled(peeked, judged((LABELS + 1) % CLASSES), 0.3)
    assert (found is None) == (len(other) > 1)
