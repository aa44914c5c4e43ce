"""Forks of one process that has imported the libraries already: a capture takes tenths of a second."""

import contextlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path


@contextlib.contextmanager
def started(command, environment, **options):
    """Yields a process that serves; ends it afterwards.

    Ended by a signal: what another test has forked since holds the other end of its stdin as well, so that
    closing ours need not tell it anything.
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, **options}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        try:
            yield process
        finally:
            process.terminate()


def serve(capture):
    """Reads paths of job files from stdin, one a line, and answers with the exit status of each capture.

    Args:
        capture: (path of a job) -> what `start.py` would run; called in a fork, in the folder of the job.
    """
    for line in sys.stdin:
        print(_status(Path(line.strip()), capture), flush=True)


def _status(path, capture):
    child = os.fork()
    if child == 0:
        os.chdir(json.loads(path.read_text())["folder"])
        log = os.open(path.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        warnings.resetwarnings()
        status = 1
        try:
            capture(path)
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        finally:
            sys.stdout.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
