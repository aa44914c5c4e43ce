"""The mistakes of a new user: `plateau check` says each in one line, all at once, and writes nothing.

A case is the text of params.yaml, what lies beside it, and what the line must hold. The words `pictures` and
`labels.csv` stand for a folder and a table of 24 pictures in two classes that are there in every case.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from PIL import Image

from plateau_cause import trial

FOLDER = "data: {source: imagefolder, path: pictures}\n"
TABLE = "data: {source: table, path: labels.csv}\n"
NO_WEIGHTS = "backbone: {name: resnet18, weights: none}\n"
CODE = f"{FOLDER}{NO_WEIGHTS}recipe: {{code: mine.py}}\n"
TRANSFORM = "from torchvision.transforms.functional import to_tensor\ndef transform(image, train):\n    "
MODEL = (
    "import torch\nfrom torch import nn\n"
    "def build_model(num_classes):\n    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), {})\n"
)
LOSS = "from torch.nn import functional as F\ndef loss(output, target):\n    return "


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))


class Case(NamedTuple):
    """What a user wrote, and what has to be said about it.

    Attributes:
        params: text of params.yaml.
        said: what one of the lines must hold.
        files: name -> text or bytes of further files.
        count: how many lines there are.
    """

    params: str
    said: str
    files: dict[str, str | bytes] = {}  # noqa: RUF012
    count: int = 1


def code(text: str, said: str, count: int = 1) -> Case:
    """Returns the case of a file of the user's own."""
    return Case(CODE, said, {"mine.py": text}, count)


def weights(content: str | bytes, said: str, name: str = "w.pt") -> Case:
    """Returns the case of a file of weights."""
    return Case(f"{FOLDER}backbone: {{name: resnet18, weights: {name}}}\n", said, {name: content})


