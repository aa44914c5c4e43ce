"""Runs captures in forks of one process that has imported torch already: see tests/support/forks.py.

    python zygote.py        reads paths of job files from stdin, one a line; answers with the exit status

A fork begins as `start.py` does: the hooks are put in, then the script runs. Only the imports are shared.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1] / "support")  # instead of the folder of this file
import forks  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402, F401

from plateau_cause.capture.child import main  # noqa: E402

sys.path.pop(0)


def capture(path):
    """Runs a job on one thread."""
    torch.set_num_threads(1)
    main.run(path)


if __name__ == "__main__":
    forks.serve(capture)
