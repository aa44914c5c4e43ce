"""Labels of images by their folders: what is read, and in which form."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset

from plateau_cause.capture.child.album import Album
from plateau_cause.capture.child.doors.decoding import Decoding, Raw
from plateau_cause.capture.child.interventions.labels_by_folder import LabelsByFolder, relabelled

IMAGE = torch.zeros(3, 4, 4)


class Images(Dataset):
    """Reads images from folders, as the decoders would tell, with label 0 for all."""

    def __init__(self, decoding, paths):
        self.decoding, self.paths = decoding, paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        assert self.decoding.listening
        self.decoding.found.append(Raw(None, self.paths[index]))
        return IMAGE, 0


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(DataLoader, "__iter__", DataLoader.__iter__)
    change = LabelsByFolder("labels_by_folder", {"level": 2, "labels": {"cat": 0, "dog": 1, "emu": 2}})
    decoding = Decoding(None)
    change.changes = SimpleNamespace(doors=SimpleNamespace(decoding=decoding))
    change.install(torch)
    return change, decoding


@pytest.mark.parametrize("wrap", [
    lambda one: one, lambda one: Subset(one, range(4)), lambda one: ConcatDataset([Subset(one, range(4))]),
])  # fmt: skip
def test_every_image_has_the_label_of_its_folder(bench, wrap):
    change, decoding = bench
    data = Images(decoding, ["/d/cat/1.png", "/d/dog/2.png", "/d/emu/3.png", "/d/fox/4.png"])
    loader = DataLoader(wrap(data), batch_size=4)
    for _ in range(2):
        assert next(iter(loader))[1].tolist() == [0, 1, 2, 0]
    assert change.told()["took"] and change.times == 1 and isinstance(data, Images)
    assert not decoding.listening and decoding.found[0].path == "/d/cat/1.png"


def test_only_that_data_set_is_changed(bench):
    _, decoding = bench
    next(iter(DataLoader(Images(decoding, ["/d/dog/1.png"]))))
    decoding.listening = True
    assert Images(decoding, ["/d/dog/1.png"])[0][1] == 0


@pytest.mark.parametrize(
    ("item", "label"),
    [
        ((IMAGE, 0), 2),
        ((IMAGE, np.int64(0)), 2),
        ((IMAGE, torch.tensor(0)), torch.tensor(2)),
        ((IMAGE, np.array([1.0, 0.0, 0.0])), np.array([0.0, 0.0, 1.0])),
        ((IMAGE, np.array(0)), np.array(2)),
        ((IMAGE, torch.tensor([1.0, 0.0, 0.0])), torch.tensor([0.0, 0.0, 1.0])),
    ],
)
def test_a_label_keeps_its_form(item, label):
    given = relabelled(item, 2)[1]
    assert type(given) is type(item[1]) and torch.equal(torch.as_tensor(given), torch.as_tensor(label))


def test_what_else_is_a_number_stays():
    assert relabelled((IMAGE, 0, 17), 2)[1:] == (2, 17)  # the image's own number
    assert relabelled((0, IMAGE), 2)[0] == 2
    assert relabelled({"index": 5, "image": IMAGE, "label": 0}, 2) == {"index": 5, "image": IMAGE, "label": 2}
    assert relabelled({"pixel_values": IMAGE}, 2).keys() == {"pixel_values"}
    assert relabelled(IMAGE, 2) is IMAGE and relabelled([IMAGE, "cat"], 2)[1] == "cat"


def test_images_in_memory_are_found_by_their_files(bench):
    _, decoding = bench
    images = [torch.rand(3, 16, 16) for _ in range(3)]
    decoding.album = Album()
    for name, image in zip(("emu", "cat", "dog"), images, strict=True):
        decoding.album.add(f"/d/{name}/1.png", lambda image=image: image)
    data = TensorDataset(torch.stack(images), torch.zeros(3, dtype=torch.long))
    assert next(iter(DataLoader(data, 3)))[1].tolist() == [2, 0, 1]
    assert relabelled(torch.zeros(3), 1).tolist() == [0, 0, 0]
