"""What is tried, what is not, and what is noted beside mistakes."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from plateau_cause import trial
from plateau_cause.errors import MistakesError, PlateauError
from plateau_cause.trial import functions

FOLDER = "data: {source: imagefolder, path: pictures}\n"
OWN = f"{FOLDER}backbone: {{name: resnet18, weights: none}}\nrecipe: {{code: mine.py}}\n"


@pytest.fixture
def here(tmp_path):
    """A folder with 20 pictures of 320 x 240 px in two classes."""
    for number in range(20):
        path = tmp_path / "pictures" / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (320, 240)).save(path)
    return tmp_path


def checked(folder, text, code=None):
    (folder / "params.yaml").write_text(text)
    if code is not None:
        (folder / "mine.py").write_text(code)
    return trial.check(folder / "params.yaml")


def test_the_default_needs_neither_torch_nor_images(tmp_path):
    (tmp_path / "params.yaml").write_text("{}\n")
    code = (
        "import sys; from pathlib import Path; from plateau_cause import trial\n"
        "assert trial.check(Path('params.yaml')).mistakes == ()\n"
        "print({'torch', 'pandas', 'sklearn', 'PIL'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert ended.stdout == "set()\n", ended.stderr


def test_require_raises_every_line(here):
    (here / "params.yaml").write_text("recipe: {trainable: al, batch_size: 0}\n")
    with pytest.raises(MistakesError) as caught:
        trial.require(here / "params.yaml")
    assert len(caught.value.lines) == 2


def test_class_folders_without_images_are_named(here):
    (here / "pictures" / "c" / "raw").mkdir(parents=True)
    assert checked(here, FOLDER).notes == ("data.path: no images in c: no class comes of it",)


def test_what_is_stored_smaller_than_it_is_read_is_noted(here):
    small = FOLDER.replace("}", ", stored_size: 96}")
    text = f"{small}recipe: {{preprocessing: {{size: 224}}}}\n"
    (note,) = checked(here, text).notes
    assert note.startswith("data.stored_size: 96 px stores images of up to 320 px smaller than the 224 px")
    assert checked(here, text.replace("96", "224")).notes == ()
    (note,) = checked(here, text.replace("224", "64")).notes
    assert "the 224 px that the weights expect" in note
    assert checked(here, text.replace(", stored_size: 96", "")).notes == ()


def test_a_transform_of_ones_own_is_asked_for_its_sizes(here):
    code = (
        "from torchvision.transforms import v2 as T\nimport torch\n"
        "steps = T.Compose([T.ToImage(), T.Resize((256, 256)), T.ToDtype(torch.float32, scale=True)])\n"
        "def transform(image, train):\n    return steps(image)\n"
    )
    found = checked(here, OWN.replace("pictures}", "pictures, stored_size: 96}"), code)
    assert found.mistakes == ()
    assert any("smaller than the 256 px that the recipe reads" in note for note in found.notes)


def test_what_the_file_replaces_and_what_nobody_uses_is_noted(here):
    code = (
        "from torch import nn, optim\n"
        "def build_model(num_classes):\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, num_classes))\n"
        "model = build_model(2)\noptimizer = optim.SGD(model.parameters(), lr=1)\n"
        "scheduler = optim.lr_scheduler.StepLR(optimizer, 1)\n"
    )
    found = checked(here, OWN, code)
    assert found.mistakes == ()
    assert found.notes == (
        "recipe.code: mine.py defines build_model(), in place of recipe.trainable, recipe.head",
        "recipe.code: of mine.py plateau calls build_model() only, and does not use model (line 4), "
        "optimizer (line 5), scheduler (line 6)",
    )


def test_more_outputs_than_classes_are_noted(here):
    code = (
        "from torch import nn\ndef build_model(num_classes):\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1000))\n"
    )
    found = checked(here, OWN, code)
    assert found.mistakes == ()
    assert "recipe.code: build_model() gives 1000 outputs for 2 classes" in found.notes[-1]


def test_weights_of_which_little_fits_are_noted(here):
    state = {"conv1.weight": torch.ones(64, 3, 7, 7), "other.weight": torch.ones(3)}
    torch.save(state, here / "w.pt")
    found = checked(here, f"{FOLDER}backbone: {{name: resnet18, weights: w.pt}}\n")
    assert found.mistakes == ()
    assert found.notes[0].startswith("backbone.weights: w.pt: 0.")
    assert "of the body loaded" in found.notes[0]


def test_what_lies_on_a_hub_is_not_fetched(here):
    found = checked(here, f"{FOLDER}backbone: {{name: owner/name, weights: none}}\n")
    assert found.mistakes == ()
    assert found.notes == ("backbone.name: 'owner/name' is fetched when it is needed, and was not tried",)


def test_links_and_pipes_are_noted(here):
    (here / "pictures/a/gone.png").symlink_to("nowhere")
    found = checked(here, FOLDER.replace("}", ", max_unreadable: 0.2}"))
    assert found.mistakes == ()
    assert (
        "at least 1 of 21 files are set aside, such as pictures/a/gone.png: a link to nothing"
        in found.notes[0]
    )
    assert "data.max_unreadable: 1 of 21 files" in checked(here, FOLDER).mistakes[0]


class Net(nn.Module):
    """Gives what it is told to."""

    def __init__(self, give):
        super().__init__()
        self.give = give

    def forward(self, images):
        return self.give(torch.zeros(len(images), 2))


class Answer:
    """What models of transformers answer with."""

    def __init__(self, logits):
        self.logits = logits


@pytest.mark.parametrize(
    "give",
    [lambda x: x, lambda x: (x, x), lambda x: [x], lambda x: {"logits": x}, lambda x: {"out": x}, Answer],
)
def test_outputs_in_every_wrapping(give):
    assert functions.outputs(Net(give), torch.zeros(2, 3, 8, 8), 2).shape == (2, 2)


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (lambda x: None, "gives nothing"),
        (lambda x: "text", "gives a str"),
        (lambda x: x[0], r"gives \(2,\) for 2 images"),
        (lambda x: x[..., None], r"gives \(2, 2, 1\)"),
        (lambda x: x / 0, "NaN or infinite outputs"),
        (lambda x: x @ torch.zeros(3, 3), r"forward\(\) raised RuntimeError.*images of \(3, 8, 8\)"),
    ],
)
def test_outputs_that_are_none(give, said):
    with pytest.raises(PlateauError, match=said):
        functions.outputs(Net(give), torch.zeros(2, 3, 8, 8), 2)


def test_a_gray_tensor_is_fine_for_a_network_of_ones_own():
    images = functions.pictures([np.zeros((8, 8, 3), np.uint8)] * 2)

    def transform(image, train):
        return torch.zeros(1, 8, 8)

    assert functions.transformed(transform, images, own_model=True).shape == (2, 1, 8, 8)
    with pytest.raises(PlateauError, match="which the backbone reads"):
        functions.transformed(transform, images, own_model=False)


@pytest.mark.parametrize("name", ["resnet18", "timm:test_resnet"])
def test_pretrained_weights_that_cannot_be_had(here, name, monkeypatch, tmp_path_factory):
    """There is no network in tests."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path_factory.mktemp("hub")))
    (line,) = checked(here, f"{FOLDER}backbone: {{name: '{name}', weights: pretrained}}\n").mistakes
    assert line.startswith("backbone.weights: got 'pretrained'; the weights of ")


