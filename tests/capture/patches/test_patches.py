"""Diffs of PyTorch scripts: transforms with a name, models that are attributes, loaders told from outside."""

import subprocess

import pytest

from plateau_cause.capture.patches.change import changed
from plateau_cause.capture.patches.data import normalised_alike, shuffled
from plateau_cause.capture.patches.flowing import flows
from plateau_cause.capture.patches.loop import mode_set
from plateau_cause.capture.patches.model import unfrozen


def patched(folder, text, make):
    """Returns the text after the diff that `make(folder, line of a mark)` gives; None where it gives none."""
    (folder / "train.py").write_text(text)

    def place(mark):
        return {
            "file": "train.py",
            "line": next(n for n, one in enumerate(text.splitlines(), 1) if mark in one),
        }

    diff = make(folder, place)
    if diff is None:
        return None
    subprocess.run(["patch", "-p1"], cwd=folder, input=diff, text=True, check=True, capture_output=True)
    return (folder / "train.py").read_text()


NAMED = """\
normalize = Normalize(mean=[0.5], std=[0.5])
train = Compose([RandomCrop(8), ToTensor(), normalize])
val = Compose([ToTensor()])
"""


def test_a_normalisation_with_a_name_is_given_to_evaluation(tmp_path):
    found = patched(tmp_path, NAMED, lambda folder, at: normalised_alike(folder, at("val"), at("train")))
    assert "val = Compose([ToTensor(), normalize])" in found


FROZEN = """\
for param in model.parameters():
    param.requires_grad = False
model.fc = nn.Linear(512, 3)
optimizer = optim.SGD({held}, lr=0.001)
"""


@pytest.mark.parametrize(
    ("held", "after"),
    [
        ("model.fc.parameters()", "SGD(model.parameters(), lr"),
        ("model.parameters()", "SGD(model.parameters(), lr"),
        (
            "[{'params': model.fc.parameters()}, {'params': model.layer4.parameters()}]",
            "model.fc.parameters()",
        ),
    ],
)
def test_an_optimizer_holds_what_is_unfrozen(held, after, tmp_path):
    def make(folder, at):
        return unfrozen(folder, at("False"), at("optimizer"), ["model"])

    found = patched(tmp_path, FROZEN.format(held=held), make)
    assert "requires_grad = True" in found and after in found


def test_what_thaws_has_a_rate_of_its_own(tmp_path):
    def make(folder, at):
        return unfrozen(folder, at("False"), at("optimizer"), ["model"], rate=4.2e-5)

    found = patched(tmp_path, FROZEN.format(held="model.fc.parameters()"), make)
    others = '[p for n, p in model.named_parameters() if not n.startswith("fc.")]'
    assert f'SGD([{{"params": model.fc.parameters()}}, {{"params": {others}, "lr": 4e-05}}], lr' in found
    assert patched(tmp_path, FROZEN.format(held="model.parameters()"), make) is None


IN_PARTS = """\
backbone.requires_grad_(False)
optimizer = optim.SGD({held}, lr=0.001)
for x, y in loader:
    features = {stopped}
    loss = loss_fn(head(features), y)
"""