CASES = {
    # params.yaml as a file
    "empty": Case("", "params.yaml: empty"),
    "tabs": Case("data:\n\tsource: digits\n", "indent with spaces, not tabs"),
    "unclosed": Case("data: {source: digits\n", "not valid YAML"),
    "a key twice": Case("data: {}\ndata: {}\n", "data: given twice (second time in line 2)"),
    "a list at the top": Case("- data\n", "got ['data'] at top level"),
    "a merge conflict": Case("<<<<<<< HEAD\ndata: {}\n=======\n", "not valid YAML"),
    "a bomb": Case(BOMB, "more than 10,000 values"),
    # keys
    "a misspelt section": Case("recpie: {}\n", "did you mean recipe?"),
    "a misspelt key": Case(
        "recipe: {batchsize: 8}\n", "recipe.batchsize: unknown key; did you mean batch_size?"
    ),
    "a key of another section": Case(
        "recipe: {learning_rate: 1}\n", "did you mean recipe.optimizer.learning_rate?"
    ),
    "a misspelt choice": Case("recipe: {trainable: al}\n", "did you mean all?"),
    "upper case": Case("recipe: {optimizer: {name: Adam}}\n", "did you mean adam?"),
    "text for a number": Case("recipe: {batch_size: many}\n", "recipe.batch_size: got 'many'"),
    "a negative rate": Case("recipe: {optimizer: {learning_rate: -1}}\n", "allowed: a number above 0"),
    "no epochs": Case("recipe: {schedule: {epochs: 0}}\n", "recipe.schedule.epochs: got 0"),
    "percent": Case("diagnosis: {target_accuracy: 97}\n", "diagnosis.target_accuracy: got 97"),
    "one number for three": Case("recipe: {preprocessing: {mean: 0.5}}\n", "a list of 3"),
    "a huge mean": Case(
        "recipe: {preprocessing: {mean: [1.0e+308, 0, 0]}}\n", "recipe.preprocessing.mean: got"
    ),
    "a large mean": Case(
        "recipe: {preprocessing: {mean: [1.0e+30, 0, 0]}}\n", "recipe.preprocessing.mean: got"
    ),
    "a tiny std": Case("recipe: {preprocessing: {std: [1.0e-40, 1, 1]}}\n", "recipe.preprocessing.std: got"),
    "an unknown cause": Case("diagnosis: {factors: [heads]}\n", "did you mean head?"),
    "nothing left to train on": Case("data: {split: {val: 0.6, test: 0.4}}\n", "leaves no training images"),
    "a batch of one": Case(
        f"{FOLDER}recipe: {{batch_size: 1, trainable: all, preprocessing: {{size: 32}}}}\n",
        "recipe.batch_size: got 1; a batch norm that trains needs several images",
    ),
    # images
    "no such folder": Case("data: {source: imagefolder, path: picture}\n", "did you mean pictures?"),
    "a long path": Case(f"data: {{source: imagefolder, path: {'x' * 5000}}}\n", "no such folder"),
    "a zip": Case("data: {source: imagefolder, path: p.zip}\n", "an archive; unpack it", {"p.zip": b"PK"}),
    "a folder of one zip": Case(
        "data: {source: imagefolder, path: z}\n", "p.zip, an archive: unpack it", {"z/p.zip": b"PK"}
    ),
    "a home folder": Case("data: {source: imagefolder, path: ~/pictures}\n", "~ and $ are not expanded"),
    "an address": Case("data: {source: imagefolder, path: 'https://x.org/p'}\n", "nothing is downloaded"),
    "a table as a folder": Case("data: {source: imagefolder, path: labels.csv}\n", "set data.source: table"),
    "a folder as a table": Case("data: {source: table, path: pictures}\n", "is read by source imagefolder"),
    "no path": Case("data: {source: imagefolder}\n", "data.path: got null"),
    "a path for the digits": Case("data: {path: pictures}\n", "source digits reads no path"),
    "images without class folders": Case(
        "data: {source: imagefolder, path: pictures/cat}\n", "but 12 files, such as 00.png"
    ),
    "one class": Case(
        "data: {source: imagefolder, path: one}\n",
        "all 2 images are of one class",
        {"one/cat/1.png": b"@", "one/cat/2.png": b"@"},
    ),
    "one picture of a class": Case(FOLDER, "'bird' has a single image", {"pictures/bird/1.png": b"@"}),
    "no image at all": Case(
        "data: {source: imagefolder, path: e}\n", "holds no images", {"e/cat/notes.txt": "x"}
    ),
    "broken images": Case(
        "data: {source: imagefolder, path: b}\n",
        "2 of 2 files",
        {"b/cat/1.png": b"x", "b/dog/1.png": b"x"},
        1,
    ),
    "no such data set": Case("data: {source: torchvision, path: CIFAR11}\n", "did you mean CIFAR10?"),
    "too few kept": Case(
        "data: {source: imagefolder, path: pictures, max_images: 3}\n", "data.max_images: got 3"
    ),
    # tables
    "no such column": Case(
        f"{TABLE.replace('}', ', columns: {label: species}}')}", "data.columns.label: got 'species'"
    ),
    "two columns of one name": Case(
        "data: {source: table, path: t.csv}\n",
        "two columns are called 'label'; rename one",
        {"t.csv": "image,label,label\na,b,c\n"},
    ),
    "every path wrong": Case(
        "data: {source: table, path: t.csv}\n",
        "none of the 2 paths in 't.csv' leads to a file",
        {"t.csv": "image,label\nx/1.png,a\nx/2.png,b\n"},
    ),
    "an unknown split": Case(
        "data: {source: table, path: t.csv}\n",
        "data.columns.split: got 'trian'; did you mean train?",
        {"t.csv": "image,label,split\npictures/cat/00.png,a,trian\n"},
    ),
    "no table": Case(
        "data: {source: table, path: t.csv}\n", "cannot be read as a table", {"t.csv": b"\xff\xfe\x00\x01"}
    ),
    "an Excel file": Case(
        "data: {source: table, path: t.xlsx}\n", ".csv or .tsv or .parquet file", {"t.xlsx": b"PK"}
    ),
    # backbone and weights
    "a misspelt model": Case(
        f"{FOLDER}backbone: {{name: resnet-18, weights: none}}\n", "did you mean resnet18"
    ),
    "bundled for another model": Case("backbone: {name: resnet18}\n", "no package ships weights of resnet18"),
    "a misspelt word for weights": Case("backbone: {weights: pretraind}\n", "did you mean pretrained?"),
    "no such weights": Case("backbone: {name: resnet18, weights: w.pt}\n", "no such file"),
    "another ending": Case(
        "backbone: {name: resnet18, weights: w.ckpt}\n", ".safetensors or .pt or .pth file", {"w.ckpt": b"x"}
    ),
    "text as weights": weights("hello\n", "is text that torch.save does not write"),
    "an LFS pointer": weights("version https://git-lfs.github.com/spec/v1\n", "run `git lfs pull`"),
    "a web page": weights("<!DOCTYPE html>\n", "is a web page, not weights", "w.safetensors"),
    "empty weights": weights(b"", "is empty (0 bytes)"),
    "half a file": weights(b"PK\x03\x04" + bytes(50), "cannot be read"),
    "weights of NaN": weights(b"@nan", "are NaN or infinite"),
    "weights of zeros": weights(b"@zero", "every number in it is zero"),
    "weights of another model": weights(b"@other", "nothing in w.pt fits this model's body"),
    "a size that the model does not take": Case(
        f"{FOLDER}backbone: {{name: vit_b_16, weights: none}}\n",
        "recipe.preprocessing.size: vit_b_16 does not take 64 px",
    ),
    "a model beside a wrong name": Case(
        f"{FOLDER}backbone: {{name: resnet81, weights: none}}\nrecipe: {{code: mine.py}}\n",
        "neither torchvision nor timm has 'resnet81'",
        {"mine.py": MODEL.format("nn.Linear(3, num_classes)")},
    ),
    # the user's file
    "no such file of code": Case("recipe: {code: main.py}\n", "did you mean mine.py?", {"mine.py": ""}),
    "a script with argparse": code(
        "import argparse\nargs = argparse.ArgumentParser().parse_args()\n", "recipe.script: mine.py takes"
    ),
    "a script without a guard": code("for x in y:\n    x.backward()\n", "trains (line 2), so it was not run"),
    "a guarded script": code(
        "if __name__ == '__main__':\n    loss.backward()\n", "recipe.script: mine.py takes"
    ),
    "a syntax error": code("def loss(output target): ...\n", "raised SyntaxError at line 1"),
    "a missing package": code("import no_such_package\n", "No module named 'no_such_package'"),
    "wrong arguments": code(
        "def transform(image): ...\n", "mine.py:1: transform(image); it is called as transform(image, train)"
    ),
    "channels last": code(TRANSFORM + "return to_tensor(image).permute(1, 2, 0)\n", "its channels come last"),
    "a gray tensor": code(TRANSFORM + "return to_tensor(image)[:1]\n", "which the backbone reads"),
    "no tensor": code(TRANSFORM + "return image\n", "gives a PIL image; allowed: a tensor"),
    "NaN from a transform": code(
        TRANSFORM + "return to_tensor(image) * float('nan')\n", "no numbers (NaN or infinite)"
    ),
    "sizes that differ": code(TRANSFORM + "return to_tensor(image)\n", "gives tensors of different shapes"),
    "a transform that fails": code(
        TRANSFORM + "return image.nothing\n", "transform() raised AttributeError at line 3"
    ),
    "outputs too few": code(MODEL.format("nn.Linear(3, 1)"), "gives 1 output for 2 classes"),
    "outputs of an image": code(
        MODEL.format("nn.Linear(3, 3), nn.Unflatten(1, (3, 1, 1))"), "network gives (2, 3, 1, 1) for 2 images"
    ),
    "layers that do not fit": code(MODEL.format("nn.Linear(4, 2)"), "forward() raised RuntimeError"),
    "no parameters": code(
        MODEL.format("nn.Identity()"), "build_model() (line 3) gives a network without parameters"
    ),
    "no network": code(
        "def build_model(num_classes):\n    return num_classes\n", "gives int; allowed: a torch.nn.Module"
    ),
    "a loss per image": code(
        LOSS + "F.cross_entropy(output, target, reduction='none')\n", "gives (2,); allowed: a scalar tensor"
    ),
    "a loss that is a float": code(
        LOSS + "F.cross_entropy(output, target).item()\n", "gives float; allowed: a scalar tensor"
    ),
    "a loss that is NaN": code(
        LOSS + "(output - 1e9).log().mean()\n", "gives nan before anything is trained"
    ),
    "a loss that fails": code(LOSS + "F.cross_entropy(target, output)\n", "loss() raised"),
    "no optimizer": code(
        "def optimizer(model):\n    return 'adam'\n", "gives str; allowed: a torch.optim.Optimizer"
    ),
    "an optimizer of nothing": code(
        "import torch\ndef optimizer(model):\n    return torch.optim.SGD([], lr=1)\n",
        "got an empty parameter list",
    ),
    "a callback that fails": code(
        "def on_train_start(model):\n    model.features.eval()\n", "has no attribute 'features'"
    ),
    "numbers that are none": code(
        "import numpy as np\ndef transform(image, train):\n    return np.array([[[None]]])\n",
        "transform() (line 2): can't convert",
    ),
    "a loss that gives nothing": code("def loss(output, target): ...\n", "gives NoneType"),
    "an optimizer with its schedule": code(
        "import torch\ndef optimizer(model):\n    return torch.optim.SGD(model.parameters(), lr=1), None\n",
        "gives tuple; allowed: a torch.optim.Optimizer",
    ),
    "an exit": code("import sys\nsys.exit(1)\n", "raised SystemExit at line 2"),
    "a long name": Case(f"{FOLDER}backbone: {{name: {'w' * 5000}, weights: none}}\n", "...ww"),
    "a folder that a hub would have": Case(
        "data: {source: huggingface, path: ./nothing}\n", "no such folder; allowed: owner/name"
    ),
    "a group in two splits": Case(
        "data: {source: table, path: t.csv}\n",
        "group 'g' has images in test and train",
        {"t.csv": "image,label,split,group\npictures/cat/00.png,a,train,g\npictures/dog/01.png,b,test,g\n"},
    ),
    # several at once
    "everything at once": Case(
        "data: {source: imagefolder, path: nowhere, maximages: 3}\n"
        "backbone: {name: resnet-18, weights: w.pt}\n"
        "recipe: {code: mine.py, batch_size: 0, trainable: heads}\ntracking: {experimnt: x}\n",
        "did you mean resnet18",
        {"mine.py": TRANSFORM + "return 1\n" + MODEL.format("nn.Linear(3, 1)"), "w.pt": "hello"},
        9,
    ),
}


