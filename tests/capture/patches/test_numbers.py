"""The line where a rate is written is found, and changed there; elsewhere it is the optimizer's."""

from __future__ import annotations

import pytest

from plateau_cause.capture.patches.numbers import EPOCHS, number_changed, rate_changed

CASES = {
    "in the call": ("opt = SGD(model.parameters(), lr=0.1)  # here\n", []),
    "second argument": ("opt = SGD(model.parameters(), 0.1)  # here\n", []),
    "a name": ("LR = 0.1  # here\nopt = SGD(model.parameters(), lr=LR)\n", []),
    "a setting": ("config = {\n    'lr': 0.1,  # here\n}\nopt = SGD(p, lr=config['lr'])\n", []),
    "a flag": ("a.add_argument('--lr', type=float, default=0.1)  # here\nopt = SGD(p, lr=args.lr)\n", []),
    "a default": ("def main(lr=0.1):  # here\n    opt = SGD(p, lr=lr)\n", []),
    "a field": ("class C:\n    learning_rate: float = 0.1  # here\nopt = SGD(p, lr=cfg.learning_rate)\n", []),
}


@pytest.mark.parametrize("name", CASES)
def test_the_number_is_found_where_it_is_written(name, tmp_path):
    text, arguments = CASES[name]
    (tmp_path / "train.py").write_text(text)
    lines = text.splitlines()
    built = next(number for number, line in enumerate(lines, 1) if "SGD(" in line)
    place, patch = rate_changed(tmp_path, {"file": "train.py", "line": built}, 0.01, arguments)
    assert place == {"file": "train.py", "line": next(n for n, line in enumerate(lines, 1) if "here" in line)}
    assert "0.001" in patch


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("a.add_argument('--lr', default=0.1)\nopt = SGD(p, lr=args.lr)\n", ["--lr", "0.5"]),
        ("a.add_argument('--lr', default=0.1)\nopt = SGD(p, lr=args.lr)\n", ["--lr=0.5"]),
        ("hp = {'lr': 0.1}\nopt = SGD(p, lr=hp['lr'])\n", ["lr=0.5"]),
        ("class C:\n    lr: float = 0.1\nopt = SGD(p, lr=cfg.optim.lr)\n", ["optim.lr=0.5"]),
        ("LR = 0.1\nLR = 0.2\nopt = SGD(p, lr=LR)\n", []),
        ("opt = SGD(p, lr=base * 2)\n", []),
        ("opt = make(model)\n", []),
    ],
)
def test_a_number_of_several_sources_has_no_line_of_its_own(text, arguments, tmp_path):
    (tmp_path / "train.py").write_text(text)
    place = {"file": "train.py", "line": len(text.splitlines())}
    assert rate_changed(tmp_path, place, 0.01, arguments) == (place, None)


def test_without_a_place_there_is_none(tmp_path):
    assert rate_changed(tmp_path, None, 0.01, []) == (None, None)


EPOCHS_CASES = {
    "in the range": ("for epoch in range(5):  # here\n    pass\n", "range("),
    "a name": ("EPOCHS = 5  # here\nfor epoch in range(EPOCHS):\n    pass\n", "range("),
    "four digits": ("EPOCHS = 5000  # here\nfor epoch in range(EPOCHS):\n    pass\n", "range("),
    "a flag": ("a.add_argument('--epochs', default=5)  # here\nfor e in range(args.epochs):\n  pass\n",
               "range("),
    "instead of a default": ("def train(m, num_epochs=25):\n    for e in range(num_epochs):\n        pass\n"
                             "train(model, num_epochs=5)  # here\n", "range("),
    "a while": ("epochs = 5  # here\nwhile epoch < epochs and not done:\n    epoch += 1\n", "while"),
    "of fit": ("model.fit(x, epochs=5)  # here\n", "fit("),
}  # fmt: skip


@pytest.mark.parametrize("name", EPOCHS_CASES)
def test_epochs_are_changed_where_they_are_written(name, tmp_path):
    text, loop = EPOCHS_CASES[name]
    (tmp_path / "train.py").write_text(text)
    lines = text.splitlines()
    place = {"file": "train.py", "line": next(n for n, line in enumerate(lines, 1) if loop in line)}
    count = 5000 if "5000" in text else 5
    place, patch = number_changed(tmp_path, place, EPOCHS, lambda given: 3 * given, [], count)
    assert place["line"] == next(n for n, line in enumerate(lines, 1) if "here" in line)
    assert str(3 * count) in patch.replace("25", "")


@pytest.mark.parametrize(
    "text",
    [
        "for e in range(epochs):\n    pass\nepochs = 9\n",
        "for e in range(1, 6):\n    pass\n",
        "for e in range(9):\n    pass\n",
        "for e in range(epochs):\n    OneCycleLR(o, 0.1, epochs=5)\n",
        "for e in range(a, b, c):\n    pass\n",
        "while True:\n    pass\n",
    ],
)
def test_a_number_that_did_not_act_is_left_alone(text, tmp_path):
    (tmp_path / "train.py").write_text(text)
    place = {"file": "train.py", "line": 1}
    assert number_changed(tmp_path, place, EPOCHS, lambda count: 3 * count, [], 5) == (place, None)
