"""plateau diagnose --apply: every patch in one copy, the original as it was."""

from __future__ import annotations

import difflib

from plateau_cause.commands.fixed import applied, fixed_copies

TEXT = "".join(f"line {number}\n" for number in range(1, 31))


def patch(after: str) -> str:
    lines = difflib.unified_diff(TEXT.splitlines(True), after.splitlines(True), "a/train.py", "b/train.py")
    return "".join(lines)


def test_patches_against_the_same_text_are_applied_together():
    changed = TEXT.replace("line 5\n", "line five\n")
    added = TEXT.replace("line 8\n", "line 8\nline 8 and a half\n")
    removed = TEXT.replace("line 20\n", "")
    together = applied(TEXT, [patch(one) for one in (added, removed, changed)])
    expected = TEXT.replace("line 5\n", "line five\n").replace("line 8\n", "line 8\nline 8 and a half\n")
    assert together == expected.replace("line 20\n", "")


def test_changes_at_the_first_and_the_last_line():
    for after in (f"new\n{TEXT}", f"{TEXT}new\n", TEXT.replace("line 30\n", "")):
        assert applied(TEXT, [patch(after)]) == after


def test_the_copy_stands_beside_the_original(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(TEXT)
    mended = TEXT.replace("line 5\n", "line five\n")
    cause = {"location": {"file": "train.py", "line": 5}, "patch": patch(mended)}
    said = list(fixed_copies(tmp_path, {"causes": [cause, {"location": None}]}))
    assert script.read_text() == TEXT
    assert (tmp_path / "train.fixed.py").read_text() == mended
    assert "1 of 2 causes repaired" in said[0]


def test_without_a_patch_nothing_is_written(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(TEXT)
    said = list(fixed_copies(tmp_path, {"causes": []}))
    assert said == ["wrote nothing: no cause stands in plain sight"]
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]
