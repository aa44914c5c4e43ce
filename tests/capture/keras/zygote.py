"""Runs captures in forks of one process that has imported Keras already: see tests/support/forks.py.

    KERAS_BACKEND=… python zygote.py      reads paths of job files from stdin; answers with the exit status

A fork begins as `start.py` does: the doors are put in, then the script runs. Only the imports are shared.
"""

import importlib.util
import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2] / "support")  # instead of the folder of this file
import forks  # noqa: E402

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

sys.path.pop(0)

if __name__ == "__main__":
    forks.serve(main.run)
