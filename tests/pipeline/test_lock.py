"""What DVC was killed at: half a lock is cleared, half written notes become the last whole ones."""

import pytest

from plateau_cause.pipeline import lock, paths

WHOLE = '{"/data": {"write": {"pid": 1}}}'


@pytest.mark.parametrize(("text", "stays"), [("", False), ('{"a": ', False), ("{}", True), (WHOLE, True)])
def test_only_what_is_broken_is_cleared(tmp_path, text, stays):
    found = tmp_path / paths.DVC_LOCK
    found.parent.mkdir(parents=True)
    found.write_text(text)
    lock.clear_if_broken(tmp_path)
    assert found.exists() == stays


def test_without_a_lock_there_is_nothing_to_do(tmp_path):
    lock.clear_if_broken(tmp_path)


NOTES = """\
schema: '2.0'
stages:
  embed:
    cmd: sh stages/run embed
    deps:
    - path: data/inputs/embed.json
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
      size: 12
    outs:
    - path: data/features
      hash: md5
      md5: 0123456789abcdef0123456789abcdef.dir
      size: 12
      nfiles: 2
"""


def put(root, text, kept=None):
    (root / paths.DVC_NOTES).write_text(text)
    if kept is not None:
        (root / paths.DVC_NOTES_KEPT).parent.mkdir(exist_ok=True)
        (root / paths.DVC_NOTES_KEPT).write_text(kept)
    lock.clear_if_broken(root)
    return (root / paths.DVC_NOTES).read_text() if (root / paths.DVC_NOTES).exists() else None


def test_every_cut_is_one_that_dvc_reads(tmp_path):
    import yaml
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA

    for end in range(len(NOTES)):
        COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(put(tmp_path, NOTES[:end], NOTES)))


def test_without_a_copy_broken_notes_go(tmp_path):
    assert put(tmp_path, "") is None and put(tmp_path, "schema: '2.0") is None
    assert put(tmp_path, NOTES) == NOTES


def test_what_a_merge_left_open_is_not_touched(tmp_path):
    conflict = f"<<<<<<< HEAD\n{NOTES}=======\n{NOTES}>>>>>>> other\n"
    assert put(tmp_path, conflict, NOTES) == conflict


def test_only_whole_notes_are_kept(tmp_path):
    put(tmp_path, NOTES)
    lock.keep_notes(tmp_path)
    (tmp_path / paths.DVC_NOTES).write_text("")
    lock.keep_notes(tmp_path)
    assert (tmp_path / paths.DVC_NOTES_KEPT).read_text() == NOTES
