"""One small set of pictures in every form that a source reads, as real files."""

from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from plateau_cause.config.params import Data

CLASSES = ("cat", "dog")
SPLITS = {"train": 3, "val": 1, "test": 1}  # pictures per class
DAMAGED = b"no picture"
TWO = {"train": "train", "val": "train", "test": "test"}  # sets that know no validation images
THREE = {name: name for name in SPLITS}


class Picture(NamedTuple):
    """A picture of the set: its class, its split, its number among both, and the bytes of its file."""

    label: str
    split: str
    number: int
    content: bytes

    @property
    def name(self) -> str:
        return f"{self.split}_{self.number}"


@dataclass(frozen=True)
class Form:
    """A way to keep pictures.

    Attributes:
        write: (folder, pictures) -> what params.yaml says to read them.
        splits: our split -> the split that the form puts its pictures in; empty: it has none.
        labels: what the form calls the classes.
        takes_damaged: False where every entry is an array of pixels, which cannot be damaged.
        needs: the package that writes it.
    """

    write: Callable[[Path, list[Picture]], Data]
    splits: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=lambda: dict(zip(CLASSES, CLASSES, strict=True)))
    takes_damaged: bool = True
    needs: str = "numpy"


def pictures(damaged: bool = False) -> list[Picture]:
    """Returns gray pictures of 18 x 12 pixels, every one another; and a training picture that is none."""
    random = np.random.default_rng(0)
    made = []
    for label in CLASSES:
        for split, count in SPLITS.items():
            for number in range(count):
                pixels = random.integers(0, 256, (12, 18)).astype(np.uint8)
                made.append(Picture(label, split, number, encoded(pixels)))
    return made + ([Picture("cat", "train", 99, DAMAGED)] if damaged else [])