def test_pretrained_weights_that_are_here(here, monkeypatch, tmp_path_factory):
    hub = tmp_path_factory.mktemp("hub")
    (hub / "checkpoints").mkdir()
    (hub / "checkpoints/resnet18-f37072fd.pth").touch()
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(hub))
    assert checked(here, f"{FOLDER}backbone: {{name: resnet18, weights: pretrained}}\n").mistakes == ()


def test_a_launcher_that_is_not_installed_is_a_mistake(here, monkeypatch):
    from plateau_cause.lab.launch import crew

    monkeypatch.setattr(crew, "find_spec", lambda name: None)
    (line,) = checked(here, f"{FOLDER}launcher: ray\n").mistakes
    assert line.startswith("launcher: ray needs the package `ray`, which is not installed; pip install")


def test_a_device_that_is_not_here_is_a_mistake(here, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (line,) = checked(here, f"{FOLDER}device: cuda:1\n").mistakes
    assert line.startswith("device: got 'cuda:1'; torch finds no such device here")
    assert checked(here, f"{FOLDER}device: cpu\n").mistakes == ()


SCRIPT = "data: {{source: script}}\nrecipe: {{script: {script}}}\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("dir.pth", "got 'dir.pth', a folder; allowed: null, an existing .py file"),
        ("notes.ipynb", "a notebook; `jupyter nbconvert --to script`"),
        ("notes.txt", "a file that does not end in .py"),
        ("no.such.module", "neither such a file nor a module"),
        ("broken.py", "broken.py raised SyntaxError at line 2"),
    ],
)
def test_what_the_text_of_a_script_tells_is_said(script, said, tmp_path):
    (tmp_path / "dir.pth").mkdir()
    for name in ("notes.ipynb", "notes.txt"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "broken.py").write_text("import torch\nif x\n    pass\n")
    (mistake,) = checked(tmp_path, SCRIPT.format(script=script)).mistakes
    assert mistake.startswith("recipe.script: ") and said in mistake


