"""Runs captures in forks of one process that has imported Keras already: seconds become tenths.

    KERAS_BACKEND=… python zygote.py      reads paths of job files from stdin; answers with the exit status

A fork begins as `start.py` does: the doors are put in, then the script runs. Only the imports are shared.
"""

import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3] / "src/plateau_cause"
START = importlib.util.spec_from_file_location("start", ROOT / "capture/child/start.py")
start = importlib.util.module_from_spec(START)
START.loader.exec_module(start)
start.make_importable("plateau_cause", ROOT)

from plateau_cause.capture.keras_child import main  # noqa: E402

if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    import tensorflow  # noqa: F401
    import tensorflow_hub  # noqa: F401
    import tf_keras  # noqa: F401
import keras  # noqa: E402, F401

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
