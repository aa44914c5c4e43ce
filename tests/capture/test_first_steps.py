"""What the first steps tell, and what they do not: zero layers, phases to come, other models, averages."""

from __future__ import annotations

import pytest
from capture_cases import line_of

from plateau_cause.capture.rules.every import observe

SGD = ('opt="adamw", lr=5e-4, weight_decay=0.05', 'opt="sgd", lr=0.01, weight_decay=0.0')
STEP = ("scheduler.step(epoch + 1)", "pass")
LATE_ALONE = ("optim.Adam(model.parameters(), lr=1e-4)", "optim.Adam(model.fc.parameters(), lr=1e-4)")


def said(content, folder):
    """Returns each observation's code and line."""
    return [(one.code, one.location["line"]) for one in observe(content, folder)]


@pytest.mark.parametrize("decay", [0.0, 1e-4])
def test_layers_behind_one_that_begins_at_zero_say_nothing_of_the_rate(decay, prepare, peek):
    """timm's residual branches end in a batch norm of zeros: nothing before it has a gradient at first."""
    sgd = (SGD[0], SGD[1].replace("weight_decay=0.0", f"weight_decay={decay}"))
    folder = prepare("timm_style", sgd, STEP, ("scheduler = CosineLRScheduler", "0 and CosineLRScheduler"))
    content = peek(folder)
    assert 1e-5 < content["model"]["change_per_step"] < 0.1
    assert observe(content, folder) == []


# Edits of `functions`: a second head for the same images; the script's loss is of the first alone
TWO_HEADS = (
    ("def build_model(",
     "class Two(nn.Module):\n    def __init__(self, net):\n        super().__init__()\n"
     "        self.body, self.fc, self.aux = net.features, nn.Linear(576, 3), nn.Linear(576, 3)\n\n"
     "    def forward(self, x):\n        x = self.body(x).mean((2, 3))\n"
     "        return self.fc(x), self.aux(x)\n\n\ndef build_model("),
    ("    return net\n", "    return Two(net)\n"), ("out = net(x)\n", "out, aux = net(x)\n"),
    ("net(x).argmax", "net(x)[0].argmax"),
)  # fmt: skip


def test_the_optimizer_of_a_second_phase_has_its_time(prepare, peek):
    content = peek(folder := prepare("two_phases", ("lr=1e-3), 2)", "lr=1e-3), 1)")))
    assert [one["is_fresh"] for one in content["optimizers"]] == [False, True]
    assert content["epochs"]["later"] == [2]
    assert observe(content, folder) == []


def test_a_second_phase_whose_optimizer_holds_the_head_alone_is_named(prepare, peek):
    folder = prepare("two_phases", LATE_ALONE, ("lr=1e-3), 2)", "lr=1e-3), 1)"))
    found = observe(peek(folder), folder)
    assert [one.code for one in found] == ["optimizer_parameters"]
    assert found[0].location["line"] == line_of(folder / "train.py", "lr=1e-4")
    assert "-fit(model, optim.Adam(model.fc.parameters(), lr=1e-4), 2)" in found[0].patch


def test_a_function_for_both_that_sets_training_mode_is_named_and_not_patched(prepare, peek):
    """Evaluation mode in that function would have the model train in it, too."""
    shared = (
        "def run(net, loader, opt=None):\n    net.train()\n    correct = 0\n    for x, y in loader:\n"
        "        with torch.set_grad_enabled(opt is not None):\n            out = net(x)\n"
        "        if opt is not None:\n            opt.zero_grad()\n"
        "            F.cross_entropy(out, y).backward()\n            opt.step()\n"
        "        correct += (out.argmax(dim=1) == y).sum().item()\n"
        "    return correct / len(loader.dataset)\n\n\ndef main():"
    )
    edits = (("def main():", shared), ("train(net, train_loader, opt)", "run(net, train_loader, opt)"),
             ("test(net, test_loader)", "run(net, test_loader)"))  # fmt: skip
    folder = prepare("functions", *edits)
    (found,) = observe(peek(folder), folder)
    assert (found.code, found.patch) == ("evaluates_in_training_mode", None)
    line = found.location["line"]
    assert (folder / "train.py").read_text().splitlines()[line - 1].strip() == "net.train()"
    assert line > line_of(folder / "train.py", "def run(")


