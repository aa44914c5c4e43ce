"""Forks of one process that has imported the libraries already: a capture takes tenths of a second."""

import json
import os
import sys
import warnings
from pathlib import Path


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
