"""DVC's lock: one that was left half written is cleared, a whole one stays."""

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
