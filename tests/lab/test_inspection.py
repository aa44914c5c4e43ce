"""What a user's file decides is read off what it builds: each classic fault, and its sound twin."""

from dataclasses import replace

import pytest
from tiny import PREPROCESSING

from plateau_cause.config.recipe import Recipe, get, put
from plateau_cause.errors import PlateauError
from plateau_cause.features.identification import Identification
from plateau_cause.lab.inspection import _identified, recipe_arm

DECLARED = put(
    Recipe(preprocessing=PREPROCESSING),
    {
        "trainable": "all",
        "optimizer.weight_decay": 0.05,
        "optimizer.learning_rate": 0.001,
        "head.dropout": 0.25,
        "optimizer.momentum": 0.0,
    },
)
EVERYTHING = ("build_model", "optimizer", "loss", "transform")
KEYS = (
    "preprocessing.scale",
    "preprocessing.channels",
    "preprocessing.size",
    "augmentation",
    "trainable",
    "batch_norm",
    "head.activation",
    "head.dropout",
    "loss.name",
    "loss.label_smoothing",
    "optimizer.name",
    "optimizer.learning_rate",
    "optimizer.weight_decay",
    "optimizer.parameters",
)
FROZEN_TOO = "train, in frozen layers too"
FREEZE = "model.requires_grad_(False)"
FAULTS = {
    "softmax": (("build_model",), {"end": "x = x.softmax(1)"}, {"head.activation": "softmax"}),
    "relu": (("build_model",), {"end": "x = x.relu()"}, {"head.activation": "relu"}),
    "everything frozen": (
        ("build_model",),
        {"freeze": FREEZE},
        {"trainable": "none", "batch_norm": FROZEN_TOO},
    ),
    "all but the head frozen": (
        ("build_model",),
        {"freeze": f"{FREEZE}; model.fc.requires_grad_(True)"},
        {"trainable": "head", "batch_norm": FROZEN_TOO},
    ),
    "half of the body frozen": (
        ("build_model",),
        {"freeze": "model.stem.requires_grad_(False)"},
        {"trainable": "part", "batch_norm": FROZEN_TOO},
    ),
    "the head frozen": (
        ("build_model",),
        {"freeze": "model.fc.requires_grad_(False)"},
        {"trainable": "backbone"},
    ),
    "no dropout": (("build_model",), {"freeze": "model.dropout.p = 0.0"}, {"head.dropout": 0.0}),
    "half of the parameters": (
        ("build_model", "optimizer"),
        {"optimizer": "return torch.optim.AdamW(model.block2.parameters(), lr=0.001, weight_decay=0.05)"},
        {"optimizer.parameters": "part"},
    ),
    "the head alone in the optimizer": (
        ("build_model", "optimizer"),
        {"optimizer": "return torch.optim.AdamW(model.fc.parameters(), lr=0.001, weight_decay=0.05)"},
        {"optimizer.parameters": "head"},
    ),
    "another optimizer": (
        ("optimizer",),
        {"optimizer": "return torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.8)"},
        {"optimizer.name": "sgd", "optimizer.learning_rate": 0.5, "optimizer.weight_decay": 0.0},
    ),
    "batch norm frozen": (
        ("build_model", "on_train_start"),
        {"start": "[m.eval() for m in model.modules() if isinstance(m, nn.BatchNorm2d)]"},
        {"batch_norm": "frozen"},
    ),
    "channels the other way": (
        ("transform",),
        {"channels": "x = x.flip(0)"},
        {"preprocessing.channels": "bgr"},
    ),
    "bytes": (("transform",), {"channels": "x = x * 255"}, {"preprocessing.scale": "byte"}),
    "random": (
        ("transform",),
        {"random": "x = x + 0.1 * torch.randn(()) if train else x"},
        {"augmentation": "random, as in your file"},
    ),
    "not an affine map": (
        ("transform",),
        {"random": "x = (3 * x).tanh()"},
        {"preprocessing.scale": "as in your file"},
    ),
    "softmax before the loss": (
        ("loss",),
        {"loss": "return nn.functional.cross_entropy(output.softmax(1), target)"},
        {"loss.name": "cross_entropy after softmax"},
    ),
    "nll on raw outputs": (
        ("loss",),
        {"loss": "return nn.functional.nll_loss(output, target)"},
        {"loss.name": "nll"},
    ),
    "a loss of one's own": (
        ("loss",),
        {"loss": "return (output ** 2).mean()"},
        {"loss.name": "as in your file"},
    ),
}


