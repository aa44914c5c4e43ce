"""What a user's functions may do: each works where its user expects it to, or is one line with its place."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import PREPROCESSING, tiny_backbone

from plateau_cause.config.recipe import Recipe, put
from plateau_cause.errors import PlateauError
from plateau_cause.lab import build
from plateau_cause.lab.inspection import recipe_arm, unreached
from plateau_cause.lab.rates import USUAL, Rates
from plateau_cause.training import loop

DECLARED = put(
    Recipe(preprocessing=PREPROCESSING),
    {"trainable": "all", "batch_size": 16, "schedule.epochs": 2, "optimizer.learning_rate": 0.005},
)
BODY = """
import collections, torch
from dataclasses import dataclass
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, num_classes, channels=3):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.fc = nn.Linear(8, num_classes)

    def forward(self, x):
        return self.fc(self.body(x))


def build_model(num_classes):
    return Net(num_classes)
"""


@pytest.fixture
def lab_of(make_lab, tmp_path):
    """Returns a maker of laboratories around a file: BODY, and what a test adds to it or replaces."""

    def make(text):
        path = tmp_path / "mine.py"
        path.write_text(BODY + text, encoding="utf-8")
        return make_lab(path)

    return make


def trained(lab, **values):
    arm = recipe_arm(lab, put(DECLARED, {key.replace("__", "."): value for key, value in values.items()}))
    task = build.task(lab, arm)
    return arm, task, loop.train(task)


def refused(lab, **values):
    """Returns the one line with which a file is refused."""
    with pytest.raises(PlateauError) as caught:
        trained(lab, **values)
    assert "\n" not in str(caught.value)
    return str(caught.value)


OUTPUTS = {
    "an object": "Out = collections.namedtuple('Out', 'logits hidden')\nwrap = lambda y, t: Out(y, None)",
    "a dataclass": "@dataclass\nclass Out:\n    loss: object\n    logits: object\n"
    "wrap = lambda y, t: Out(None, y)",
    "a dictionary": "wrap = lambda y, t: {'features': None, 'logits': y}",
    "a tuple in training": "wrap = lambda y, t: (y, y * 0) if t else y",
    "a list": "wrap = lambda y, t: [y]",
}
WRAPPED = """
class Wrapped(Net):
    def forward(self, x):
        return wrap(super().forward(x), self.training)


def build_model(num_classes):
    return Wrapped(num_classes)
