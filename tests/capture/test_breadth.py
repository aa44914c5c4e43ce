"""Further styles of script: what is special about each is said, and what is healthy is not accused."""

from __future__ import annotations

import json
import re

import pytest

from plateau_cause.capture.rules.every import observe
from plateau_cause.capture.table.whole import render, rows

SAYS = {
    "finetune": {  # a convolution is the head, and its ReLU belongs there
        "model.head": ("classifier.1", 3), "model.trains.layers": "classifier", "epochs.count": 2,
        "model.frozen.layers": "features", "loss.on": "never negative",
        "loaders.0.name": 'dataloaders_dict["train"]',
    },
    "one_output": {
        "model.head": ("classifier.1", 1), "loss.function": "nn.BCEWithLogitsLoss", "loss.on": "logits",
        "loaders.0.data_set.class": "CatsDogs", "loaders.0.varies": True, "loaders.1.varies": False,
        "loaders.0.labels.seen": {"0": 16, "1": 16}, "seeds.numpy.value": 1234,
    },
    "one_hot": {
        "loaders.0.labels.seen": {"0": 16, "1": 16, "2": 16}, "loss.function": "nn.BCEWithLogitsLoss",
        "loaders.1.labels.by_folder": {"amber": 0, "blue": 1, "green": 2},
        "loaders.0.image.tensor.shape": [48, 3, 20, 20],
    },
    "stops_early": {
        "loaders.2.name": "test_loader", "loaders.2.role": "unread", "epochs.count": 40,
        "schedules.0.class": "lr_scheduler.ReduceLROnPlateau", "loaders.0.data_set.length": 36,
    },
    "two_outputs": {
        "loaders.2.name": "test_loader", "loss.function": "nn.CrossEntropyLoss", "loss.is_whole": False,
        "model.head": ("fc", 3), "training.output.shape": [8, 3],
    },
    "averaged_late": {"schedules.1.class": "optim.SWALR", "model.head": ("5", 3), "loss.is_whole": True},
    "features": {
        "loaders.0.role": "train", "loaders.0.image.tensor.shape": [48, 3, 32, 32],
        "model.head": ("head", 3), "model.not_held.layers": "backbone",
    },
    "two_phases": {"model.trains.layers": "fc", "model.frozen.layers": "conv1, bn1, layer1 to layer4"},
    "two_models": {  # the second is the script's answer
        "model.parts.0.name": "head", "model.frozen.layers": "conv1, bn1, layer1 to layer4",
        "unused_optimizers": [], "epochs.count": 3,
    },
}  # fmt: skip
ACCUSED = {
    "finetune": ["frozen_layers"], "two_models": ["frozen_layers", "weights_random"],
    "features": ["computed_beforehand"],
}  # fmt: skip


def found_at(content, path):
    """Returns the value at a path such as loaders.0.name; of the head its name and outputs."""
    if path == "model.head":
        return content["model"]["head"]["name"], content["model"]["head"]["outputs"]
    for key in path.split("."):
        content = content[int(key)] if isinstance(content, list) else content[key]
    return content


@pytest.mark.parametrize("name", SAYS)
def test_what_is_special_is_said_and_nothing_healthy_accused(name, prepare, peek):
    folder = prepare(name)
    content = peek(folder)
    assert {path: found_at(content, path) for path in SAYS[name]} == SAYS[name]
    assert content["problems"] == []
    assert [one.code for one in observe(content, folder)] == ACCUSED.get(name, [])
    json.dumps(content, allow_nan=False)


@pytest.mark.parametrize("name", SAYS)
def test_the_accuracies_are_those_that_the_script_prints(name, prepare, capture):
    status, printed, out = capture("watch", prepare(name))
    record = json.loads((out / "watch.json").read_text())
    assert (status, record["error"], record["is_trained"], record["problems"]) == (0, None, True, [])
    said = [float(found) for found in re.findall(r"[Aa]cc:? ([01]\.\d+)", printed)]
    says_both = re.search("train .*Acc", printed) is not None
    rows = [[epoch["training"]] * (says_both and epoch["epoch"] > 0) + epoch["evaluations"]
            for epoch in record["epochs"]]  # fmt: skip
    assert [one["accuracy"] for row in rows for one in row] == pytest.approx(said, abs=6e-5)
    assert all(epoch["training"]["accuracy"] is not None for epoch in record["epochs"] if epoch["training"])


