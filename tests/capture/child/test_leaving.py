"""After how many batches a loop is left, by its text and its variables."""

import linecache
import sys

import pytest

from plateau_cause.capture.child.leaving import left_after
from plateau_cause.capture.replay import _drop

HEAD = "flag, most = True, 3\nclass Options:\n    dry_run, steps = True, 5\nargs = Options()\n"
LOOPS = {
    "at once": ("for x in seen():\n    x.step()\n    break\n", 1),
    "before the work": ("for x in seen():\n    break\n    x.step()\n", 0),
    "counted, behind the step": (
        "for i, x in enumerate(seen()):\n    x.step()\n    if i == most:\n        break\n",
        4,
    ),
    "counted, before the step": (
        "for i, x in enumerate(seen()):\n    if i >= most:\n        break\n    x.step()\n",
        3,
    ),
    "more than a number": (
        "for i, x in enumerate(seen()):\n    if i > 10:\n        break\n    x.step()\n",
        11,
    ),
    "an option": (
        "for i, x in enumerate(seen()):\n    x.step()\n    if i >= args.steps - 1:\n        break\n",
        5,
    ),
    "a flag that is set": (
        "for x in seen():\n    x.step()\n    if args.dry_run:\n        print(1)\n        break\n",
        1,
    ),
    "a flag that is not": (
        "flag = False\nfor x in seen():\n    x.step()\n    if flag:\n        break\n",
        None,
    ),
    "a loss that is no number": (
        "for x in seen():\n    if not good(x):\n        break\n    x.step()\n",
        None,
    ),
    "another number": ("n = 0\nfor x in seen():\n    x.step()\n    if n > 3:\n        break\n", None),
    "counted by hand": (
        "for e in [0]:\n    n = 0\n    for x in seen():\n        x.step()\n        n += 1\n"
        "        if n == 2:\n            break\n",
        2,
    ),
    "counted by hand behind the test": (
        "for e in [0]:\n    n = 0\n    for x in seen():\n        if n >= 2:\n            break\n"
        "        x.step()\n        n += 1\n",
        None,
    ),
    "steps of the whole training": (
        "n = 0\nfor e in [0]:\n    for x in seen():\n        x.step()\n        n += 1\n"
        "        if n == 2:\n            break\n",
        None,
    ),
    "counted from elsewhere": (
        "for i, x in enumerate(seen(), 5):\n    x.step()\n    if i > 9:\n        break\n",
        None,
    ),
    "in a loop within": (
        "for x in seen():\n    for y in [1, 2]:\n        break\n    x.step()\n",
        None,
    ),
    "or else": (
        "for i, x in enumerate(seen()):\n    x.step()\n    if i > 3:\n        break\n"
        "    else:\n        pass\n",
        None,
    ),
}


class Batch:
    def step(self):
        pass


@pytest.mark.parametrize(("text", "batches"), LOOPS.values(), ids=LOOPS)
def test_a_loop_that_is_left(text, batches, tmp_path):
    code = HEAD + text
    path, found = str(tmp_path / "train.py"), []
    linecache.cache[path] = (len(code), None, code.splitlines(True), path)

    def seen():
        found.append(left_after(sys._getframe(1)))
        return [Batch()]

    exec(compile(code, path, "exec"), {"seen": seen, "good": bool, "print": print})
    assert (found[0] and found[0]["batches"]) == batches
    if batches is not None:
        lines = code.splitlines()[found[0]["place"].line - 1 : found[0]["last"]]
        assert lines[0].strip().startswith(("if", "break")) and lines[-1].strip() == "break"


def test_the_first_batches_alone(tmp_path):
    code = "from itertools import islice\nfor i, x in enumerate(islice(seen(), 7)):\n    pass\n"
    path, found = str(tmp_path / "train.py"), []
    linecache.cache[path] = (len(code), None, code.splitlines(True), path)

    def seen():
        found.append(left_after(sys._getframe(1)))
        return [Batch()]

    exec(compile(code, path, "exec"), {"seen": seen})
    assert (found[0]["batches"], found[0]["last"]) == (7, None)


def test_lines_are_taken_out_of_a_copy(tmp_path):
    (tmp_path / "train.py").write_text("a\nif b:\n    break\nc\n")
    _drop(tmp_path, {"file": "train.py", "lines": [2, 3]})
    assert (tmp_path / "train.py").read_text() == "a\n\n\nc\n"
    _drop(tmp_path, None)
