"""A file's text is read before it is run: scripts are recognised, and what would not be used is named."""

import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.training.user_code import load_user_code
from plateau_cause.training.user_source import read_source

LOOP = "for epoch in range(3):\n    loss = model(x)\n    loss.backward()\n"
INDENTED = LOOP.replace("\n", "\n    ")
USED = "def loss(output, target):\n    return output.sum()\n"
SCRIPTS = {
    "a loop at the top": (LOOP, "trains (line 3)"),
    "a loop in a branch": (f"import os\nif os.name:\n    {INDENTED}\n", "trains (line 5)"),
    "a loop in a with": (f"with open('x'):\n    {INDENTED}\n", "trains (line 4)"),
    "a loop in a try": (f"try:\n    {INDENTED}\nfinally:\n    pass\n", "trains (line 4)"),
    "main without a guard": (f"def main():\n    {INDENTED}\nmain()\n", "calls main(), which trains (line 6)"),
    "main calls train": (
        f"def train():\n    {INDENTED}\ndef main():\n    train()\nmain()\n",
        "calls main(), which trains",
    ),
    "argparse": (
        "import argparse\np = argparse.ArgumentParser()\nargs = p.parse_args()\n",
        "reads its own command line (line 2)",
    ),
    "argparse in a function": (
        "from argparse import ArgumentParser\ndef options():\n    return ArgumentParser().parse_args()\n"
        "args = options()\n",
        "calls options(), which reads its own command line (line 4)",
    ),
    "sys.argv": ("import sys\nrate = float(sys.argv[1])\n", "reads its own command line (line 2)"),
    "fire": ("import fire\ndef main(): ...\nfire.Fire(main)\n", "reads its own command line (line 3)"),
    "a loop in another file": (
        "from engine import train_one_epoch as train\ntrain(model)\n",
        "calls train() of another file, which trains by its name (line 2)",
    ),
    "keras": ("model.compile()\nmodel.fit(x, y)\n", "trains (line 2)"),
    "lightning": ("trainer = L.Trainer()\ntrainer.fit(model)\n", "trains (line 2)"),
    "hugging face": ("trainer = Trainer()\ntrainer.train()\n", "trains (line 2)"),
    "fastai": ("learn = vision_learner()\nlearn.fine_tune(3)\n", "trains (line 2)"),
}


def write(folder, text):
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("beside", ["", USED], ids=["alone", "beside a function of ours"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_recognised_and_not_run(tmp_path, name, beside):
    text, said = SCRIPTS[name]
    path = write(tmp_path, f"{text}{beside}open('ran', 'w')\n")
    with pytest.raises(PlateauError) as caught:
        load_user_code(path)
    assert said in str(caught.value)
    assert f"so it was not run; recipe.script: {path} takes" in str(caught.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "guard",
    ['__name__ == "__main__"', '"__main__" == __name__', '__name__ in ("__main__",)'],
)
def test_what_a_guard_keeps_from_running_is_no_script(tmp_path, guard):
    code = load_user_code(write(tmp_path, f"{USED}if {guard}:\n    {INDENTED}\n"))
    assert code.defined == ("loss",)


def test_a_guarded_script_without_our_functions_is_told_where_to_go(tmp_path):
    path = write(tmp_path, f"def main():\n    {INDENTED}\nif __name__ == '__main__':\n    main()\n")
    with pytest.raises(PlateauError, match=r"defines none of .*; recipe\.script: .*mine\.py takes"):
        load_user_code(path)


@pytest.mark.parametrize(
    "text",
    [
        "from torch import nn\nloss = nn.CrossEntropyLoss()\n",
        "class Net:\n    def fit(self): ...\n    def train(self): self.loss.backward()\n" + USED,
        "from sklearn.decomposition import PCA\nimport numpy as np\npca = PCA(1).fit(np.eye(2))\n" + USED,
        "from random import sample as train_test_split\na = train_test_split([1, 2], 1)\n" + USED,
        "def helper(x):\n    return x\ndef loss(output, target):\n    return helper(output)\n",
    ],
)
def test_an_ordinary_file_is_no_script(tmp_path, text):
    assert load_user_code(write(tmp_path, text)).defined == ("loss",)


def test_what_is_not_used_is_named_with_its_line(tmp_path):
    text = (
        "RATE = 3\nSIZE = 4\nEPOCHS = 9\n_private = 1\n"
        "def helper(x):\n    return x * RATE\n"
        "def loss(output, target):\n    return helper(output)\n"
        "def scheduler(optimizer):\n    return None\n"
        "model = [1]\nmodel.append(SIZE)\n"
    )
    assert load_user_code(write(tmp_path, text)).unused == (
        "SIZE (line 2)", "EPOCHS (line 3)", "scheduler (line 9)", "model (line 11)",
    )  # fmt: skip


def test_what_is_needed_through_something_else_is_used(tmp_path):
    text = (
        "import math\nlayers = []\nWIDTH = 3\nlayers.append(WIDTH)\nclass Net:\n    width = WIDTH\n"
        "def build_model(num_classes):\n    return Net(), layers\n"
    )
    assert load_user_code(write(tmp_path, text)).unused == ()


def test_an_object_under_one_of_our_names_is_said(tmp_path):
    with pytest.raises(PlateauError, match=r"as a function \(optimizer is list\)"):
        load_user_code(write(tmp_path, "optimizer = []\n"))
    code = load_user_code(write(tmp_path, f"optimizer = []\n{USED}"))
    assert code.unused == ("optimizer (line 1)",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"def loss(a, b: ...\n", "raised SyntaxError at line 1"),
        (b"\x00\x01", "is no Python|raised SyntaxError"),
        (b"\xff\xfe\xfa", "raised SyntaxError"),
        (b'{\n "cells": [], "metadata": {"a": null}, "x": tru e}', "it is a notebook: export it as a script"),
        (b"print 'hello'\n", "raised SyntaxError at line 1"),
    ],
)
def test_what_is_no_python(tmp_path, content, said):
    path = tmp_path / "mine.py"
    path.write_bytes(content)
    with pytest.raises(PlateauError, match=said):
        read_source(path)


def test_every_function_with_wrong_arguments_has_a_line(tmp_path):
    path = write(tmp_path, "def loss(a): ...\ndef transform(a): ...\n")
    with pytest.raises(PlateauError) as caught:
        load_user_code(path)
    assert [line.partition("mine.py:")[2] for line in caught.value.lines] == [
        "2: transform(a); it is called as transform(image, train)",
        "1: loss(a); it is called as loss(output, target)",
    ]


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("t = Compose([Resize(256), CenterCrop(224), Normalize(0.5, 0.5)])\n", (224, 256)),
        ("SIDE = 384\nt = T.Resize((SIDE, SIDE))\n", (384,)),
        ("def transform(image, train):\n    return image.resize((96, 128))\n", (96, 128)),
        ("t = RandomResizedCrop(size=300, scale=(0.5, 1))\n", (300,)),
        ("t = Resize(True)\nu = Resize(5)\nv = Pad(40)\n", ()),
    ],
)
def test_the_sizes_that_it_makes(tmp_path, text, sizes):
    assert read_source(write(tmp_path, text)).sizes == sizes
