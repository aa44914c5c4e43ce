"""Which label goes with which folder, by hand."""

from types import SimpleNamespace

import pytest

from plateau_cause.capture.child.describe import folders
from plateau_cause.capture.child.describe.folders import by_folder, off_folders


def sample(path, label):
    return SimpleNamespace(label=label, raw=SimpleNamespace(path=path))


def test_classes_by_the_folder_that_names_them():
    plain = [
        sample(f"/data/train/{name}/{i}.png", label) for label, name in enumerate("ab") for i in range(4)
    ]
    assert by_folder(plain) == {"a": 0, "b": 1}
    days = [
        sample(f"/data/train/{name}/day{i}/{i}.png", label)
        for label, name in enumerate("ab")
        for i in range(4)
    ]
    assert by_folder(days) == {"a": 0, "b": 1}
    patients = [sample(f"/data/{name}/{name}{i // 2}/{i}.png", label) for label, name in enumerate("ab")
                for i in range(4)]  # fmt: skip
    assert by_folder(patients) == {"a": 0, "b": 1}


def test_folders_that_name_no_class():
    mixed = [sample(f"/data/train/day{i % 2}/{i}.png", i // 2 % 2) for i in range(8)]
    assert by_folder(mixed) is None and by_folder([]) is None
    noisy = [sample(f"/d/{name}/{i}.png", label if i else 1 - label) for label, name in enumerate("ab")
             for i in range(6)]  # fmt: skip
    assert by_folder(noisy) == {"a": 0, "b": 1}


def test_a_folder_of_one_image_agrees_with_anything():
    shards = [sample(f"/data/train/{i:02x}/{i}.png", i % 3 == 0) for i in range(48)]
    assert by_folder(shards) is None
    sites = [
        sample(f"/d/{name}/site{i % 2}/{i}.png", label) for label, name in enumerate("abc") for i in range(6)
    ]
    assert by_folder(sites) == {"a": 0, "b": 1, "c": 2}


class TestOffFolders:
    """Labels that do not go with folders which the script takes for its classes."""

    NAMES = ("cat", "dog", "emu")

    def seen(self, label, names=NAMES, each=8):
        return [sample(f"/data/train/{name}/{i}.png", label(number, i)) for number, name in enumerate(names)
                for i in range(each)]  # fmt: skip

    def told(self, seen, **held):
        return off_folders(seen, [SimpleNamespace(**held)])

    @pytest.mark.parametrize("held", [{"classes": list(NAMES)}, {"class_to_idx": dict.fromkeys(NAMES, 0)},
                                      {"names": {*NAMES, "fox"}}])  # fmt: skip
    def test_labels_of_other_images(self, held):
        told = self.told(self.seen(lambda _, i: i % 3), **held)
        assert told == {"level": 2, "names": ["cat", "dog", "emu"], "example": "cat", "labels": [0, 1, 2]}

    def test_what_running_code_holds_is_known(self, monkeypatch):
        classes = list(self.NAMES)
        monkeypatch.setattr(folders, "is_users", lambda one: one == __file__)
        assert off_folders(self.seen(lambda _, i: i % 3), []) is not None and classes

    @pytest.mark.parametrize(
        ("label", "held", "names"),
        [
            (lambda number, i: number, ["cat", "dog", "emu"], NAMES),  # each its own
            (lambda number, i: number if i % 4 else i % 3, ["cat", "dog", "emu"], NAMES),  # a few wrong ones
            (lambda number, i: i % 3, ["day1", "day2"], NAMES),  # the script has no such classes
            (lambda number, i: i % 2, ["cat", "dog", "emu"], NAMES),  # attributes, fewer than folders
            (lambda number, i: i % 2, ["cat", "dog"], ("cat", "dog")),  # two of two may be anything
        ],
    )
    def test_what_is_no_fault(self, label, held, names, monkeypatch):
        monkeypatch.setattr(folders, "is_users", lambda one: False)  # this test's own variables
        assert self.told(self.seen(label, names), classes=held) is None

    def test_a_few_images_tell_nothing(self):
        assert self.told(self.seen(lambda _, i: i % 3, each=2), classes=list(self.NAMES)) is None
