"""Journals on disk: whole entries in their order, one worker at a time, there whole or not at all."""

import subprocess
import sys

import pytest

from plateau_cause.tracking.journal import Journal, is_waiting, outbox, waiting

TAKE = (
    "import sys; from pathlib import Path; from plateau_cause.tracking.journal import Journal; "
    "print(Journal(Path(sys.argv[1])).take())"
)


@pytest.fixture
def journal(tmp_path):
    made = Journal.create("finetune@recipe", tmp_path)
    yield made
    made.release()


def test_entries_come_back_in_their_order(journal):
    entries = [
        {"kind": "start", "run": "plateau-1"},
        {"kind": "metrics", "metrics": [["ä", float("inf"), 1, 0]]},
    ]
    for entry in entries:
        journal.add(entry)
    assert journal.read() == entries


def test_a_line_that_was_cut_off_is_left_out(journal):
    journal.add({"kind": "start"})
    with (journal.folder / "journal.jsonl").open("a") as file:
        file.write('{"kind": "para')
    assert journal.read() == [{"kind": "start"}]


def test_every_entry_has_room_of_its_own(journal):
    assert journal.room() != journal.room()


def test_the_oldest_comes_first_and_a_folder_without_lines_is_no_journal(tmp_path):
    made = [Journal.create(name, tmp_path) for name in ("z", "a/b", "empty")]
    for journal in made[:2]:
        journal.add({"kind": "start"})
    assert [found.name for found in waiting(tmp_path)] == [made[0].name, made[1].name]
    assert made[1].name.split("-")[1] == "a_b"


def test_only_one_process_works_on_a_journal(journal):
    journal.add({"kind": "start"})

    def take():
        command = [sys.executable, "-c", TAKE, str(journal.folder)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert take() == "False"
    journal.release()
    assert take() == "True"  # and its end gives it back
    assert journal.take()


def test_what_is_removed_leaves_nothing_and_cannot_be_taken(journal, tmp_path):
    journal.add({"kind": "start"})
    (journal.room() / "a.txt").touch()
    journal.remove()
    assert list(tmp_path.iterdir()) == []
    assert not journal.take()


def test_a_run_waits_where_its_own_journal_does(journal, tmp_path):
    journal.add({"kind": "start", "run": "plateau-1"})
    journal.add({"kind": "diagnosis", "run": "plateau-1", "of": ["plateau-2"]})
    assert is_waiting("plateau-1", tmp_path)
    assert not is_waiting("plateau-2", tmp_path)


def test_the_outbox_is_at_the_root_that_dvc_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert outbox() == tmp_path / ".plateau/outbox"
    monkeypatch.setenv("DVC_ROOT", "/root-of-dvc")  # `dvc exp run --temp` deletes where it works
    assert str(outbox()) == "/root-of-dvc/.plateau/outbox"
