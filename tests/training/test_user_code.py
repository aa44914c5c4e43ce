"""The user's file: found, checked, and every mistake in it one clear line."""

import re

import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.training.user_code import call, load_user_code, renewed


@pytest.fixture
def refusal(tmp_path):
    """Returns the error's text for a file of this content, after checking that it is one line."""

    def of(text: str) -> str:
        path = tmp_path / "mine.py"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PlateauError) as caught:
            load_user_code(path)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith("recipe.code: ")
        return str(caught.value)

    return of


def test_no_file_is_no_code():
    code = load_user_code(None)
    assert code.defined == ()
    assert code.digest == ""


def test_finds_what_is_defined(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def loss(output, target): return output\ndef optimizer(model, rate=1): return rate\n")
    code = load_user_code(path)
    assert code.defined == ("loss", "optimizer")
    assert code.optimizer(None) == 1
    before = code.digest
    path.write_text("def loss(output, target): return target\n")
    assert load_user_code(path).digest != before


def test_may_import_what_lies_beside_it(tmp_path):
    (tmp_path / "neighbour_of_mine.py").write_text("RATE = 3\n")
    path = tmp_path / "mine.py"
    path.write_text("from neighbour_of_mine import RATE\ndef optimizer(model): return RATE\n")
    assert load_user_code(path).optimizer(None) == 3


def test_syntax_error(refusal):
    assert re.search(
        r"raised SyntaxError at line 2: ", refusal("x = 1\ndef loss(output target):\n    pass\n")
    )


def test_error_while_loading(refusal):
    text = refusal("import math\n\nmath.sqrt(-1)\n")
    assert text.endswith("mine.py raised ValueError at line 3: math domain error")


def test_missing_import(refusal):
    assert "raised ModuleNotFoundError at line 1: No module named 'no_such_module'" in refusal(
        "import no_such_module\n"
    )


def test_defines_nothing_of_use(refusal):
    assert "defines none of transform, build_model, loss, optimizer, on_train_start" in refusal(
        "transform = 3\n"
    )


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("def transform(image): ...", "transform(image, train)"),
        ("def build_model(): ...", "build_model(num_classes)"),
        ("def loss(a, b, c): ...", "loss(output, target)"),
        ("def optimizer(model, *, rate): ...", "optimizer(model)"),
        ("class build_model:\n    def __init__(self): ...", "build_model(num_classes)"),
    ],
)
def test_wrong_arguments(refusal, text, called):
    found = refusal(text + "\n")
    own = text.removeprefix("def ").removesuffix(": ...")
    assert found.endswith(f"mine.py:1: {own}; it is called as {called}" if text[0] == "d" else called)


def test_error_inside(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def inner():\n    return 1 / 0\n\ndef loss(output, target):\n    return inner()\n")
    code = load_user_code(path)
    with pytest.raises(PlateauError) as caught:
        call(code.loss, 1, 2)
    assert str(caught.value) == "recipe.code: loss() raised ZeroDivisionError at line 2: division by zero"


def test_error_inside_a_callable_object(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "class Loss:\n    def __call__(self, output, target):\n        raise ValueError('a\\nb')\n"
        "loss = Loss()\n"
    )
    with pytest.raises(PlateauError) as caught:
        call(load_user_code(path).loss, 1, 2)
    assert str(caught.value).endswith("raised ValueError at line 3: a b")


class TestRenewed:
    @pytest.mark.parametrize("change", ["epoch += 1", "seen.append(1)", "name = 'another'"])
    def test_a_file_that_changed_its_variables_is_loaded_again(self, tmp_path, change):
        path = tmp_path / "mine.py"
        path.write_text(
            "epoch, seen, name = 0, [], 'one'\n"
            "def on_train_start(model):\n    global epoch, name\n"
            f"    {change}\n    return epoch, seen, name\n"
        )
        code = load_user_code(path)
        first = code.on_train_start(None)
        assert code.on_train_start(None) != (0, [], "one")
        again = renewed(code)
        assert again is not code
        assert again.on_train_start(None) == first or change == "seen.append(1)"
        assert len(renewed(again).on_train_start(None)[1]) <= 1

    def test_one_that_did_not_is_left_alone(self, tmp_path):
        path = tmp_path / "mine.py"
        path.write_text("RATE = 3\ndef optimizer(model):\n    return RATE\n")
        code = load_user_code(path)
        code.optimizer(None)
        assert renewed(code) is code

    def test_without_a_file_or_a_function_of_it(self, tmp_path):
        path = tmp_path / "mine.py"
        path.write_text("from torch import nn\nloss = nn.CrossEntropyLoss()\n")
        for code in (load_user_code(None), load_user_code(path)):
            assert renewed(code) is code


def test_exit_is_an_error_too(refusal):
    assert "raised SystemExit at line 1" in refusal("raise SystemExit(0)\n")
