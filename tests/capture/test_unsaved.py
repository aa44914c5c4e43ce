"""What a peek of a Keras script does not save is what the script loads again."""

from types import SimpleNamespace

from plateau_cause.capture.keras_child.looking import as_long
from plateau_cause.capture.keras_child.thawing import of_pretrained
from plateau_cause.capture.keras_child.unsaved import Unsaved


def test_a_path_leads_to_the_model_that_was_to_be_saved_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    unsaved, model = Unsaved(), object()
    unsaved.keep("best.keras", model)
    assert unsaved.of(tmp_path / "best.keras") is model
    assert unsaved.of("other.keras") is None and unsaved.of(None) is None


def test_a_file_of_an_epoch_is_the_scripts_own(tmp_path):
    unsaved = Unsaved()
    unsaved.keep(tmp_path / "weights.{epoch:02d}-{val_loss:.2f}.h5", object())
    assert unsaved.may_hold(tmp_path / "weights.07-0.31.h5")
    assert not unsaved.may_hold(tmp_path / "imagenet.h5")


def test_a_history_is_as_long_as_the_script_asked_for():
    history = SimpleNamespace(epoch=[0], history={"loss": [0.7], "val_loss": [0.9]})
    found = as_long(history, {"epochs": 12, "initial_epoch": 4})
    assert found.epoch == list(range(4, 12)) and found.epoch[-1] + 1 == 12
    assert found.history == {"loss": [0.7] * 8, "val_loss": [0.9] * 8}


def test_layers_that_thaw_get_a_hundredth_of_a_heads_rate():
    assert [of_pretrained(rate) for rate in (1e-1, 1e-2, 1e-3, 1e-5, 1e-6)] == [1e-4, 1e-4, 1e-5, 1e-5, 1e-6]
