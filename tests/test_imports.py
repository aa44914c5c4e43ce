"""Planted modules: what is run is found, what is not is left out."""

import textwrap

import pytest

from plateau_cause import imports


@pytest.fixture
def folder(tmp_path):
    """Returns a maker of modules."""

    def write(**modules):
        for name, code in modules.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(code))
        return tmp_path

    return write


def names(folder, start="start"):
    found = imports.closure([folder / f"{start}.py"], folder)
    return {path.relative_to(folder).with_suffix("").as_posix() for path in found} - {start}


@pytest.mark.parametrize(
    "code",
    [
        "import beside",
        "import os, beside as b",
        "from beside import anything",
        "from beside import *",
        "def later():\n    import beside",
        "try:\n    import gone\nexcept ImportError:\n    import beside",
        "if __name__ == '__main__':\n    import beside",
    ],
)
def test_an_import_in_any_form(folder, code):
    assert names(folder(start=code, beside="x = 1", other="")) == {"beside"}


def test_what_is_imported_by_what_is_imported(folder):
    assert names(folder(start="import a", a="import b", b="import a, c", c="", d="")) == {"a", "b", "c"}


def test_packages_and_what_stands_in_them(folder):
    modules = {"pack__init": "", "pack__inner": "from . import other", "pack__other": ""}
    made = folder(start="from pack import inner", **modules)
    (made / "pack/init.py").rename(made / "pack/__init__.py")
    assert names(made) == {"pack/__init__", "pack/inner", "pack/other"}
    modules = {"space__deep__end": "from ..near import x", "space__near": ""}
    assert names(folder(start="import space.deep.end", **modules)) == {"space/deep/end", "space/near"}


def test_a_registry_names_modules_in_strings(folder):
    made = folder(start="KNOWN = {'a': 'pack.a', 'text': 'not.a.module'}", pack__a="", pack__b="")
    assert names(made) == {"pack/a"}


def test_hints_and_comments_import_nothing(folder):
    code = """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            import hinted
        else:
            import real
        # import hinted
        '''import hinted'''
    """
    assert names(folder(start=code, hinted="", real="")) == {"real"}


def test_what_is_no_python_leads_nowhere(folder):
    assert names(folder(start="import broken", broken="import (", other="")) == {"broken"}
    (folder() / "zero.py").write_bytes(b"import other\0")
    assert names(folder(), "zero") == set()


def test_installed_libraries_are_not_followed(folder):
    assert names(folder(start="import numpy, json.decoder")) == set()


def test_digests_follow_contents(folder):
    made = folder(start="import beside", beside="x = 1")
    before = imports.digests(imports.closure([made / "start.py"], made), made)
    assert list(before) == ["beside.py", "start.py"]
    folder(beside="x = 2")
    after = imports.digests(imports.closure([made / "start.py"], made), made)
    assert {name for name in after if after[name] != before[name]} == {"beside.py"}


def test_links_stand_where_they_stand(folder, tmp_path):
    made = folder(far__shared="x = 1", near__start="import shared")
    (made / "near/shared.py").symlink_to("../far/shared.py")
    before = imports.digests(imports.closure([made / "near/start.py"], made / "near"), made / "near")
    assert list(before) == ["shared.py", "start.py"]
    folder(far__shared="x = 2")
    assert imports.digest([made / "near/shared.py"], made / "near") != before["shared.py"]


def test_of_what_is_installed_side_by_side_one_package_is_followed(folder):
    modules = {"ours__inner": "", "theirs": "import ours.other", "ours__other": ""}
    made = folder(ours__start="import ours.inner, theirs", **modules)
    found = imports.closure([made / "ours/start.py"], made, only="ours")
    assert {path.stem for path in found} == {"start", "inner"}