MIXED = (
    "        mixed = sorted((path for path, _ in self.items), key=lambda path: path[::-1])\n"
    "        self.items = [(path, i) for path, (_, i) in zip(mixed, self.items)]\n"
)


@pytest.mark.parametrize(
    ("name", "edit", "code"),
    [
        ("one_output", ("criterion(outputs", "criterion(torch.sigmoid(outputs)"), "loss_input"),
        ("one_hot", ("        optimizer.zero_grad()\n", ""), "gradients_not_cleared"),
        ("two_phases", ("    param.requires_grad = True\n", "    pass\n"), "frozen_layers"),
        ("two_outputs", ("        optimizer.zero_grad()\n", ""), "gradients_not_cleared"),
        ("features", ("head = nn.Linear(512, 3)", "head = nn.Sequential(nn.Linear(512, 3), nn.Softmax(1))"),
         "loss_input"),
        ("accumulation", ("scaler.scale(loss)", "optimizer.zero_grad(); scaler.scale(loss)"),
         "gradients_wasted"),
        ("averaged_late", ("lr=0.01", "lr=1000.0"), "step_too_high"),
        ("one_hot", ("        self.augment = augment\n", f"        self.augment = augment\n{MIXED}"),
         "labels_off_folders"),
    ],
)  # fmt: skip
def test_what_is_broken_is_named(name, edit, code, prepare, peek):
    folder = prepare(name, edit)
    found = [one.code for one in observe(peek(folder), folder)]
    assert [one for one in found if one not in ("computed_beforehand", "weights_random")] == [code]


def test_an_optimizer_of_a_later_phase_is_waited_for(prepare, peek):
    """Nothing is frozen, and only the second optimizer holds everything."""
    folder = prepare("two_phases", ("    param.requires_grad = False", "    pass"))
    content = peek(folder)
    assert content["model"]["not_held"]["parameters"] and content["model"]["not_held"]["changes_at"]
    assert observe(content, folder) == []


def test_a_teacher_that_is_trained_first_is_not_taken_for_the_model(prepare, peek):
    freezes = "for param in whole.parameters():\n    param.requires_grad = False\n"
    briefly = (
        "whole, optim.Adam(whole.parameters(), lr=1e-4)",
        "whole, optim.Adam(whole.fc.parameters()), 1",
    )
    folder = prepare("two_models", ("head = fit(", f"{freezes}head = fit("), briefly)
    content = peek(folder)
    assert content["model"]["parts"][0]["name"] == "head"
    assert content["seen"]["trained_before"]["place"]["file"] == "train.py"
    assert "another training, of " in render(content, [])
    assert [one["name"] for one in content["optimizers"]] == ["optimizer"]
    assert [one.code for one in observe(content, folder)] == ["frozen_layers", "weights_random"]


def test_a_pass_over_a_few_images_is_no_evaluation(prepare, capture):
    _, _, out = capture("watch", prepare("two_models"))
    record = json.loads((out / "watch.json").read_text())
    seen = [row["images"] for epoch in record["epochs"] for row in epoch["evaluations"]]
    assert seen == [24] * 6


def test_a_failure_behind_an_early_end_of_training_is_no_failure_of_training(prepare, capture):
    folder = prepare("stops_early")
    script = folder / "train.py"
    script.write_text(script.read_text() + "\nopen('missing/plot.png', 'w')\n")
    _, _, out = capture("watch", folder)
    record = json.loads((out / "watch.json").read_text())
    assert record["epochs_planned"] == 40 > len(record["epochs"])
    assert (record["error"]["class"], record["is_trained"]) == ("FileNotFoundError", True)


KEPT = """
from torch.utils.checkpoint import checkpoint


class Kept(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return checkpoint(self.inner[1:], self.inner[0](x), use_reentrant={again})


model = Kept(model)
loss_fn = """


@pytest.mark.parametrize("again", [True, False])
def test_what_a_checkpoint_computes_again_is_no_other_call(again, prepare, peek):
    folder = prepare("module_level", ("loss_fn = ", KEPT.format(again=again)))
    content = peek(folder)
    assert [part["class"] for part in content["model"]["parts"]] == ["Kept"]
    assert content["gradients"]["backward_calls_per_step"] == 1
    assert observe(content, folder) == []


