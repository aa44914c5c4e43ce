"""What a loader's description says by hand: loaders that no line reads, how images are scaled."""

import linecache
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from plateau_cause.capture.child.describe import names
from plateau_cause.capture.child.describe.data import _declared
from plateau_cause.capture.child.describe.samples import normalisation


@pytest.mark.parametrize(
    ("text", "name", "is_used"),
    [("ssl = make()\n", "ssl", False), ("ssl = make()\nfor x in ssl:\n    pass\n", "ssl", True),
     ("def make():\n    return 1\n", "elsewhere", True), ("ssl = make()\n", None, True)],
)  # fmt: skip
def test_a_loader_that_no_line_reads(text, name, is_used, monkeypatch, tmp_path):
    file = str(tmp_path / "train.py")
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    monkeypatch.setitem(sys.modules, "the_script", SimpleNamespace(__file__=file))
    monkeypatch.setattr(names, "is_users", lambda one: one == file)
    assert names.is_used(name) is is_used


class TestDeclared:
    """The one `Normalize` of a transform, where chance hides what it does."""

    transform = SimpleNamespace(transforms=[v2.Normalize([0.5, 0.4, 0.3], [0.25, 0.25, 0.25])])
    raws = (SimpleNamespace(image=np.array([[0, 255], [0, 255]])),)

    def test_it_is_what_scales(self):
        told = _declared(self.transform, {"dtype": "float32", "std": [1.6] * 3}, list(self.raws))
        assert told["mean"] == [0.5, 0.4, 0.3] and told["is_assumed"]

    def test_something_else_scales_too(self):
        assert _declared(self.transform, {"dtype": "float32", "std": [0.006] * 3}, list(self.raws)) is None
        assert _declared(self.transform, {"dtype": "float32", "std": [400.0] * 3}, list(self.raws)) is None

    def test_nothing_to_compare_with(self):
        assert _declared(self.transform, {"dtype": "float32", "std": [1.0] * 3}, []) is None


def test_grey_images_are_in_no_other_order():
    generator = np.random.default_rng(0)
    raws = [SimpleNamespace(image=np.repeat(generator.integers(0, 255, (6, 6, 1)), 3, 2).astype("uint8"))
            for _ in range(12)]  # fmt: skip
    noise = generator.normal(0, 1e-4, (12, 3, 5, 5))
    tensors = [torch.from_numpy(raw.image[:5, 1:].transpose(2, 0, 1) / 255 + one)
               for raw, one in zip(raws, noise, strict=True)]  # fmt: skip
    pairs = [SimpleNamespace(raw=raw, tensor=tensor) for raw, tensor in zip(raws, tensors, strict=True)]
    assert (normalisation(pairs) or {"channels": "rgb"})["channels"] == "rgb"


def test_images_in_the_order_of_cv2():
    generator = np.random.default_rng(0)
    raws = [SimpleNamespace(image=generator.integers(0, 255, (6, 6, 3)).astype("uint8")) for _ in range(12)]
    pairs = [SimpleNamespace(raw=raw, tensor=torch.from_numpy(raw.image[..., ::-1].transpose(2, 0, 1) / 255))
             for raw in raws]  # fmt: skip
    assert normalisation(pairs)["channels"] == "bgr"
