"""The warm process: a stage run by it is the same program, in the same folder, with the same fate."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGE = """
import os, sys, time
loaded = [name in sys.modules for name in ("torch", "plateau_cause")]
print(*loaded, os.getcwd(), os.environ["WORD"], __name__, flush=True)
if sys.argv[1] == "wait":
    open("waiting", "w").write(str(os.getpid()))
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(130)
sys.exit(int(sys.argv[2]))
"""
BRIEFLY = """
import sys
from plateau_cause.pipeline import warm
warm.IDLE_S, warm.LIBRARIES = 0.5, ()
sys.argv = ["warm", warm.SERVE]
warm.main()
"""
pytestmark = pytest.mark.slow


@pytest.fixture
def start(tmp_path):
    """Returns a function that starts a stage as dvc does."""
    (tmp_path / "stage.py").write_text(STAGE)
    command = [sys.executable, "-m", "plateau_cause.pipeline.warm", "stage.py"]
    environment = {**os.environ, "DVC_ROOT": str(tmp_path), "WORD": "word", "PYTHONPATH": str(ROOT / "src")}

    def start(*arguments, **others):
        given = {**environment, **others}
        return subprocess.Popen(
            [*command, *arguments], cwd=tmp_path, env=given, text=True, stdout=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip

    return start


def ended(process):
    said, _ = process.communicate(timeout=60)
    return said.split(), process.returncode


@pytest.fixture
def warmed(start):
    """Waits until a stage finds torch loaded before its first line."""
    for _ in range(240):
        said, status = ended(start("run", "0"))
        assert status == 0
        if said[0] == "True":
            return said
        time.sleep(0.5)
    raise AssertionError("no stage was ever run by the warm process")


def wait_for(condition, seconds=20.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_stage_runs_as_if_started_by_itself(warmed, start, tmp_path):
    assert warmed == ["True", "False", str(tmp_path), "word", "__main__"]
    assert ended(start("run", "2"))[1] == 2

    # Ctrl-C reaches it, and its exit status comes back.
    stage = start("wait", "0")
    assert wait_for((tmp_path / "waiting").exists)
    stage.send_signal(signal.SIGINT)
    assert ended(stage)[1] == 130

    # Killed, it takes the stage with it.
    (tmp_path / "waiting").unlink()
    stage = start("wait", "0")
    assert wait_for(lambda: (tmp_path / "waiting").exists() and (tmp_path / "waiting").read_text())
    inner = int((tmp_path / "waiting").read_text())
    assert inner != stage.pid
    stage.kill()
    assert wait_for(lambda: not is_alive(inner))

    # Two at once are two stages; another environment is not served by this process.
    first, second = start("run", "3"), start("run", "4")
    assert (ended(first)[1], ended(second)[1]) == (3, 4)
    assert ended(start("run", "0", PLATEAU_WARM="off"))[0][0] == "False"


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_ends_when_it_is_idle_and_there_is_one_at_a_time(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", BRIEFLY]
    both = [subprocess.Popen(command, cwd=tmp_path, env=environment) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert len(list((tmp_path / ".plateau").glob("warm-*.lock"))) <= 1