@pytest.mark.parametrize("script", ["train.py", "pkg.train", "timeit"])
def test_a_script_that_can_be_read_is_not_run(script, tmp_path):
    (tmp_path / "pkg").mkdir()
    for name in ("train.py", "pkg/train.py"):
        (tmp_path / name).write_text("raise SystemExit('was run')\n")
    tried = checked(tmp_path, SCRIPT.format(script=script))
    assert not tried.mistakes
    assert tried.notes == () or "was read and not run" in tried.notes[0]


def test_a_network_without_parameters_is_refused(here):
    code = "from torch import nn\n\n\ndef build_model(num_classes):\n    return nn.Flatten()\n"
    (mistake,) = checked(here, OWN, code).mistakes
    assert "without parameters" in mistake


def test_names_that_are_nearly_right_are_told(here):
    code = "def build_modell(num_classes):\n    return None\n"
    (mistake,) = checked(here, OWN, code).mistakes
    assert "build_modell (line 1: did you mean build_model?)" in mistake


def test_a_file_that_goes_to_another_folder_is_tried(here):
    code = "import os\n\nos.chdir('/')\n\n\ndef loss(output, target):\n    return output.sum()\n"
    tried = checked(here, OWN, code)
    assert not tried.mistakes and not any("could not be tried" in note for note in tried.notes)


NETWORK = "import torch\nfrom torch import nn\n\n\ndef build_model(num_classes):\n    return nn.Sequential("
NETWORK += "nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, num_classes)){freeze}\n\n\n"
NETWORK += "def optimizer(model):\n    return torch.optim.{optimizer}\n"


@pytest.mark.parametrize(
    ("freeze", "optimizer", "said"),
    [
        ("", "SGD(model.parameters(), lr=0.1)", None),
        ("", "SGD(model.parameters(), lr=0.0)", "moves no parameter of the network that trains"),
        ("", "SGD(nn.Linear(2, 2).parameters(), lr=0.1)", "moves no parameter of the network that trains"),
        (".requires_grad_(False)", "SGD(model.parameters(), lr=0.1)", "freezes every parameter"),
    ],
)
def test_an_optimizer_of_which_nothing_can_come_is_noted(here, freeze, optimizer, said):
    tried = checked(here, OWN, NETWORK.format(freeze=freeze, optimizer=optimizer))
    assert not tried.mistakes
    assert any(said in note for note in tried.notes) if said else len(tried.notes) == 1


def test_an_optimizer_that_needs_a_closure_is_refused(here):
    (mistake,) = checked(here, OWN, NETWORK.format(freeze="", optimizer="LBFGS(model.parameters())")).mistakes
    assert "LBFGS, whose step() needs a closure" in mistake
