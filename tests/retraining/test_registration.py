"""Today's model is the challenger, be it new or an older version again; people read what it is beside it."""

from types import SimpleNamespace

import numpy as np
import pytest

from plateau_cause.retraining import registration
from plateau_cause.tracking.registry import Version

TAGS = {
    "test_accuracy": "0.8830", "verdict": "plateau", "headline": "<b> classes are frozen",
    "git.commit": "0123456789abcdef", "git.dirty": "false",
}  # fmt: skip


class Versions:
    """A registry in which one version is known."""

    challenger = None

    def find(self, arm_key):
        return Version("plateau", "3", {}) if arm_key == "known" else None

    def challenge(self, version):
        self.challenger = version


def today(arm_key="known"):
    dataset = SimpleNamespace(indices=lambda split: np.arange(54), classes=["a", "b", "c"])
    backbone = SimpleNamespace(name="tiny")
    params = SimpleNamespace(backbone=backbone)
    return SimpleNamespace(params=params, dataset=dataset, test=np.arange(18), arm_key=arm_key)


def test_a_model_that_is_registered_already_is_the_challenger_again():
    versions = Versions()
    found = registration.register(today(), versions, None)
    assert (found.version, versions.challenger) == ("3", "3")


def test_a_version_says_what_it_is():
    text = registration._description(today(), TAGS)
    assert text.startswith(
        "tiny, trained by the recipe of params.yaml on 54 images of 3 classes (commit 0123456789)"
    )
    assert "Test accuracy 88.3% on 18 images." in text
    assert "Diagnosis: **plateau**." in text
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"git.dirty": "true"}, "(commit 0123456789, with changes that were not committed)"),
        ({"git.dirty": "false"}, "(commit 0123456789)"),
        ({"git.commit": None}, "(code outside git)"),
    ],
)
def test_a_version_says_whether_its_code_was_committed(tags, said):
    known = {name: value for name, value in {**TAGS, **tags}.items() if value is not None}
    assert said in registration._description(today(), known)
