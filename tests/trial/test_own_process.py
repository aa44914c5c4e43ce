"""A user's file in a process of its own: what it returns comes back, and how it ended is said."""

import faulthandler
import os
import signal
import subprocess

import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.trial import own_process
from plateau_cause.trial.own_process import apart


@pytest.fixture(autouse=True)
def no_torch(monkeypatch):
    """As in a command that has loaded nothing yet; what runs in the copy here needs no thread of torch."""
    monkeypatch.setattr(own_process, "_can_be_copied", lambda: True)
    was_enabled = faulthandler.is_enabled()
    faulthandler.disable()  # it would write where the copy ended
    yield
    if was_enabled:
        faulthandler.enable()


def test_what_it_returns_comes_back_whole():
    assert apart(lambda: ("x" * 3_000_000, os.getpid()), "mine.py")[0] == "x" * 3_000_000
    assert apart(os.getpid, "mine.py") != os.getpid()


def test_what_it_raises_is_raised_here():
    def fails():
        raise PlateauError("recipe.code: wrong")

    with pytest.raises(PlateauError, match=r"recipe\.code: wrong"):
        apart(fails, "mine.py")


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (lambda: os._exit(0), "with exit status 0"),
        (lambda: os._exit(3), "with exit status 3"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "by SIGKILL, as where memory runs out"),
        (lambda: os.kill(os.getpid(), signal.SIGBUS), "by SIGBUS, as a crash in a library does"),
    ],
)
def test_a_process_that_ends_is_one_line(ends, said):
    with pytest.raises(PlateauError, match=f"mine.py ended the process while it was tried, {said}"):
        apart(ends, "mine.py")


def test_another_process_that_holds_the_pipe_is_not_waited_for():
    child = apart(lambda: subprocess.Popen(["sleep", "60"], close_fds=False).pid, "mine.py")
    os.kill(child, signal.SIGKILL)


def test_one_that_ends_beside_a_process_of_its_own_is_heard():
    def leaves():
        subprocess.Popen(["sleep", "5"], close_fds=False)
        os._exit(4)

    with pytest.raises(PlateauError, match="with exit status 4"):
        apart(leaves, "mine.py")


def test_what_cannot_travel_is_told_in_words():
    def fails():
        raise ValueError(open(os.devnull))  # noqa: SIM115

    with pytest.raises(RuntimeError, match="/dev/null"):
        apart(fails, "mine.py")


def test_what_takes_long_says_so(monkeypatch, capfd):
    monkeypatch.setattr(own_process, "SAY_S", 0.4)
    monkeypatch.setattr(own_process, "LOOK_S", 0.1)
    assert apart(lambda: __import__("time").sleep(1) or 5, "mine.py") == 5
    assert "mine.py is still being tried (0 s; Ctrl-C ends it)" in capfd.readouterr().err
