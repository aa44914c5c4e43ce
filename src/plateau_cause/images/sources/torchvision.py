"""A data set of torchvision.datasets by the name of its class, downloaded where it is not there yet."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import UnidentifiedImageError

from plateau_cause.config.params import Data
from plateau_cause.errors import PlateauError
from plateau_cause.images.item import Item, UnreadableError, distinct_names, plain_text, read_file

Splits = dict[str | None, dict[str, Any]]  # our split -> arguments of the class
UNDIVIDED: Splits = {None: {}}
BY_FLAG: Splits = {"train": {"train": True}, "test": {"train": False}}


def _by_name(**names: str) -> Splits:
    return {split: {"split": name} for split, name in names.items()}


TWO = _by_name(train="train", test="test")
THREE = _by_name(train="train", val="val", test="test")
NO_TEST = _by_name(train="train", val="val")
BALANCED: Splits = {split: {"split": "balanced", **flag} for split, flag in BY_FLAG.items()}


class Known(NamedTuple):
    """Where a class keeps its files below the root, and its own splits."""

    folder: str
    splits: Splits


KNOWN = {
    "CIFAR10": Known("cifar-10-batches-py", BY_FLAG),
    "CIFAR100": Known("cifar-100-python", BY_FLAG),
    "CLEVRClassification": Known("clevr", NO_TEST),
    "Caltech101": Known("caltech101", UNDIVIDED),
    "Caltech256": Known("caltech256", UNDIVIDED),
    "Country211": Known("country211", _by_name(train="train", val="valid", test="test")),
    "DTD": Known("dtd", THREE),
    "EMNIST": Known("EMNIST/raw", BALANCED),
    "EuroSAT": Known("eurosat", UNDIVIDED),
    "FER2013": Known("fer2013", TWO),
    "FGVCAircraft": Known("fgvc-aircraft-2013b", THREE),
    "FashionMNIST": Known("FashionMNIST/raw", BY_FLAG),
    "Flowers102": Known("flowers-102", THREE),
    "Food101": Known("food-101", TWO),
    "GTSRB": Known("gtsrb", TWO),
    "ImageNet": Known("", NO_TEST),
    "Imagenette": Known("imagenette2", NO_TEST),
    "KMNIST": Known("KMNIST/raw", BY_FLAG),
    "MNIST": Known("MNIST/raw", BY_FLAG),
    "OxfordIIITPet": Known("oxford-iiit-pet", _by_name(train="trainval", test="test")),
    "QMNIST": Known("QMNIST/raw", BY_FLAG),
    "RenderedSST2": Known("rendered-sst2", THREE),
    "SEMEION": Known("", UNDIVIDED),
    "STL10": Known("stl10_binary", TWO),
    "SUN397": Known("SUN397", UNDIVIDED),
    "SVHN": Known("", TWO),
    "StanfordCars": Known("stanford_cars", TWO),
    "USPS": Known("", BY_FLAG),
}


def read(data: Data, key: str = "data") -> Iterable[Item]:
    """Yields the images of every split that the data set has; without any, they are divided as usual.

    Raises:
        PlateauError: no such data set; or it is neither there nor to be had.
    """
    name, known = _known(data, key)
    for split, arguments in known.splits.items():
        found = _opened(name, data, arguments, key)
        if _lazily(name):
            yield from _of_files(found, split, Path(data.root))
        else:
            yield from _of_arrays(found, name, split)


def local_files(data: Data, key: str = "data") -> Path | None:
    """Returns the folder of the data set, downloaded first where it is empty.

    Raises:
        PlateauError: as in read().
    """
    name, known = _known(data, key)
    folder = Path(data.root) / known.folder
    if not folder.is_dir() or not any(folder.iterdir()):
        for arguments in known.splits.values():
            _opened(name, data, arguments, key)
    return folder


def _known(data: Data, key: str) -> tuple[str, Known]:
    name = str(data.path)
    if name in KNOWN:
        return name, KNOWN[name]
    lower = {known.lower(): known for known in KNOWN}
    plain = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    near = difflib.get_close_matches(plain, lower, n=1, cutoff=0.6)
    hint = f"; did you mean {lower[near[0]]}?" if near else ";"
    raise PlateauError(f"{key}.path: got {name!r}{hint} allowed for torchvision: {', '.join(KNOWN)}")


def _opened(name: str, data: Data, arguments: dict[str, Any], key: str) -> Any:
    """Returns one split, from the files that are there or after a download."""
    from torchvision import datasets

    built = partial(getattr(datasets, name), data.root, **arguments, **_lazily(name))
    try:
        return built()
    except Exception as error:  # each class raises its own
        missing = _reason(error)
    try:
        return _downloaded(name, Path(data.root), built)
    except Exception as error:
        folder = Path(data.root) / KNOWN[name].folder
        raise PlateauError(
            f"{key}.path: {name} is not in {str(folder)!r} ({missing}) and cannot be downloaded "
            f"({_reason(error)}); allowed: a network, or the files of torchvision.datasets.{name} in that "
            f"folder ({key}.root is {data.root!r})"
        ) from None


def _downloaded(name: str, root: Path, built: Callable[..., Any]) -> Any:
    from torchvision import datasets

    of_files = getattr(datasets, name)
    if "download" not in inspect.signature(of_files).parameters and not issubclass(of_files, datasets.MNIST):
        raise ValueError("torchvision offers no download of it")
    root.mkdir(parents=True, exist_ok=True)
    return built(download=True)


def _lazily(name: str) -> dict[str, Any]:
    """Returns the argument that makes a class give paths instead of decoded images, where it can."""
    from torchvision import datasets

    of_files = getattr(datasets, name)
    can = issubclass(of_files, datasets.ImageFolder) or "loader" in inspect.signature(of_files).parameters
    return {"loader": Path} if can else {}


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:150] or type(error).__name__


def _of_files(found: Any, split: str | None, root: Path) -> Iterator[Item]:
    classes = _class_names(found)
    for row in range(len(found)):
        path, target = found[row]  # nothing is decoded: the loader is Path
        load = partial(read_file, path)
        yield Item(_image_id(path, root), plain_text(str(path)), _label(target, classes), load, split)


def _of_arrays(found: Any, name: str, split: str | None) -> Iterator[Item]:
    classes = _class_names(found)
    for row, target in enumerate(_targets(found)):
        image_id, load = f"{split or 'all'}/{row:06d}", partial(_pixels, found, row)
        label = None if target is None else _label(target, classes)
        refused = "no label" if label is None else None
        yield Item(image_id, f"{name} {image_id}", label or "", load, split, refused=refused)


def _image_id(path: Path, root: Path) -> str:
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    return plain_text(inside.as_posix())


def _class_names(found: Any) -> list[str] | None:
    """Returns class names by index; of several words for one class the first."""
    names = getattr(found, "classes", None) or getattr(found, "categories", None)
    if not names:
        return None
    return distinct_names([str(name if isinstance(name, str) else name[0]) for name in names])


def _label(target: Any, classes: list[str] | None) -> str:
    return plain_text(classes[int(target)]) if classes else str(int(target))


def _targets(found: Any) -> list[int | None]:
    """Returns the class of each image, without decoding any; None where it is withheld (FER2013's test)."""
    for name in ("targets", "labels", "_labels", "y"):
        if hasattr(found, name):
            targets = np.asarray(getattr(found, name)).reshape(len(found), -1)[:, 0]
            return [int(target) for target in targets]
    return [target for _, target in found._samples]


def _pixels(found: Any, row: int) -> np.ndarray:
    """Returns pixels (h, w) or (h, w, 3) uint8."""
    try:
        image = found[row][0]
        return np.array(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    except UnidentifiedImageError:
        raise UnreadableError("not an image, or of an unknown format") from None
    except Exception as error:  # whatever a decoder stumbles over
        raise UnreadableError(_reason(error)) from None
