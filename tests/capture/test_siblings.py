"""Faults that look like others, each an edit of one script: named as what they are; their repair takes."""

from __future__ import annotations

import pytest

from plateau_cause.capture.possible.script import possible
from plateau_cause.capture.rules.every import observe

HEAD = "optimizer = torch.optim.Adam(net.out.parameters(), lr=0.01)"
OPTIMIZER = "optimizer = torch.optim.Adam(net.parameters(), lr=0.01)"
STEP = "        logits = net(xb).squeeze(1)\n        loss = criterion(logits, yb)"
TWO_OUTPUTS = [
    ("nn.Linear(6, 1)", "nn.Linear(6, 2)"),
    (STEP, STEP.replace(".squeeze(1)", "").replace("yb)", "yb.long())")),
    ("((net(xb).squeeze(1) > 0).float() == yb)", "(net(xb).argmax(1) == yb)"),
]
FAULTS = {  # name -> edits of `in_memory`, what stands out, text of its line, its repair
    "a softmax over one output": (
        [("nn.BCEWithLogitsLoss()", "nn.CrossEntropyLoss()"),
         (STEP, "        logits = net(xb)\n        loss = criterion(logits, yb[:, None])")],
        "loss_of_one_output", "nn.CrossEntropyLoss()", "logits_to_loss",
    ),
    "an optimizer that takes no step": (
        [(OPTIMIZER, "body = torch.optim.Adam([*net.conv.parameters(), *net.norm.parameters()], lr=0.01)\n"
          f"{HEAD}")],
        "optimizer_unused", "body = torch", "take_steps",
    ),
    "layers that no optimizer holds when they are thawed": (
        [(OPTIMIZER, f"net.conv.requires_grad_(False)\n{HEAD}"),
         ("    net.train()\n", "    net.train()\n    net.conv.requires_grad_(epoch > 0)\n")],
        "optimizer_parameters", "optimizer = torch", "hold_parameters",
    ),
    "a weight for each class and not for each image": (
        [("batch_size=16, shuffle=True)",
          "batch_size=16, sampler=torch.utils.data.WeightedRandomSampler([0.5, 0.5], 48))")],
        "sampler_draws_few", "WeightedRandomSampler", "shuffle",
    ),
    "a wrapped model left in evaluation mode": (
        [("net = SmallNet()", "net = nn.DataParallel(SmallNet())"), ("    net.train()\n", ""),
         ("    net.eval()\n", "    net.module.eval()\n")],
        "trains_in_evaluation_mode", "net.module.eval()", "train_mode",
    ),
    "an evaluation that sets training mode itself": (
        [("    net.eval()\n", "    net.train(True)\n")],
        "evaluates_in_training_mode", "net.train(True)", "evaluation_mode",
    ),
    "weights of classes far apart": (
        [("nn.BCEWithLogitsLoss()", "nn.CrossEntropyLoss(weight=torch.tensor([1.0, 40.0]))"),
         *TWO_OUTPUTS],
        "classes_weighed_apart", "nn.CrossEntropyLoss(weight", "plain_loss",
    ),
    "labels that are smoothed away": (
        [("nn.BCEWithLogitsLoss()", "nn.CrossEntropyLoss(label_smoothing=0.9)"),
         *TWO_OUTPUTS],
        "labels_smoothed_away", "label_smoothing", "plain_loss",
    ),
    "a dropout that leaves next to nothing": (
        [("nn.Dropout(0.1)", "nn.Dropout(0.9)")], "dropout_strong", "nn.Dropout(0.9)", "no_dropout",
    ),
    "a decay that takes a part of the weights at every step": (
        [(OPTIMIZER, "optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=5)")],
        "decay_strong", "weight_decay=5", "no_decay",
    ),
    "gradients of nothing": ([("criterion(logits, yb)", "criterion(logits, yb) * 0.0")], "gradients_zero",
                             "nn.BCEWithLogitsLoss()", None),
}  # fmt: skip
HEALTHY = {
    "batches that are joined": [
        ("net(xb).squeeze(1)\n", "net(torch.cat([xb, xb.flip(3)])).squeeze(1)[: len(xb)]\n"),
    ],
    "batches of two loaders that are joined": [
        (OPTIMIZER, OPTIMIZER + "\nmore_loader = DataLoader(TensorDataset(x[:48], y[:48]), batch_size=8)"),
        ("net(xb).squeeze(1)\n",
         "net(torch.cat([xb, next(iter(more_loader))[0]])).squeeze(1)[: len(xb)]\n"),
    ],
    "half of the features dropped, and a usual decay": [
        ("nn.Dropout(0.1)", "nn.Dropout(0.5)"),
        (OPTIMIZER, "optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.3)"),
    ],
    "a matrix that begins at zero": [(OPTIMIZER, "nn.init.zeros_(net.out.weight)\n" + OPTIMIZER)],
    "a schedule of a loop without loaders": [
        ("for xb, yb in train_loader:", "for xb, yb in zip(x[:48].split(16), y[:48].split(16)):"),
        (OPTIMIZER, OPTIMIZER + "\nschedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.5, 6)"),
        ("        optimizer.step()\n", "        optimizer.step()\n        schedule.step()\n"),
        ("    for xb, yb in test_loader:", "    for xb, yb in [(x[48:], y[48:])]:"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_named_as_what_it_is_and_its_repair_takes(name, prepare, peek, repaired):
    edits, code, text, repair = FAULTS[name]
    folder = prepare("in_memory", *edits)
    content = peek(folder)
    found = observe(content, folder)
    assert [one.code for one in found] == [code]
    lines = (folder / "train.py").read_text().splitlines()
    assert text in lines[found[0].location["line"] - 1]
    asked = possible(content, folder, found)
    assert [one.name for one in asked] == ([repair] if repair else [])
    for one in asked:
        repaired(folder, one)


@pytest.mark.parametrize(
    ("condition", "mended"),
    [("part != 'train'", "part == 'train'"), ("not part == 'train'", "part == 'train'"),
     ("part in ('val',)", "not (part in ('val',))")],
)  # fmt: skip
def test_a_condition_that_sets_both_modes_the_wrong_way_is_turned_round(condition, mended, prepare, peek):
    folder = prepare(
        "in_memory",
        (OPTIMIZER, f"def set_mode(part):\n    net.train({condition})\n\n\n{OPTIMIZER}"),
        ("    net.train()\n", "    set_mode('train')\n"),
        ("    net.eval()\n", "    set_mode('val')\n"),
    )
    found = observe(peek(folder), folder)
    assert {one.code for one in found} == {"trains_in_evaluation_mode", "evaluates_in_training_mode"}
    assert f"+    net.train({mended})" in next(one.patch for one in found if one.patch)


def test_an_average_of_which_the_end_is_yet_to_come_is_named_by_its_text(prepare, peek):
    late = ("    ema_model.eval()\n", "    if epoch < 1:\n        continue\n    ema_model.eval()\n")
    folder = prepare("averaged", ("        ema_model.update_parameters(model)\n", ""), late)
    content = peek(folder)
    text = (folder / "train.py").read_text().splitlines()
    (found,) = observe({**content, "average": None}, folder)
    assert found.code == "average_lags" and "AveragedModel(model" in text[found.location["line"] - 1]
    assert observe({**content, "average": None, "averages": []}, folder) == []


def test_an_average_that_never_follows_is_named_and_lent_the_weights(prepare, peek, repaired):
    folder = prepare("averaged", ("        ema_model.update_parameters(model)\n", ""))
    found = observe(peek(folder), folder)
    assert [(one.code, one.cause) for one in found] == [("average_lags", "evaluation")]
    (one,) = possible(peek(folder), folder, found)
    repaired(folder, one)


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_healthy_is_not_accused(name, prepare, peek):
    folder = prepare("in_memory", *HEALTHY[name])
    content = peek(folder)
    assert [one.code for one in observe(content, folder)] == []
    assert content["problems"] == []
    if "joined" in name:
        roles = ["train", "evaluation", *["train"] * ("two" in name)]
        assert [one["role"] for one in content["loaders"]] == roles
    if content["schedules"]:
        assert content["schedules"][0]["stepped_every"] is None


def test_a_head_of_bare_weights_is_the_head(prepare, peek):
    margin = (
        "class Margin(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.weight = nn.Parameter(torch.randn(1, 6))\n\n    def forward(self, x):\n"
        "        return nn.functional.linear(x, self.weight)\n\n\nclass SmallNet"
    )
    folder = prepare("in_memory", ("class SmallNet", margin), ("nn.Linear(6, 1)", "Margin()"))
    assert {key: peek(folder)["model"]["head"][key] for key in ("name", "outputs")} == {
        "name": "out",
        "outputs": 1,
    }


def test_a_head_on_a_frozen_network_that_stays_in_evaluation_mode(prepare, peek):
    """As a linear probe is trained: frozen norms should act so, and no line of it is called a fault."""
    edits = (
        (
            "    return net\n",
            "    net.requires_grad_(False)\n    net.classifier.requires_grad_(True)\n    return net\n",
        ),
        ("    net.train()\n", "    net.eval()\n"),
    )
    folder = prepare("functions", *edits)
    assert [one.code for one in observe(peek(folder), folder)] == ["frozen_layers", "weights_random"]
