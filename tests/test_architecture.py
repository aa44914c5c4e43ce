"""Imports point one way, from the commands down to params.yaml; each room keeps what it alone may know."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
# From top to bottom: a room imports from the lines below its own, never from its own line or above.
LINES = (
    ("__main__",),
    ("commands",),
    ("doctor", "retraining"),
    ("pipeline",),
    ("report", "tracking", "capture", "trial"),
    ("diagnosis",),
    ("causes",),
    ("lab",),
    ("training",),
    ("features",),
    ("backbones",),
    ("images",),
    ("config",),
    ("fingerprint",),
    ("artifacts", "imports", "numbers", "runtime"),
    ("errors",),
)
LINE = {room: number for number, rooms in enumerate(LINES) for room in rooms}
FORBIDDEN = {"report": {"lab", "training", "pipeline"}, "capture": {"report", "tracking", "diagnosis"}}
OWN_LIBRARY = {"mlflow": "tracking"}  # who may import it


def modules(folder=SOURCE):
    """Yields every module: its room, its dotted name, its syntax tree."""
    for path in sorted(folder.rglob("plateau_cause/**/*.py")):
        name = path.relative_to(folder).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        yield room(name), name, ast.parse(path.read_text(encoding="utf-8"))


def room(name):
    return name.partition(".")[2].partition(".")[0]


def imported(tree):
    """Yields dotted names of all that is imported, in functions and for type checking too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows():
    """Returns (from room, to room) -> the modules that import so."""
    found = {}
    for here, name, tree in modules():
        for other in imported(tree):
            if other.startswith("plateau_cause.") and room(other) not in (here, "__version__"):
                found.setdefault((here, room(other)), set()).add(name)
    return found


def test_every_room_has_its_line():
    assert {here for here, _, _ in modules()} - {""} <= set(LINE)


def test_imports_point_down():
    wrong = {arrow: names for arrow, names in arrows().items() if LINE[arrow[0]] >= LINE[arrow[1]]}
    assert wrong == {}


@pytest.mark.parametrize("here", FORBIDDEN)
def test_what_a_room_may_not_know(here):
    assert {other for start, other in arrows() if start == here} & FORBIDDEN[here] == set()


@pytest.mark.parametrize("library", OWN_LIBRARY)
def test_one_room_alone_knows_a_library(library):
    knowing = {
        here for here, _, tree in modules() for name in imported(tree) if name.split(".")[0] == library
    }
    assert knowing == {OWN_LIBRARY[library]}


def test_nothing_in_the_package_imports_tests_or_stages():
    others = {"tests", "stages", "benchmarks"}
    assert [name for _, name, tree in modules() for it in imported(tree) if it.split(".")[0] in others] == []
