"""How many epochs a script plans: loops over epochs count, loops over steps do not."""

import linecache
import sys

import pytest

from plateau_cause.capture.child.plans import rounds_around, steps_around

EPOCHS = {
    "a loop over epochs": ("for epoch in range(7):\n    seen()\n", 7),
    "in a function": ("def one():\n    seen()\nfor epoch in range(2, 7):\n    one()\n", 5),
    "by hand": ("for epoch in range(4):\n    batches = seen()\n    for i in range(100):\n        pass\n", 4),
    "steps": ("for step in range(100):\n    batch = next(batches)\n", None),
    "steps in epochs": ("for e in range(3):\n    for step in range(9):\n        batch = next(batches)\n", 3),
    "begun anew": (
        "for step in range(9):\n"
        "    try:\n        raise StopIteration\n    except StopIteration:\n        seen()\n",
        None,
    ),
    "after an error": (
        "try:\n    raise OSError\nexcept OSError:\n    for epoch in range(6):\n        seen()\n", 6,
    ),
    "steps by a function": (
        "def one():\n    try:\n        raise StopIteration\n    except StopIteration:\n        it = seen()\n"
        "for k in range(3):\n    one()\n",
        None,
    ),
    "a function after an error": (
        "def one():\n    try:\n        raise OSError\n    except OSError:\n        for b in [seen()]:\n"
        "            pass\nfor epoch in range(3):\n    one()\n",
        3,
    ),
    "a while": ("epoch = 0\nwhile epoch < 5:\n    seen()\n    epoch += 1\n", 5),
    "raised first": ("epoch = 0\nwhile epoch < 5:\n    epoch += 1\n    seen()\n", 5),
    "to the last": ("epoch, go_on = 1, True\nwhile epoch <= 5 and go_on:\n    seen()\n    epoch += 1\n", 5),
    "raised by a method": (
        "class Runner:\n    epoch, most = 0, 5\n    def run(self):\n        while self.epoch < self.most:\n"
        "            self.train()\n"
        "    def train(self):\n        seen()\n        self.epoch += 1\nRunner().run()\n",
        5,
    ),
    "a while over steps": ("step = 0\nwhile step < 5:\n    next(batches)\n    step += 1\n", None),
    "steps within": (
        "step = 0\nwhile step < 6:\n    seen()\n    for one in range(3):\n        step += 1\n", None,
    ),
    "until something": ("rounds = []\nwhile len(rounds) < 4:\n    seen()\n    rounds.append(1)\n", None),
}  # fmt: skip


class Batches:
    """Yields what a script that asks for a batch here plans."""

    def __init__(self):
        self.told = []

    def __call__(self):
        self.told.append(rounds_around(sys._getframe(1)))

    __next__ = __call__


@pytest.mark.parametrize("name", EPOCHS)
def test_epochs_are_told_from_steps(name, tmp_path):
    text, count = EPOCHS[name]
    path = tmp_path / "train.py"
    path.write_text(text)
    linecache.checkcache(str(path))
    batches = Batches()
    exec(compile(text, str(path), "exec"), {"seen": batches, "batches": batches})
    assert (batches.told[0] and batches.told[0][0]) == count


STEPS = {
    "steps": ("for step in range(100):\n    seen()\n", 100),
    "steps in epochs": ("for epoch in range(3):\n    for step in range(9):\n        seen()\n", 27),
    "a while": ("step = 0\nwhile step < 240:\n    seen()\n    step += 1\n", 240),
    "for ever, in epochs": ("for epoch in range(3):\n    for batch in [1]:\n        seen()\n", None),
    "a function": ("def one():\n    seen()\nfor step in range(50):\n    one()\n", 50),
    "a while that ends by itself": (
        "for step in range(4):\n    while True:\n        seen()\n        break\n",
        None,
    ),
    "no loop": ("seen()\n", None),
}


@pytest.mark.parametrize(("code", "steps"), STEPS.values(), ids=STEPS)
def test_the_steps_that_loops_take_together(code, steps, tmp_path):
    path, found = str(tmp_path / "steps.py"), []
    linecache.cache[path] = (len(code), None, code.splitlines(True), path)
    exec(compile(code, path, "exec"), {"seen": lambda: found.append(steps_around(sys._getframe(1)))})
    assert (found[0] and found[0][0]) == steps