@pytest.fixture(scope="module")
def pictures() -> list[tuple[str, bytes]]:
    """24 pictures of two sizes in two classes: (name, bytes)."""
    import io

    found = []
    for number in range(24):
        buffer = io.BytesIO()
        Image.new("RGB", (40, 30) if number % 4 < 2 else (30, 40), (number * 9, 80, 80)).save(buffer, "PNG")
        found.append((f"pictures/{('cat', 'dog')[number % 2]}/{number:02d}.png", buffer.getvalue()))
    return found


@pytest.fixture
def place(tmp_path: Path, pictures: list[tuple[str, bytes]]) -> Path:
    """A folder with the pictures and a table of them."""
    for name, content in pictures:
        write(tmp_path / name, content)
    rows = "".join(f"{name},{name.split('/')[1]}\n" for name, _ in pictures)
    (tmp_path / "labels.csv").write_text(f"image,label\n{rows}")
    return tmp_path


def write(path: Path, content: str | bytes) -> None:
    """Writes a file; "@nan" and the like stand for weights that torch.save writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    states = {b"@nan": torch.full((3,), torch.nan), b"@zero": torch.zeros(3), b"@other": torch.ones(3)}
    if content == b"@":
        Image.new("RGB", (9, 9)).save(path)
    elif content in states:
        torch.save({"layer.weight": states[content]}, path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def listing(folder: Path) -> set[str]:
    """Returns all files, byte code aside."""
    return {str(path) for path in folder.rglob("*") if "__pycache__" not in str(path)}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_said_in_one_line(place: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    for file, content in case.files.items():
        write(place / file, content)
    (place / "params.yaml").write_text(case.params)
    before = listing(place)
    monkeypatch.chdir(place)
    tried = trial.check(Path("params.yaml"))
    found, notes = tried.mistakes, tried.notes
    assert not any("could not be tried" in note for note in notes), notes
    assert any(case.said in line for line in found), found
    assert len(found) == case.count, found
    assert all("\n" not in line and line.isprintable() and len(line) <= 1000 for line in found)
    assert listing(place) == before


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60


def test_nothing_is_said_where_nothing_is_wrong(place: Path) -> None:
    sound = (
        TRANSFORM + "return to_tensor(image.resize((32, 32)))\n" + MODEL.format("nn.Linear(3, num_classes)")
    )
    sound += LOSS + "F.cross_entropy(output, target)\n"
    sound += "def optimizer(model):\n    return torch.optim.SGD(model.parameters(), lr=0.1)\n"
    sound += "def on_train_start(model):\n    model.eval()\n"
    (place / "mine.py").write_text(sound)
    torch.save({"x.conv1.weight": torch.ones(64, 3, 7, 7)}, place / "w.PT")
    for text in (FOLDER, TABLE, CODE, f"{FOLDER}{NO_WEIGHTS}", "{}", "data: {}\nrecipe:\n",
                 f"{FOLDER}backbone: {{name: resnet18, weights: w.PT}}\n"):  # fmt: skip
        (place / "params.yaml").write_text(text)
        assert trial.check(place / "params.yaml").mistakes == (), text


def cpu_seconds(command: list[str], place: Path) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Returns what a command took, so that what else the machine does counts for nothing, and its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended


@pytest.fixture(scope="module")
def imports_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    """What the libraries that every network needs take by themselves: 3 to 10 s, as the machine is."""
    command = [sys.executable, "-c", "import torch, torchvision, timm"]
    return cpu_seconds(command, tmp_path_factory.mktemp("bare"))[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["everything at once", "outputs too few", "a misspelt model"])
def test_it_is_said_soon_in_a_process_of_its_own(place: Path, name: str, imports_s: float) -> None:
    """Little more than what the libraries take to be imported: within 10 s where these take 7."""
    case = CASES[name]
    for file, content in case.files.items():
        write(place / file, content)
    (place / "params.yaml").write_text(case.params)
    took_s, ended = cpu_seconds([sys.executable, "-m", "plateau_cause", "check"], place)
    assert ended.returncode == 2
    assert all(line.startswith("note: ") for line in ended.stdout.splitlines())
    assert len(ended.stderr.splitlines()) == case.count
    assert all(line.startswith("error: ") for line in ended.stderr.splitlines())
    assert took_s < 1.4 * imports_s + 0.5
