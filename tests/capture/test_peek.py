"""The peek of scripts in many styles: right in every field, silent where nothing is wrong, and the broken
line named where one is."""

from __future__ import annotations

import subprocess

import pytest
from capture_cases import BROKEN, CASES, COMMON, line_of

from plateau_cause.capture.rules.every import observe


def found_at(content, path):
    """Returns the value at a path such as loaders.0.name."""
    for key in path.split("."):
        content = content[int(key)] if isinstance(content, list) else content[key]
    return content


@pytest.mark.parametrize("name", CASES)
def test_a_healthy_script_is_described_and_not_accused(name, prepare, peek):
    case, folder = CASES[name], prepare(name)
    content = peek(folder, **case.run)
    wrong = {
        path: (value, found_at(content, path))
        for path, value in {**COMMON, **case.facts}.items()
        if found_at(content, path) != pytest.approx(value)
    }
    assert not wrong
    places = {path: (file, line_of(folder / file, text)) for path, (file, text) in case.lines.items()}
    said = {path: tuple((found_at(content, path) or {}).values()) for path in places}
    assert said == places
    assert observe(content, folder) == []


@pytest.mark.parametrize(("name", "broken"), BROKEN, ids=[f"{name}-{one.code}" for name, one in BROKEN])
def test_the_broken_line_is_named(name, broken, prepare, peek, tmp_path):
    folder = prepare(name, (broken.old, broken.new), file=broken.file)
    found = observe(peek(folder, **CASES[name].run), folder)
    assert [one.code for one in found if one.code != "weights_random"] == [broken.code]
    file = broken.named or broken.file
    assert found[0].location == {"file": file, "line": line_of(folder / file, broken.line)}
    assert (found[0].patch is not None) == broken.is_patched
    if found[0].patch:
        _patch(folder, found[0].patch)
        assert observe(peek(folder, **CASES[name].run), folder) == []


def _patch(folder, patch):
    subprocess.run(["patch", "-p1"], cwd=folder, input=patch, text=True, check=True, capture_output=True)


def test_a_loop_through_a_generator_of_the_user_is_named_where_the_batches_are_read(prepare, peek):
    """As torchvision's reference scripts read their loaders: through MetricLogger.log_every."""
    logged = "def logged(loader):\n    for batch in loader:\n        yield batch\n\n\ndef test("
    loop, through = "        for x, y in loader:", "        for x, y in logged(loader):"
    folder = prepare("functions", ("def test(", logged), ("    net.eval()\n", ""), (loop, through))
    found = observe(peek(folder), folder)
    assert [one.code for one in found] == ["evaluates_in_training_mode"]
    assert found[0].location["line"] == line_of(folder / "train.py", "in logged(loader)")


def test_without_a_loader_model_and_loop_are_described(prepare, peek):
    folder = prepare(
        "in_memory", ("for xb, yb in train_loader:", "for xb, yb in [(x[:48], y[:48])]:"),
        ("for xb, yb in test_loader:", "for xb, yb in [(x[48:], y[48:])]:"), ("range(n_epochs)", "range(9)"),
        ("train_loader = ", "_ = "), ("test_loader = ", "_ = "),
    )  # fmt: skip
    content = peek(folder)
    assert content["model"]["parts"][0]["class"] == "SmallNet"
    assert content["optimizers"][0]["groups"][0]["lr"] == 0.01
    assert {one["role"] for one in content["loaders"]} == {"unused"}
    assert content["problems"] == []


def test_layers_that_the_next_epoch_unfreezes_are_not_accused(prepare, peek):
    edits = [
        ("optimizer = torch", "model[0].requires_grad_(False)\noptimizer = torch"),
        ("    model.train()\n", "    model.train()\n    model[0].requires_grad_(epoch > 0)\n"),
    ]
    folder = prepare("module_level", *edits)
    content = peek(folder)
    assert content["model"]["unfrozen_later"]["layers"] == "0"
    assert observe(content, folder) == []
