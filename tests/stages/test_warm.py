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
print("torch" in sys.modules, os.getcwd(), os.environ["WORD"], sys.argv[1:], __name__, flush=True)
if sys.argv[1] == "wait":
    open("waiting", "w").write(str(os.getpid()))
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(130)
sys.exit(int(sys.argv[2]))
"""
OWNER = """
import signal, subprocess, sys
# Where the suite runs in the background Ctrl-C is ignored, and children would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
for line in sys.stdin:
    done = subprocess.run([sys.executable, {warm!r}, "stage.py", *line.split()])
    print("status", done.returncode, flush=True)
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
]


@pytest.fixture
def dvc(tmp_path):
    """Returns a process called dvc that runs a stage for every line that it reads."""
    (tmp_path / "stage.py").write_text(STAGE)
    (tmp_path / "dvc").write_text(OWNER.format(warm=str(ROOT / "stages/warm.py")))
    environment = {**os.environ, "DVC_ROOT": str(tmp_path), "WORD": "word", "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [sys.executable, tmp_path / "dvc"], cwd=tmp_path, env=environment, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    yield process
    process.kill()
    process.wait()


def ask(dvc, line):
    dvc.stdin.write(line + "\n")
    return dvc.stdout.readline().split(maxsplit=3), dvc.stdout.readline().split()


def warmed(dvc, tmp_path):
    """Waits until a stage finds torch loaded before its first line."""
    for _ in range(120):
        said, status = ask(dvc, "run 0")
        assert status == ["status", "0"]
        if said[0] == "True":
            return said
        time.sleep(0.5)
    raise AssertionError("no stage was ever run by the warm process")


def servers(dvc):
    found = subprocess.run(["pgrep", "-f", f"warm.py --serve {dvc.pid}"], capture_output=True, text=True)
    return found.stdout.split()


def wait_for(condition, seconds=10.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_stage_runs_as_if_started_by_itself(dvc, tmp_path):
    said = warmed(dvc, tmp_path)
    assert said[1:3] == [str(tmp_path), "word"]
    assert said[3] == "['run', '0'] __main__\n"
    assert ask(dvc, "run 2")[1] == ["status", "2"]

    # Ctrl-C reaches it, and its exit status comes back.
    dvc.stdin.write("wait 0\n")
    assert wait_for((tmp_path / "waiting").exists)
    client = subprocess.run(["pgrep", "-P", str(dvc.pid)], capture_output=True, text=True).stdout.split()
    os.kill(int(client[0]), signal.SIGINT)
    dvc.stdout.readline()
    assert dvc.stdout.readline().split() == ["status", "130"]

    # Killed, it takes the stage with it.
    (tmp_path / "waiting").unlink()
    dvc.stdin.write("wait 0\n")
    assert wait_for((tmp_path / "waiting").exists)
    stage = int((tmp_path / "waiting").read_text())
    client = subprocess.run(["pgrep", "-P", str(dvc.pid)], capture_output=True, text=True).stdout.split()
    os.kill(int(client[0]), signal.SIGKILL)
    assert wait_for(lambda: not Path(f"/proc/{stage}").exists())

    # It ends with the dvc process.
    assert servers(dvc)
    dvc.kill()
    dvc.wait()
    assert wait_for(lambda: not servers(dvc))