@pytest.mark.parametrize(
    ("rate", "after"),
    [
        (None, "SGD([*backbone.parameters(), *head.parameters()], lr"),
        (
            4.2e-5,
            'SGD([{"params": head.parameters()}, {"params": [*backbone.parameters()], "lr": 4e-05}], lr',
        ),
    ],
)
def test_a_part_that_thaws_is_held_and_reached(rate, after, tmp_path):
    def make(folder, at):
        return unfrozen(folder, at("False"), at("SGD"), ["backbone", "head"], rate, at("features ="))

    text = IN_PARTS.format(held="head.parameters()", stopped="backbone(x).detach()")
    found = patched(tmp_path, text, make)
    assert after in found and "features = backbone(x)\n" in found and "requires_grad_(True)" in found
    hidden = IN_PARTS.format(held="head.parameters()", stopped="without_gradients(backbone, x)")
    assert patched(tmp_path, hidden, make) is None
    elsewhere = IN_PARTS.format(held="trained(head)", stopped="backbone(x).detach()")
    assert (patched(tmp_path, elsewhere, make) is None) == (rate is not None)


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("f = self.body(x).detach()", "f = self.body(x)"),
        ("f = (self.body(x)\n     .detach())", "f = (self.body(x))"),
        ("with torch.no_grad():\n    f = self.body(x)", "with torch.enable_grad():\n    f = self.body(x)"),
        ("with no_grad():\n    f = self.body(x)", "with torch.enable_grad():\n    f = self.body(x)"),
        (
            "with torch.inference_mode():\n    f = self.body(x)",
            "with torch.enable_grad():\n    f = self.body(x)",
        ),
        ("torch.set_grad_enabled(False)", "torch.set_grad_enabled(True)"),
        ("with torch.no_grad(): f = self.body(x)", None),
        ("f = stopped(self.body, x)", None),
        ("f = a.detach() + b.detach()", None),
        ("torch.set_grad_enabled(flag)", None),
    ],
)
def test_gradients_flow_on(line, after, tmp_path):
    assert patched(tmp_path, f"{line}\n", lambda folder, _: flows(folder, _(line.splitlines()[0]))) == (
        None if after is None else f"{after}\n"
    )


ALBUMENTATIONS = """\
train = A.Compose([A.HorizontalFlip(), A.Normalize(mean=[0.5], std=[0.5]), ToTensorV2()])
val = A.Compose(
    [
        A.Resize(8, 8),
        ToTensorV2(),
    ]
)
"""


def test_albumentations_normalises_before_it_makes_a_tensor(tmp_path):
    def make(folder, at):
        return normalised_alike(folder, at("A.Resize"), at("train"))

    after = "        A.Normalize(mean=[0.5], std=[0.5]),\n        ToTensorV2(),\n    ]\n"
    assert after in patched(tmp_path, ALBUMENTATIONS, make)
    scaled = ALBUMENTATIONS.replace("A.Resize(8, 8),", "A.Resize(8, 8), A.ToFloat(),")
    assert patched(tmp_path, scaled, make) is None


def test_an_argument_given_twice_is_no_patch(tmp_path):
    text = "loader = DataLoader(data, 8, shuffle=False)\n"
    (tmp_path / "train.py").write_text(text)
    edit = lambda source, line: [(28, 28, " shuffle=True,")]  # noqa: E731
    assert changed(tmp_path, {"file": "train.py", "line": 1}, edit) is None


def test_a_name_that_stands_for_something_else_is_not(tmp_path):
    text = NAMED.replace("Normalize(mean=[0.5], std=[0.5])", "Grayscale()")
    assert patched(tmp_path, text, lambda at, _: normalised_alike(at, _("val"), _("train"))) is None


@pytest.mark.parametrize("model", ["self.model", "self.net", "network"])
def test_the_mode_is_set_on_what_the_loop_calls(model, tmp_path):
    text = f"for x, y in loader:\n    loss = self.criterion({model}(x), y)\n"
    make = lambda folder, at: mode_set(folder, at("for"), at("loss"), None, "train")  # noqa: E731
    assert patched(tmp_path, text, make).startswith(f"{model}.train()\nfor x")


@pytest.mark.parametrize(
    ("given", "is_here"), [("False", True), ("shuffle", False), ("split == 'val'", False)]
)
def test_only_what_is_told_here_is_shuffled(given, is_here, tmp_path):
    text = f"loader = DataLoader(data, 8, shuffle={given})\n"
    found = patched(tmp_path, text, lambda folder, at: shuffled(folder, at("loader")))
    assert found == (text.replace(given, "True") if is_here else None)


@pytest.mark.parametrize(
    ("sampler", "mended"),
    [("DistributedSampler(train_set, shuffle=False)", "DistributedSampler(train_set, shuffle=True)"),
     ("RandomSampler(train_set)", None), ("own", None)],
)  # fmt: skip
def test_where_a_sampler_says_the_order_it_is_the_one_that_is_told(sampler, mended, tmp_path):
    text = f"loader = DataLoader(train_set, 8, shuffle=False, sampler={sampler})\n"
    found = patched(tmp_path, text, lambda folder, at: shuffled(folder, at("loader")))
    assert found == (None if mended is None else text.replace(sampler, mended))