"""


class TestOutputs:
    @pytest.mark.parametrize("kind", OUTPUTS)
    def test_what_holds_the_logits_trains_like_the_logits_alone(self, lab_of, kind):
        plain = trained(lab_of(""))[2]
        found = trained(lab_of(f"{OUTPUTS[kind]}\n{WRAPPED}"))[2]
        assert np.array_equal(found.test_outputs, plain.test_outputs)
        assert found.history == plain.history

    def test_a_loss_of_ones_own_may_read_the_auxiliary_output(self, lab_of):
        text = (
            f"{OUTPUTS['a tuple in training']}\n{WRAPPED}\n"
            "def loss(output, target):\n"
            "    if isinstance(output, tuple):\n"
            "        return F.cross_entropy(output[0], target) + 0.4 * F.cross_entropy(output[1], target)\n"
            "    return F.cross_entropy(output, target)\n"
        )
        plain, found = trained(lab_of(""))[2], trained(lab_of(text))[2]
        extra = found.history[0]["train_loss"] - plain.history[0]["train_loss"]
        assert extra == pytest.approx(0.4 * np.log(3), abs=1e-5)
        assert found.history[-1]["val_loss"] == pytest.approx(plain.history[-1]["val_loss"], abs=1e-5)

    def test_a_loss_may_read_what_only_the_networks_own_output_has(self, lab_of):
        loss = "def loss(output, target):\n    return F.cross_entropy(output.logits, target)\n"
        text = f"{OUTPUTS['an object']}\n{WRAPPED}\n{loss}"
        arm, _, found = trained(lab_of(text))
        assert arm.recipe.loss.name == "as in your file"
        assert np.array_equal(found.test_outputs, trained(lab_of(""))[2].test_outputs)

    def test_more_outputs_than_classes(self, lab_of):
        text = "def build_model(num_classes):\n    return Net(100)\n"
        _, task, found = trained(lab_of(text), schedule__epochs=12)
        assert task.model.fc.out_features == 100
        assert found.test_outputs.shape[1] == 3
        assert found.history[-1]["train_accuracy"] > 0.5

    def test_an_answer_outside_the_classes_is_wrong(self, lab_of):
        text = (
            "def build_model(num_classes):\n    net = Net(100)\n    nn.init.zeros_(net.fc.weight)\n"
            "    net.fc.bias.data = torch.arange(100.0)\n    return net.requires_grad_(False)\n"
        )
        found = trained(lab_of(text))[2]
        assert np.isneginf(found.test_outputs).all()
        assert found.history[-1]["val_accuracy"] == 0.0
        assert found.diverged_step is None

    @pytest.mark.parametrize(
        ("model", "shape"),
        [
            ("Net(2)", "(2, 2) for 2 images of 3 classes"),
            ("nn.Conv2d(3, num_classes, 1)", "(2, 3, 16, 16) for 2 images of 3 classes"),
            ("nn.Sequential(Net(3), nn.Flatten(0))", "(6,) for 2 images of 3 classes"),
        ],
    )
    def test_outputs_that_cannot_be_scores(self, lab_of, model, shape):
        line = refused(lab_of(f"def build_model(num_classes):\n    return {model}\n"))
        assert re.match(r"recipe\.code: the network of build_model\(\) at line 22 gives ", line)
        assert shape in line

    def test_no_scores_at_all(self, lab_of):
        line = refused(lab_of(f"wrap = lambda y, t: None\n{WRAPPED}"))
        assert line.endswith("not NoneType")


class TestInputs:
    GRAY = (
        "from torchvision.transforms import functional as T\n"
        "def transform(image, train):\n    return T.to_tensor(image.convert('L'))\n"
    )
    ONE_CHANNEL = "def build_model(num_classes):\n    return Net(num_classes, channels=1)\n"

    def test_one_channel(self, lab_of):
        lab = lab_of(self.GRAY + self.ONE_CHANNEL)
        _, task, found = trained(lab)
        assert task.inputs.evaluation(torch.tensor([0])).shape == (1, 1, 16, 16)
        assert found.diverged_step is None

    def test_a_gray_network_under_the_declared_preprocessing(self, lab_of):
        _, task, _ = trained(lab_of(self.ONE_CHANNEL))
        assert task.inputs.evaluation(torch.tensor([0])).shape == (1, 1, 16, 16)

    def test_a_gray_transform_before_the_declared_network(self, lab_of):
        lab = lab_of(self.GRAY + "del build_model\n")
        _, task, _ = trained(lab, trainable="head")
        assert type(task.model).__name__ == "Classifier"

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ("x.permute(1, 2, 0)", "must give a tensor (3, H, W), not (16, 16, 3): its channels come last"),
            ("x[0]", "must give a tensor (3, H, W), not (16, 16)"),
            ("x[None]", "must give a tensor (3, H, W), not (1, 3, 16, 16)"),
            ("torch.cat([x, x])", "must give a tensor (3, H, W), not (6, 16, 16)"),
            ("x / 0 * 0", "gives values that are no numbers"),
            ("x[:, : 4 + int(x.sum()) % 9]", "gives tensors of different shapes"),
            ("image", "must give a tensor (3, H, W), not Image"),
        ],
    )
    def test_what_is_no_image_is_said_with_its_line(self, lab_of, value, said):
        text = "import numpy as np\ndef transform(image, train):\n" + (
            f"    x = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()\n    return {value}\n"
        )
        line = refused(lab_of(text))
        assert line.startswith("recipe.code: transform() at line 23 ")
        assert said in line

    def test_images_too_small_for_the_network(self, lab_of):
        text = (
            "def build_model(num_classes):\n    return nn.Sequential(nn.Conv2d(3, 4, 17), Net(num_classes))\n"
        )
        line = refused(lab_of(text))
        assert line.startswith("recipe.code: the network of build_model() at line 22 raised RuntimeError")
        assert line.endswith("(given images (2, 3, 16, 16))")


class TestOptimizers:
    def test_part_of_the_head(self, lab_of):
        text = "def optimizer(model):\n    return torch.optim.Adam([model.fc.weight], lr=0.01)\n"
        lab = lab_of(text)
        arm = trained(lab)[0]
        without = build.task(lab, replace(arm, own=arm.own - {"optimizer"}))
        held = [p for group in without.optimizer.param_groups for p in group["params"]]
        assert [id(p) for p in held] == [id(without.model.fc.weight)]

    def test_the_largest_group_at_rate_zero_is_not_held(self, lab_of):
        text = (
            "def optimizer(model):\n"
            "    body, head = model.body.parameters(), model.fc.parameters()\n"
            "    groups = [{'params': body, 'lr': 0.0}, {'params': head}]\n"
            "    return torch.optim.SGD(groups, lr=0.01, momentum=0.9)\n"
        )
        lab = lab_of(text)
        arm = trained(lab)[0]
        assert arm.recipe.optimizer.learning_rate == 0.01
        assert arm.recipe.optimizer.parameters in ("part", "head")
        all_held = put(arm.recipe, {"optimizer.parameters": "trainable"})
        mended = build.task(lab, replace(arm, own=arm.own - {"parameters"}, recipe=all_held))
        assert all(group["lr"] == 0.01 for group in mended.optimizer.param_groups)

    def test_every_group_at_rate_zero(self, lab_of):
        text = "def optimizer(model):\n    return torch.optim.SGD(model.parameters(), lr=0.0)\n"
        arm, _, found = trained(lab_of(text))
        assert 0 < arm.recipe.optimizer.learning_rate < 1e-9
        assert all(signal["update_ratio"] == 0 for signal in found.signals)

    def test_groups_keep_their_rates(self, lab_of):
        text = (
            "def optimizer(model):\n"
            "    body, head = model.body.parameters(), model.fc.parameters()\n"
            "    groups = [{'params': body, 'lr': 1e-4}, {'params': head}]\n"
            "    return torch.optim.SGD(groups, lr=0.01)\n"
        )
        _, task, _ = trained(lab_of(text), schedule__name="constant")
        assert [group["lr"] for group in task.optimizer.param_groups] == [1e-4, 0.01]

    def test_a_step_that_needs_a_closure(self, lab_of):
        line = refused(lab_of("def optimizer(model):\n    return torch.optim.LBFGS(model.parameters())\n"))
        assert line.startswith(
            "recipe.code: optimizer() at line 22 gives LBFGS, whose step() needs a closure"
        )

    def test_one_that_clears_gradients_in_its_own_way(self, lab_of):
        text = (
            "class Mine(torch.optim.SGD):\n    def zero_grad(self):\n        super().zero_grad()\n"
            "def optimizer(model):\n    return Mine(model.parameters(), lr=0.1)\n"
        )
        assert trained(lab_of(text))[2].diverged_step is None

    def test_a_step_that_fails(self, lab_of):
        text = (
            "class Mine(torch.optim.SGD):\n    def step(self, closure=None):\n        {}['no']\n"
            "def optimizer(model):\n    return Mine(model.parameters(), lr=0.1)\n"
        )
        assert refused(lab_of(text)) == "recipe.code: a training step raised KeyError at line 24: 'no'"


class TestNetworks:
    NEVER_CALLED = (
        "def build_model(num_classes):\n    net = Net(num_classes).requires_grad_(False)\n"
        "    net.classifier = nn.Linear(8, num_classes)\n    return net\n"
    )

    def test_a_layer_that_forward_never_calls(self, lab_of):
        lab = lab_of(
            f"{self.NEVER_CALLED}"
            "def optimizer(model):\n    return torch.optim.Adam(model.classifier.parameters())\n"
        )
        arm, _, found = trained(lab)
        assert unreached(lab, arm) == ("classifier.weight", "classifier.bias")
        assert found.signals == []
        stripped = build.network(lab, replace(arm, own=arm.own - {"activation"}))
        assert stripped(torch.zeros(2, 3, 16, 16)).shape == (2, 3)

    @pytest.mark.parametrize(
        "forward", ["with torch.no_grad():\n            z = self.body(x)", "z = self.body(x).detach()"]
    )
    def test_a_body_that_no_gradient_reaches(self, lab_of, forward):
        text = f"class Cut(Net):\n    def forward(self, x):\n        {forward}\n        return self.fc(z)\n"
        lab = lab_of(f"{text}def build_model(num_classes):\n    return Cut(num_classes)\n")
        names = unreached(lab, trained(lab)[0])
        assert {name.split(".")[0] for name in names} == {"body"}

    def test_a_network_that_no_gradient_reaches_trains_to_its_first_values(self, lab_of):
        text = (
            "class Cut(Net):\n    @torch.no_grad()\n"
            "    def forward(self, x):\n        return super().forward(x)\n"
        )
        lab = lab_of(f"{text}def build_model(num_classes):\n    return Cut(num_classes)\n")
        arm, _, found = trained(lab)
        assert found.signals == [] and found.diverged_step is None
        assert Rates(lab).optimum(arm) == USUAL["adamw"]["all"]

    def test_all_of_a_sound_network_is_reached(self, lab_of):
        lab = lab_of("")
        assert unreached(lab, recipe_arm(lab, DECLARED)) == ()

    def test_declared_batch_norm_holds_for_it(self, lab_of):
        lab = lab_of("")
        arm, task, _ = trained(lab, batch_norm="frozen")
        assert arm.recipe.batch_norm == "frozen" and "batch_norm" not in arm.own
        assert task.model.body[1].running_mean.abs().sum() == 0
        assert trained(lab)[1].model.body[1].running_mean.abs().sum() > 0

    def test_its_own_function_replaces_declared_batch_norm(self, lab_of):
        lab = lab_of("def on_train_start(model):\n    pass\n")
        _, task, _ = trained(lab, batch_norm="frozen")
        assert task.model.body[1].running_mean.abs().sum() > 0

    @pytest.mark.parametrize("attribute", ["drop_prob", "p"])
    def test_stochastic_depth_counts_as_dropout(self, lab_of, attribute):
        kind = {"drop_prob": "DropPath", "p": "StochasticDepth"}[attribute]
        text = (
            f"class {kind}(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            f"        self.{attribute} = 0.9\n    def forward(self, x):\n"
            f"        keep = torch.rand(len(x), 1) >= self.{attribute}\n"
            f"        return x * keep if self.training else x\n"
            "class Deep(Net):\n    def __init__(self, n):\n        super().__init__(n)\n"
            f"        self.body.append({kind}())\n"
            "def build_model(num_classes):\n    return Deep(num_classes)\n"
        )
        lab = lab_of(text)
        arm = recipe_arm(lab, DECLARED)
        assert arm.recipe.head.dropout == 0.9
        calm = put(arm.recipe, {"head.dropout": 0.0})
        without = replace(arm, own=arm.own - {"dropout"}, recipe=calm)
        assert getattr(build.network(lab, without).body[-1], attribute) == 0.0

    def test_dropout_that_is_always_on_still_repeats(self, lab_of):
        text = "class Noisy(Net):\n    def forward(self, x):\n        return F.dropout(super().forward(x))\n"
        lab = lab_of(f"{text}def build_model(num_classes):\n    return Noisy(num_classes)\n")
        first, second = (trained(lab)[2] for _ in range(2))
        assert first.history == second.history
        assert np.array_equal(first.test_outputs, second.test_outputs)

    def test_an_error_in_training_alone_is_one_line(self, lab_of):
        text = "class Bad(Net):\n    def forward(self, x):\n        y = super().forward(x)\n" + (
            "        return y.no_such() if self.training else y\n"
            "def build_model(num_classes):\n    return Bad(num_classes)\n"
        )
        line = refused(lab_of(text))
        assert line.startswith("recipe.code: the network of build_model() at line 26 raised AttributeError")
        assert line.endswith("in training)")

    def test_an_error_in_some_step_is_one_line(self, lab_of):
        text = "steps = []\nclass Bad(Net):\n    def forward(self, x):\n        steps.append(1)\n" + (
            "        return super().forward(x) if len(steps) < 12 else x.no_such()\n"
            "def build_model(num_classes):\n    return Bad(num_classes)\n"
        )
        assert refused(lab_of(text)).startswith("recipe.code: Bad() raised AttributeError at line 26")

    def test_a_gradient_that_cannot_be_computed_is_one_line(self, lab_of):
        text = "class Bad(Net):\n    def forward(self, x):\n        y = super().forward(x).exp()\n" + (
            "        y += 1\n        return y\ndef build_model(num_classes):\n    return Bad(num_classes)\n"
        )
        assert refused(lab_of(text)).startswith(
            "recipe.code: a training step raised RuntimeError: one of the"
        )


class TestEpochs:
    """A function that counts epochs counts each training from the start, and what it thaws late moves."""

    THAWS = (
        "epoch = 0\n"
        "def on_train_start(model):\n"
        "    global epoch\n    epoch += 1\n"
        "    model.requires_grad_(epoch > 2)\n    model.fc.requires_grad_(True)\n"
    )

    def test_counted_from_the_start_in_every_training(self, lab_of):
        text = f"{self.THAWS}def optimizer(model):\n    return torch.optim.SGD(model.parameters(), lr=0.01)\n"
        lab = lab_of(text)
        arm = recipe_arm(lab, put(DECLARED, {"schedule.epochs": 3}))
        results = [lab.run(arm) for _ in range(2)]
        assert results[0].outcome.history == results[1].outcome.history
        moved = [
            s["epoch"] for s in results[0].outcome.signals if s["block"] == "body.0" and s["update_ratio"]
        ]
        assert moved == [3]

    def test_what_is_thawed_late_in_the_declared_network_moves(self, lab_of):
        text = (
            "del build_model\nepoch = 0\n"
            "def on_train_start(model):\n"
            "    global epoch\n    epoch += 1\n    model.eval()\n"
            "    model.requires_grad_(epoch > 2)\n    model.head.requires_grad_(True)\n"
            "def optimizer(model):\n    return torch.optim.SGD(model.parameters(), lr=0.01)\n"
        )
        lab = lab_of(text)
        arm = recipe_arm(lab, put(DECLARED, {"schedule.epochs": 3, "trainable": "head"}))
        found = lab.run(arm).outcome.signals
        assert [s["epoch"] for s in found if s["block"] == "stem" and s["update_ratio"]] == [3]


class TestLosses:
    def test_one_that_becomes_nan_says_when(self, lab_of):
        text = (
            "calls = []\n"
            "def loss(output, target):\n"
            "    if output.requires_grad:\n        calls.append(1)\n"
            "    return F.cross_entropy(output, target) * (float('nan') if len(calls) >= 6 else 1)\n"
        )
        _, _, found = trained(lab_of(text), schedule__epochs=5)
        assert found.diverged_step == 6  # four steps an epoch: the second of the second epoch
        assert len(found.history) == 2
        assert np.isnan(found.history[-1]["train_loss"])

    def test_a_rate_that_blows_up_says_when(self, lab_of):
        values = {"optimizer__name": "sgd", "optimizer__learning_rate": 1000.0, "schedule__epochs": 60}
        text = "def loss(output, target):\n    return (output ** 4).sum()\n"
        _, _, found = trained(lab_of(text), **values)
        assert found.diverged_step is not None
        assert len(found.history) == -(-found.diverged_step // 4)

    def test_a_sound_one_never_does(self, lab_of):
        assert trained(lab_of(""))[2].diverged_step is None

    @pytest.mark.parametrize("value", ["output", "3.0", "None", "output.sum().item()"])
    def test_what_is_no_number_is_said_with_its_line(self, lab_of, value):
        line = refused(lab_of(f"def loss(output, target):\n    return {value}\n"))
        assert line.startswith("recipe.code: loss() at line 22 must give one number as a tensor, not ")


class TestDeclaredNetwork:
    """The same arm with the declared backbone and a plain head in the place of the user's network."""

    def test_the_users_network_leaves_no_trace(self, lab_of):
        lab = lab_of("")
        arm = build.with_declared_network(lab, recipe_arm(lab, DECLARED))
        task = build.task(lab, arm)
        assert type(task.model).__name__ == "Classifier"
        assert torch.equal(task.model.stages[0][0].weight, tiny_backbone().stages[0][0].weight)
        assert len(loop.train(task).history) == 2

    def test_the_other_functions_stay(self, lab_of):
        text = (
            "def loss(output, target):\n    return F.cross_entropy(output, target) * 7\n"
            "def optimizer(model):\n    return torch.optim.NAdam(model.parameters(), lr=0.003)\n"
        )
        lab = lab_of(text)
        task = build.task(lab, build.with_declared_network(lab, recipe_arm(lab, DECLARED)))
        assert type(task.optimizer).__name__ == "NAdam"
        assert task.loss(torch.zeros(1, 3), torch.tensor([0])) == pytest.approx(7 * np.log(3))

    def test_what_only_handles_the_users_network_is_replaced_by_what_it_did(self, lab_of):
        text = (
            "def optimizer(model):\n"
            "    return torch.optim.SGD(model.fc.parameters(), lr=0.03, momentum=0.5)\n"
            "def on_train_start(model):\n    model.body.eval()\n"
        )
        lab = lab_of(text)
        task = build.task(lab, build.with_declared_network(lab, recipe_arm(lab, DECLARED)))
        (group,) = task.optimizer.param_groups
        assert (type(task.optimizer).__name__, group["lr"], group["momentum"]) == ("SGD", 0.03, 0.5)
        loop.train(task)
        start = tiny_backbone().stages[0][1]
        assert torch.equal(task.model.stages[0][1].running_mean, start.running_mean)