def test_an_average_that_is_evaluated_in_training_mode_is_named(prepare, peek):
    both = ("    ema_model.eval()", "    model.eval()")
    also = ("            hits += (ema_model(x)", "            model(x)\n            hits += (ema_model(x)")
    train = ("    for x, y in train_iter:", "    model.train()\n    for x, y in train_iter:")
    folder = prepare("averaged", both, also, train)
    content = peek(folder)
    assert content["average"]["is_beside"]
    assert [one.code for one in observe(content, folder)] == ["evaluates_in_training_mode"]


def test_an_optimizer_that_holds_another_model_is_said_to(prepare, peek):
    teaches = "        with torch.no_grad():\n            teacher(x)\n        out = net(x)"
    edits = (("    opt = configure(net)", "    teacher = build_model(3)\n    opt = configure(teacher)"),
             ("        out = net(x)", teaches),
             ("def train(net, loader, opt):", "def train(net, loader, opt, teacher):"),
             ("train(net, train_loader, opt)", "train(net, train_loader, opt, teacher)"))  # fmt: skip
    folder = prepare("functions", *edits)
    found = observe(peek(folder), folder)
    assert found[0].code == "optimizer_parameters"
    assert "the parameters of teacher, which is another model" in found[0].words
    assert "built before" not in found[0].words


def test_two_backward_calls_with_gradients_cleared_between_are_no_accumulation(prepare, peek):
    """As of SAM, which takes a step of its own to where it looks again."""
    again = "loss.backward()\n        opt.zero_grad()\n        F.cross_entropy(net(x), y).backward()"
    content = peek(prepare("functions", ("loss.backward()", again)))
    assert content["gradients"]["backward_calls_per_step"] == 1


def test_the_head_is_what_gives_the_outputs_that_are_judged(prepare, peek):
    added = ("F.cross_entropy(out, y)", "F.cross_entropy(out, y) + F.cross_entropy(aux, y)")
    content = peek(prepare("functions", *TWO_HEADS, added))
    assert content["model"]["head"]["name"] == "fc"
    assert content["model"]["backbone"].items() >= {"name": "mobilenet_v3_small"}.items()
    assert [one["function"] for one in content["loss"]["with"]] == ["cross_entropy"]
    assert content["loss"]["beside"] == []


def test_a_loss_that_is_added_to_another_is_looked_into_too(prepare, peek):
    """As of labelled images beside the rest: the first is right, the second is given a softmax."""
    second = "        loss = F.cross_entropy(out, y) + F.cross_entropy(out.flip(0).softmax(1), y.flip(0))\n"
    folder = prepare("functions", ("        loss = F.cross_entropy(out, y)\n", second))
    (found,) = observe(peek(folder), folder)
    assert (found.code, found.words.startswith("softmax before cross-entropy")) == ("loss_input", True)


def test_batch_norms_of_a_scripted_model_are_counted(prepare, peek):
    small = "nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)"
    scripted = f"    return torch.jit.script(nn.Sequential({small}))\n"
    content = peek(prepare("functions", ("    return net\n", scripted)))
    assert content["training"]["modes"]["batch_norm"] == {"count": 1, "training": 1}


def test_a_loss_that_is_left_out_leaves_its_head_without_a_gradient(prepare, peek):
    loss = "        loss = F.cross_entropy(out, y)\n"
    computed = (loss, f"        aux = F.cross_entropy(aux, y)\n{loss}")
    folder = prepare("functions", *TWO_HEADS, computed)
    (found,) = observe(peek(folder), folder)
    assert (found.code, found.words.startswith("aux never moves")) == ("loss_left_out", True)
    assert "aux = F" in (folder / "train.py").read_text().splitlines()[found.location["line"] - 1]


def test_an_encoder_that_feeds_a_second_training_belongs_to_its_model(prepare, peek):
    """Trained by a loss of its own, then frozen by no_grad under a linear layer, as contrastive ones are."""
    second = """    linear = torch.nn.Linear(3, 3)
    opt = torch.optim.SGD(linear.parameters(), lr=0.1)
    for x, y in DataLoader(train_loader.dataset, 8, shuffle=True):
        with torch.no_grad():
            features = net(x)
        loss = F.cross_entropy(linear(features), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(test(nn.Sequential(net, linear), test_loader))
"""
    folder = prepare(
        "functions", ('        print(f"epoch {epoch}: test accuracy {test(net, test_loader):.3f}")\n', second)
    )
    content = peek(folder)
    assert [one["name"] for one in content["model"]["parts"]] == ["net", "linear"]
    assert content["evaluation"] is not None
    assert observe(content, folder) == []  # a probe on purpose