def difference(arm, keys=KEYS):
    return {key: get(arm.recipe, key) for key in keys if get(arm.recipe, key) != get(DECLARED, key)}


@pytest.mark.parametrize(
    "functions", [EVERYTHING, *[(name,) for name in EVERYTHING], (*EVERYTHING, "on_train_start")]
)
def test_a_sound_file_differs_in_nothing(make_lab, user_file, functions):
    arm = recipe_arm(make_lab(user_file(*functions)), DECLARED)
    assert difference(arm) == {}
    assert arm.weights == "bundled"
    assert arm.recipe.preprocessing == PREPROCESSING or functions == ("transform",)
    assert arm.own


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(make_lab, user_file, fault):
    functions, lines, expected = FAULTS[fault]
    arm = recipe_arm(make_lab(user_file(*functions, **lines)), DECLARED)
    assert difference(arm) == expected
    assert arm.weights == "bundled"


def test_wrong_mean_and_std(make_lab, user_file):
    file = user_file("transform", mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0])
    found = recipe_arm(make_lab(file), DECLARED).recipe.preprocessing
    assert found.mean == pytest.approx((0, 0, 0), abs=0.01)
    assert found.std == pytest.approx((1, 1, 1), abs=0.01)


def test_weights_that_never_arrived(make_lab, user_file):
    arm = recipe_arm(make_lab(user_file("build_model", load="pass")), DECLARED)
    assert arm.weights == "none"
    assert difference(arm) == {}


def test_another_model(make_lab, user_file):
    file = user_file("build_model")
    file.write_text(
        "from torch import nn\n"
        "def build_model(num_classes):\n"
        "    head = nn.Linear(5, num_classes)\n"
        "    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)\n"
    )
    assert recipe_arm(make_lab(file), DECLARED).weights == "other"


def test_without_code_the_recipe_is_what_is_declared(make_lab):
    declared = put(DECLARED, {"preprocessing.mean": "canonical", "preprocessing.std": "canonical"})
    arm = recipe_arm(make_lab(), declared, seed=3)
    assert arm.recipe == DECLARED
    assert (arm.own, arm.weights, arm.seed) == (frozenset(), "bundled", 3)


@pytest.mark.parametrize(
    ("functions", "lines", "line"),
    [
        (
            ("build_model",),
            {"freeze": "return 3"},
            "build_model() at line 30 must give a torch.nn.Module, not int",
        ),
        (
            ("optimizer",),
            {"optimizer": "return model"},
            "optimizer() at line 37 must give a torch.optim.Optimizer",
        ),
        (("build_model",), {"freeze": "model.nothing"}, "build_model() raised AttributeError at line"),
        (
            ("transform",),
            {"random": "return None"},
            "transform() at line 49 must give a tensor (3, H, W), not NoneType",
        ),
        (("loss",), {"loss": "return output.no_such()"}, "loss() raised AttributeError at line"),
        (("loss",), {"loss": "return None"}, "loss() at line 45 must give one number"),
        (("loss",), {"loss": "return output"}, "loss() at line 45 must give one number"),
        (
            ("build_model",),
            {"end": "x = x.no_such()"},
            "the network of build_model() at line 30 raised AttributeError at line 26",
        ),
    ],
)
def test_a_mistake_is_one_clear_line(make_lab, user_file, functions, lines, line):
    with pytest.raises(PlateauError) as caught:
        recipe_arm(make_lab(user_file(*functions, **lines)), DECLARED)
    assert str(caught.value).startswith(f"recipe.code: {line}")
    assert "\n" not in str(caught.value)


def test_gray_images_have_no_order_of_channels_to_blame():
    seen = Identification(((0.0,) * 3,) * 3, (0.0,) * 3, 1.0, "byte", (0.0,) * 3, (1.0,) * 3, "rgb", False)
    assert _identified(seen)["preprocessing.channels"] == "rgb"
    assert "preprocessing.channels" not in _identified(replace(seen, channels="unidentifiable"))
