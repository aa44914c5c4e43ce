"""The line that writes what a call is given."""

import pytest

from plateau_cause.capture.patches.assigned import assigned_at

TEXT = """import torch
weights = [1, 2]
weights[1] = 9
other: list = [1, 1]
loss = torch.nn.CrossEntropyLoss(weight=torch.tensor(weights).float())
plain = torch.nn.CrossEntropyLoss(weight=None)
late = f(weight=below)
below = 3
"""


@pytest.mark.parametrize(("line", "written"), [(5, 3), (6, 6), (7, 7)])
def test_the_last_line_that_writes_it(line, written, tmp_path):
    (tmp_path / "train.py").write_text(TEXT)
    place = {"file": "train.py", "line": line}
    assert assigned_at(tmp_path, place, "weight") == {"file": "train.py", "line": written}


def test_a_file_that_cannot_be_read_leaves_the_call(tmp_path):
    place = {"file": "gone.py", "line": 1}
    assert assigned_at(tmp_path, place, "weight") is place and assigned_at(tmp_path, None, "weight") is None
