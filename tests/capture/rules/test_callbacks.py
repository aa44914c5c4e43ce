"""Callbacks that wait for the wrong way, of Keras and Lightning."""

import pytest

from plateau_cause.capture.rules.callbacks import waits_for_less
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 7}


@pytest.mark.parametrize(
    ("kind", "monitor", "mode", "code"),
    [("EarlyStopping", "val_accuracy", "min", "callback_waits"), ("EarlyStopping", "val_loss", "min", None),
     ("ReduceLROnPlateau", "val_acc", "min", "schedule_fades"), ("EarlyStopping", "val_f1", "max", None),
     ("ModelCheckpoint", "val_loss", "max", "callback_waits"), ("EarlyStopping", "my_metric", "min", None)],
)  # fmt: skip
def test_a_callback_that_waits_for_the_wrong_way(kind, monitor, mode, code):
    one = {"class": kind, "place": PLACE, "monitor": monitor, "mode": mode}
    found = waits_for_less(
        Peeked({"keras": {"callbacks": [one, {"class": "CSVLogger", "place": PLACE}]}}, None)
    )
    assert (None if found is None else found.code) == code


def test_a_callback_of_lightning_is_named_where_it_is_made(tmp_path):
    (tmp_path / "train.py").write_text("import x\nstop = EarlyStopping('val_acc')\nfit(stop)\n")
    one = {"class": "EarlyStopping", "monitor": "val_acc", "mode": "min", "place": {**PLACE, "line": 3}}
    found = waits_for_less(Peeked({"callbacks": [one]}, tmp_path))
    assert (found.code, found.location["line"]) == ("callback_waits", 2)