def encoded(pixels: np.ndarray) -> bytes:
    """Returns the bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def decoded(picture: Picture) -> np.ndarray:
    """Returns pixels (12, 18) uint8."""
    return np.asarray(Image.open(io.BytesIO(picture.content)))


def _save(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _imagefolder(folder: Path, given: list[Picture]) -> Data:
    for picture in given:
        _save(folder / picture.split / picture.label / f"{picture.number}.png", picture.content)
    return Data(source="imagefolder", path=str(folder))


def _csv(folder: Path, given: list[Picture]) -> Data:
    rows = []
    for picture in given:
        image = f"{picture.label}-{picture.name}.png"
        _save(folder / image, picture.content)
        rows.append({"image": image, "label": picture.label, "split": picture.split})
    pd.DataFrame(rows).to_csv(folder / "t.csv", index=False)
    return Data(source="table", path=str(folder / "t.csv"))


def _parquet(folder: Path, given: list[Picture]) -> Data:
    rows = [{"image": p.content, "label": p.label, "split": p.split} for p in given]
    folder.mkdir()
    pd.DataFrame(rows).to_parquet(folder / "t.parquet")
    return Data(source="table", path=str(folder / "t.parquet"))


def _by_split(given: list[Picture]) -> Iterable[tuple[str, list[Picture]]]:
    return [(split, [p for p in given if p.split == split]) for split in SPLITS]


def _parquet_shards(folder: Path, given: list[Picture]) -> Data:
    folder.mkdir()
    for split, part in _by_split(given):
        for shard, some in enumerate((part[::2], part[1::2])):
            rows = [
                {"image": {"bytes": p.content, "path": f"{p.number}.png"}, "label": p.label} for p in some
            ]
            pd.DataFrame(rows).to_parquet(folder / f"{split}-{shard:05d}.parquet", row_group_size=2)
    return Data(source="table", path=f"{folder}/*.parquet")


def _tar(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            found = tarfile.TarInfo(name)
            found.size = len(content)
            archive.addfile(found, io.BytesIO(content))


def _webdataset(folder: Path, given: list[Picture]) -> Data:
    for split, part in _by_split(given):
        for shard, some in enumerate((part[::2], part[1::2])):
            members = [
                (f"{p.label}{p.number}.{ending}", content)
                for p in some
                for ending, content in (("cls", b"%d\n" % CLASSES.index(p.label)), ("png", p.content))
            ]
            _tar(folder / split / f"{shard}.tar", members)
    (folder / "classnames.txt").write_text("\n".join(CLASSES))
    return Data(source="webdataset", path=str(folder))


def _webdataset_json(folder: Path, given: list[Picture]) -> Data:
    members = []
    for p in given:
        metadata = {"species": p.label, "split": p.split}
        name = f"{p.label}-{p.name}"
        members += [(f"./{name}.jpg", p.content), (f"./{name}.json", json.dumps(metadata).encode())]
    _tar(folder / "all.tar", members)
    from plateau_cause.config.params import Columns

    return Data(source="webdataset", path=str(folder / "*.tar"), columns=Columns(label="species"))


def _huggingface_table(given: list[Picture], **features: Any) -> Any:
    import datasets

    rows = {
        "img": [{"bytes": p.content, "path": None} for p in given],
        "labels": [CLASSES.index(p.label) for p in given],
    }
    kinds = {"img": datasets.Image(), "labels": datasets.ClassLabel(names=list(CLASSES)), **features}
    return datasets.Dataset.from_dict(rows, features=datasets.Features(kinds))


def _huggingface_parquet(folder: Path, given: list[Picture]) -> Data:
    (folder / "data").mkdir(parents=True)
    for split, part in _by_split(given):
        name = {"val": "validation"}.get(split, split)
        _huggingface_table(part).to_parquet(folder / f"data/{name}-00000-of-00001.parquet")
    return Data(source="huggingface", path=str(folder))


def _huggingface_imagefolder(folder: Path, given: list[Picture]) -> Data:
    return Data(source="huggingface", path=_imagefolder(folder, given).path)


def _huggingface_saved(folder: Path, given: list[Picture]) -> Data:
    import datasets

    datasets.DatasetDict({s: _huggingface_table(part) for s, part in _by_split(given)}).save_to_disk(folder)
    return Data(source="huggingface", path=str(folder))


def _hub_parquet_as_table(folder: Path, given: list[Picture]) -> Data:
    from plateau_cause.config.params import Columns

    path = _huggingface_parquet(folder, given).path
    return Data(source="table", path=path, columns=Columns(image="img", label="labels"))


def _torchvision(name: str, folder: Path) -> Data:
    return Data(source="torchvision", path=name, root=str(folder))


def _eurosat(folder: Path, given: list[Picture]) -> Data:
    for p in given:
        _save(folder / f"eurosat/2750/{p.label}/{p.name}.jpg", p.content)
    return _torchvision("EuroSAT", folder)


def _country211(folder: Path, given: list[Picture]) -> Data:
    for p in given:
        split = {"val": "valid"}.get(p.split, p.split)
        _save(folder / f"country211/{split}/{p.label}/{p.number}.jpg", p.content)
    return _torchvision("Country211", folder)


def _fashion(folder: Path, given: list[Picture]) -> Data:
    """Writes the raw files of the MNIST family: big-endian sizes, then bytes."""
    raw = folder / "FashionMNIST/raw"
    raw.mkdir(parents=True)
    for prefix, is_test in (("train", False), ("t10k", True)):
        part = [p for p in given if (p.split == "test") is is_test]
        images = np.stack([decoded(p) for p in part])
        labels = bytes(CLASSES.index(p.label) for p in part)
        header = struct.pack(">4i", 0x0803, *images.shape)
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x0801, len(part)) + labels)
    return _torchvision("FashionMNIST", folder)


def _gtsrb(folder: Path, given: list[Picture]) -> Data:
    base, rows = folder / "gtsrb", []
    for p in given:
        target, name = CLASSES.index(p.label), f"{p.label}{p.name}.ppm"
        if p.split == "test":
            _save(base / "GTSRB/Final_Test/Images" / name, p.content)
            rows.append(f"{name};{target}")
        else:
            _save(base / f"GTSRB/Training/{target:05d}" / name, p.content)
    (base / "GT-final_test.csv").write_text("\n".join(["Filename;ClassId", *rows]))
    return _torchvision("GTSRB", folder)


def _pets(folder: Path, given: list[Picture]) -> Data:
    base = folder / "oxford-iiit-pet"
    lines: dict[str, list[str]] = {"trainval": [], "test": []}
    for p in given:
        name, target = f"{p.label}_{p.split}{p.number}", CLASSES.index(p.label) + 1
        _save(base / f"images/{name}.jpg", p.content)
        lines["test" if p.split == "test" else "trainval"].append(f"{name} {target} {target} 1")
    for split, rows in lines.items():
        _save(base / f"annotations/{split}.txt", "\n".join(rows).encode())
    return _torchvision("OxfordIIITPet", folder)


def _caltech(folder: Path, given: list[Picture]) -> Data:
    base = folder / "caltech101/101_ObjectCategories"
    (base / "BACKGROUND_Google").mkdir(parents=True)  # comes with it; torchvision leaves it out
    for label in CLASSES:
        for number, p in enumerate((p for p in given if p.label == label), start=1):
            _save(base / f"{label}/image_{number:04d}.jpg", p.content)
    return _torchvision("Caltech101", folder)


FORMS = {
    "imagefolder": Form(_imagefolder, THREE),
    "table CSV": Form(_csv, THREE),
    "table Parquet with bytes": Form(_parquet, THREE),
    "table Parquet shards": Form(_parquet_shards, THREE),
    "table of a hub's Parquet": Form(_hub_parquet_as_table, THREE, needs="datasets"),
    "webdataset": Form(_webdataset, THREE),
    "webdataset with json": Form(_webdataset_json, THREE),
    "torchvision EuroSAT": Form(_eurosat),
    "torchvision Country211": Form(_country211, THREE),
    "torchvision FashionMNIST": Form(
        _fashion, TWO, labels={"cat": "T-shirt/top", "dog": "Trouser"}, takes_damaged=False
    ),
    "torchvision GTSRB": Form(_gtsrb, TWO, labels={"cat": "0", "dog": "1"}),
    "torchvision OxfordIIITPet": Form(_pets, TWO, labels={"cat": "Cat", "dog": "Dog"}),
    "torchvision Caltech101": Form(_caltech),
    "huggingface Parquet": Form(_huggingface_parquet, THREE, needs="datasets"),
    "huggingface imagefolder": Form(_huggingface_imagefolder, THREE, needs="datasets"),
    "huggingface saved to disk": Form(_huggingface_saved, THREE, needs="datasets"),
}
