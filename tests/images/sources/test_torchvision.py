import gzip
import hashlib
import http.server
import threading
from functools import partial
from types import SimpleNamespace

import pytest
from forms import FORMS, pictures

from plateau_cause.config.params import Data
from plateau_cause.errors import PlateauError
from plateau_cause.images import sources
from plateau_cause.images.sources.torchvision import KNOWN, _class_names, _lazily


def declared(name, root):
    return Data(source="torchvision", path=name, root=str(root))


def refusal(name, root, key="data"):
    with pytest.raises(PlateauError) as error:
        list(sources.read(declared(name, root), key))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("CIFAR-10", "CIFAR10"),
        ("cifar100", "CIFAR100"),
        ("Fashion MNIST", "FashionMNIST"),
        ("flowers", "Flowers102"),
    ],
)
def test_the_nearest_name(tmp_path, given, near):
    text = refusal(given, tmp_path, "reference_data")
    assert text.startswith(
        f"reference_data.path: got {given!r}; did you mean {near}? allowed for torchvision: "
    )
    assert "EuroSAT, " in text


@pytest.mark.parametrize("name", ["CocoDetection", "ImageFolder", "FakeData", "nonsense", "__init__"])
def test_what_has_no_class_per_image_is_not_known(tmp_path, name):
    assert f"data.path: got {name!r}" in refusal(name, tmp_path)


@pytest.mark.parametrize("name", KNOWN)
def test_the_table_names_classes_and_arguments_that_torchvision_has(name, tmp_path):
    from torchvision import datasets

    for arguments in KNOWN[name].splits.values():
        with pytest.raises(
            (RuntimeError, OSError), match=r"(?i)not found|not present|no such file|a network"
        ):
            getattr(datasets, name)(str(tmp_path), **arguments, **_lazily(name))


def test_the_documented_list_is_current(root):
    text = (root / "docs/data.md").read_text()
    listed = text.split("one\nclass per image:")[1].split("##")[0].replace("(balanced)", "")
    assert [name.strip(" .\n") for name in listed.split(",")] == list(KNOWN)


def test_without_a_network_it_says_what_to_do(tmp_path):
    text = refusal("EuroSAT", tmp_path / "raw")
    assert f"data.path: EuroSAT is not in '{tmp_path}/raw/eurosat' (Dataset not found" in text
    assert "cannot be downloaded (" in text
    assert "allowed: a network, or the files of torchvision.datasets.EuroSAT in that folder" in text
    assert f"data.root is '{tmp_path}/raw'" in text
    assert "no download" in refusal("FER2013", tmp_path / "raw")


def test_watching_downloads_or_says_why_not(tmp_path):
    with pytest.raises(PlateauError, match="cannot be downloaded"):
        sources.local_files(declared("Country211", tmp_path))
    assert (
        sources.local_files(FORMS["torchvision Country211"].write(tmp_path, pictures())).name == "country211"
    )


def test_it_is_downloaded_where_there_is_a_network(tmp_path, monkeypatch, capfd):
    """From a server on this machine that serves the data set's own files."""
    from torchvision.datasets import FashionMNIST

    written = FORMS["torchvision FashionMNIST"].write(tmp_path / "made", pictures())
    served, resources = tmp_path / "served", []
    served.mkdir()
    for file in sorted((tmp_path / "made/FashionMNIST/raw").iterdir()):
        content = gzip.compress(file.read_bytes())
        (served / f"{file.name}.gz").write_bytes(content)
        resources.append((f"{file.name}.gz", hashlib.md5(content).hexdigest()))
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(FashionMNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        monkeypatch.setattr(FashionMNIST, "resources", resources)
        fetched = declared("FashionMNIST", tmp_path / "new/root")
        folder = sources.local_files(fetched)
        server.shutdown()
    assert folder == tmp_path / "new/root/FashionMNIST/raw"
    found, wanted = (
        [(i.image_id, i.label, i.split, i.load().tobytes()) for i in sources.read(data)]
        for data in (fetched, written)
    )
    assert found == wanted


def test_ids_are_paths_below_the_root_or_numbers_in_a_split(tmp_path):
    data = FORMS["torchvision EuroSAT"].write(tmp_path / "a", pictures())
    assert next(iter(sources.read(data))).image_id == "eurosat/2750/cat/test_0.jpg"
    data = FORMS["torchvision FashionMNIST"].write(tmp_path / "b", pictures())
    assert [i.image_id for i in sources.read(data)][7:9] == ["train/000007", "test/000000"]


def test_classes_of_one_name_stay_two():
    found = SimpleNamespace(classes=[("crane", "bird"), ("cat",), ("crane", "machine")])
    assert _class_names(found) == ["crane (0)", "cat", "crane (2)"]


def test_withheld_labels_are_refused(tmp_path):
    """FER2013 as its competition gave it out: pixels as text, and no emotions of the test images."""
    folder = tmp_path / "fer2013"
    folder.mkdir()
    pixels = " ".join(["7"] * 48 * 48)
    (folder / "train.csv").write_text(f"emotion,pixels\n3,{pixels}\n")
    (folder / "test.csv").write_text(f"pixels\n{pixels}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torchvision.datasets.fer2013.check_integrity", lambda *_, **__: True)
        found = list(sources.read(declared("FER2013", tmp_path)))
    assert [(i.label, i.split, i.refused) for i in found] == [("3", "train", None), ("", "test", "no label")]
    assert found[0].load().shape == (48, 48)