def test_a_compiler_of_torch_reads_what_torch_made(prepare, peek):
    folder = prepare("module_level", ("loss_fn = ", "model = torch.jit.script(model)\nloss_fn = "))
    content = peek(folder)
    assert content["loss"]["computes"] == "cross_entropy"
    assert observe(content, folder) == []


def test_a_batch_with_two_steps_counts_once(prepare, capture):
    """As with SAM, or with an optimizer that is given a closure."""
    again = "        loss_fn(model(xb), yb).backward()\n        optimizer.step()\n"
    folder = prepare("module_level", ("        optimizer.step()\n", "        optimizer.step()\n" + again))
    _, _, out = capture("watch", folder)
    record = json.loads((out / "watch.json").read_text())
    assert [one["training"]["images"] for one in record["epochs"]] == [36, 36]


FOLDS = """
def fit_fold(fold):
    model = models.resnet18(weights=None)
    model.fc = nn.Linear(512, 3)
    fit(model, optim.Adam(model.fc.parameters(), lr=1e-3), 2)


for fold in range(3):
    if fold in (0, 2):
        fit_fold(fold)
"""
STAGES = """
def set_trainable(model, stage):
    for name, param in model.named_parameters():
        param.requires_grad = stage > 0 or name.startswith("fc")


model = models.resnet18(weights=None)
model.fc = nn.Linear(512, 3)
for stage in range(2):
    set_trainable(model, stage)
    fit(model, optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3), 2)
"""


@pytest.mark.parametrize(("tail", "codes"), [(FOLDS, ["optimizer_parameters"]), (STAGES, [])])
def test_the_next_fold_is_no_later_phase_and_the_next_stage_is_one(tail, codes, prepare, peek):
    folder = prepare("two_phases")
    script = folder / "train.py"
    script.write_text(script.read_text().partition("model = models")[0] + tail)
    assert [one.code for one in observe(peek(folder), folder)] == codes


AROUND = """class Around(torch.optim.Optimizer):
    def __init__(self, parameters, **options):
        super().__init__(parameters, options)
        self.inner = torch.optim.Adam(self.param_groups, **options)
        self.param_groups = self.inner.param_groups

    def step(self):
        self.inner.step()

optimizer = Around("""


def test_an_optimizer_around_another_is_named_beside_it(prepare, peek):
    content = peek(prepare("module_level", ("optimizer = torch.optim.Adam(", AROUND)))
    (one,) = content["optimizers"]
    assert (one["class"], one["within"]) == ("optim.Adam", ["Around"])
    assert any("optim.Adam within Around, rate 0.002" in value for _, value, _ in rows(content))


def test_a_softmax_is_recognised_in_half_precision(prepare, peek):
    half = "loss_fn(model(xb).bfloat16().softmax(1), yb)"
    folder = prepare("module_level", ("loss_fn(model(xb), yb)", half))
    assert [one.code for one in observe(peek(folder), folder)] == ["loss_input"]


@pytest.mark.parametrize(
    ("mean", "codes"), [("0.485, 0.456, 0.406", []), ("0.1, 0.1, 0.1", ["evaluation_normalised_otherwise"])]
)
def test_a_normalisation_that_chance_hides_is_read_from_the_transform(mean, codes, prepare, peek):
    inverted = ("        transforms.RandomHorizontalFlip(),\n", "        transforms.RandomInvert(0.5),\n")
    other = (
        "[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),\n    ]),\n}",
        f"[{mean}], [0.229, 0.224, 0.225]),\n    ]),\n}}",
    )
    folder = prepare("tutorial", inverted, other)
    content = peek(folder)
    assert content["loaders"][0]["image"]["normalisation"]["mean"] == pytest.approx([0.485, 0.456, 0.406])
    assert [one.code for one in observe(content, folder)] == codes


def test_what_a_script_raises_in_its_evaluation_is_told(prepare, peek):
    folder = prepare("module_level", ("model(xb).argmax(1) == yb", "model(xb.byte()).argmax(1) == yb"))
    content = peek(folder)
    assert content["script"]["error_when_cut"]["class"] == "RuntimeError"
    told = render(content, [])
    assert "no evaluation yet; then the script raised RuntimeError at train.py:" in told
