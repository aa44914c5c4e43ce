"""The peek of scripts in many styles: right in every field, silent where nothing is wrong, and the broken
line named where one is."""

from __future__ import annotations

import subprocess

import pytest
from capture_cases import BROKEN, CASES, COMMON, line_of

from plateau_cause.capture.observations import observe


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
    assert [one.code for one in found] == [broken.code]
    file = broken.named or broken.file
    assert found[0].location == {"file": file, "line": line_of(folder / file, broken.line)}
    assert (found[0].patch is not None) == broken.is_patched
    if found[0].patch:
        _patch(folder, found[0].patch)
        assert observe(peek(folder, **CASES[name].run), folder) == []


def _patch(folder, patch):
    subprocess.run(["patch", "-p1"], cwd=folder, input=patch, text=True, check=True, capture_output=True)
