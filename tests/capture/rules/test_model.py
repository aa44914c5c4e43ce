"""Weights and parameters by hand: loaded and written over, in the optimizer or not."""

import pytest

from plateau_cause.capture.rules.model import no_steps, optimizer_parameters, weights
from plateau_cause.capture.rules.observation import Peeked

PLACE, APPLIED = {"file": "train.py", "line": 7}, {"file": "train.py", "line": 9}


@pytest.mark.parametrize(("others", "is_said"), [(20, True), (11, True), (1, False), (0, False)])
def test_weights_that_are_written_over_after_they_were_loaded(others, is_said):
    loaded = {"place": PLACE, "matched": 120, "tensors": 122, "matrices": 20, "written_over": others,
              "written_over_at": APPLIED}  # fmt: skip
    found = weights(Peeked({"model": {"weights": [loaded]}}, None))
    assert (found is not None) is is_said
    if is_said:
        assert (found.code, found.location) == ("weights_written_over", APPLIED)


@pytest.mark.parametrize(
    ("seen", "is_said"),
    [({"steps": 0}, True), ({"steps": 0, "is_late": True, "backward_calls": 14}, False),
     ({"steps": 0, "is_late": True, "backward_calls": 100}, True), ({"steps": 2}, False)],
)  # fmt: skip
def test_a_step_that_was_not_waited_for_may_come(seen, is_said):
    found = no_steps(Peeked({"seen": seen, "gradients": {"backward": PLACE}}, None))
    assert (found is not None) is is_said


@pytest.mark.parametrize(("matrices", "is_said"), [(0, False), (3, True)])
def test_norms_alone_may_be_left_out_of_the_optimizer(matrices, is_said, tmp_path):
    missing = {"layers": "bn1, bn2", "parameters": 4, "changes_at": None, "reached": 4, "matrices": matrices}
    model = {"not_held": missing, "strangers": {"parameters": 0}, "head": None, "parts": []}
    content = {"model": model, "optimizers": [{"place": PLACE, "groups": [{"holds": "fc"}]}]}
    assert (optimizer_parameters(Peeked(content, tmp_path)) is not None) is is_said


@pytest.mark.parametrize(
    ("written", "names", "mended"),
    [("[make(), make()]", ["branches[0]", "branches[1]"], "nn.ModuleList([make(), make()])"),
     ("{'a': make()}", ["branches['a']"], "nn.ModuleDict({'a': make()})")],
)  # fmt: skip
def test_modules_in_a_list_are_no_part_of_the_model(written, names, mended, tmp_path):
    (tmp_path / "train.py").write_text(f"import torch, torch.nn as nn\nself.branches = {written}\n")
    kept = {"names": names, "place": {"file": "train.py", "line": 2}}
    missing = {"layers": "inner", "parameters": 120, "changes_at": None, "reached": 0}
    model = {"not_held": missing, "strangers": {"parameters": 0}, "head": None, "parts": [],
             "unregistered": [kept]}  # fmt: skip
    content = {"model": model, "optimizers": [{"place": PLACE, "groups": [{"holds": "fc"}]}]}
    found = optimizer_parameters(Peeked(content, tmp_path))
    assert found.words.startswith(names[0]) and mended.split("(")[0] in found.words
    assert f"+self.branches = {mended}" in found.patch
