"""Runs captures in forks of one process that has imported torch already: seconds become tenths.

    python zygote.py        reads paths of job files from stdin, one a line; answers with the exit status

A fork begins as `start.py` does: the hooks are put in, then the script runs. Only the imports are shared.
"""

import json
import os
import sys
import warnings
from pathlib import Path

import torch
import torchvision  # noqa: F401

from plateau_cause.capture.child import main

sys.path.pop(0)  # the folder of this file


def run(path: Path) -> int:
    """Returns the exit status of a capture in a fork, in the folder of its job."""
    child = os.fork()
    if child == 0:
        job = json.loads(path.read_text())
        os.chdir(job["folder"])
        log = os.open(path.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        warnings.resetwarnings()
        status = 1
        try:
            torch.set_num_threads(1)
            main.run(path)
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        finally:
            sys.stdout.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        print(run(Path(line.strip())), flush=True)
