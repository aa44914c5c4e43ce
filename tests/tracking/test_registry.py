"""A real registry in SQLite: versions, aliases, what they come from, and their answers by their own code."""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plateau_cause import tracking
from plateau_cause.config import params
from plateau_cause.errors import PlateauError
from plateau_cause.tracking import prediction, registry

PARAMS = params.Params()
SIZES = [(8, 8), (6, 10), (8, 8)]


CODE_OF_YESTERDAY = """

class _Inverted:
    def predict(self, images):
        import pandas as pd

        return pd.DataFrame({"label": ["dark" if image.mean() > 127 else "bright" for image in images]})


def _load_pyfunc(path):
    return _Inverted()
"""


class Brightness:
    """A model that tells bright images from dark ones; at module level, so that it pickles."""

    def predict(self, images):
        bright = images.mean(axis=(1, 2, 3)) > 127
        return pd.DataFrame({"label": np.where(bright, "bright", "dark"), "bright": bright.astype(float)})


@pytest.fixture
def here(here, monkeypatch):
    """A repository root without runs, tracking on and named."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/mlflow.db")
    return here


@pytest.fixture
def training_set(tmp_path):
    """A folder that stands for what a model was trained on."""
    (tmp_path / "known").mkdir()
    (tmp_path / "known/images.txt").write_text("a b c")
    return tmp_path / "known"


@pytest.fixture
def pixels(tmp_path):
    """Stored images: bright, dark, dark."""
    images = [np.full((*size, 3), value, np.uint8) for size, value in zip(SIZES, (250, 5, 9), strict=True)]
    (tmp_path / "pixels.bin").write_bytes(b"".join(image.tobytes() for image in images))
    sizes = [image.size for image in images]
    heights, widths = zip(*SIZES, strict=True)
    offsets = [0, sizes[0], sizes[0] + sizes[1]]
    return tmp_path / "pixels.bin", {"offset": offsets, "stored_height": heights, "stored_width": widths}


def train(model=None):
    """Returns the run that trained a model, and its URI; another process loads it, so it pickles by value."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with tracking.stage_run(PARAMS, "finetune", arm="recipe") as run:
        uri = run.log_model(model or Brightness(), np.zeros((2, 8, 8, 3), np.uint8))
    return run.run_id, uri


def test_nothing_is_registered_at_first(here):
    versions = registry.Registry("nothing")
    assert versions.version(registry.CHAMPION) is None
    assert versions.find("key") is None


def test_the_newest_is_the_challenger_until_it_is_promoted(here, training_set):
    versions = registry.Registry("plateau")
    run_id, uri = train()
    assert versions.logged_model(run_id) == uri
    first = versions.register(uri, run_id, training_set, {"arm_key": "k1", "causes": "", "verdict": None})
    second = versions.register(uri, run_id, training_set, {"arm_key": "k2", "causes": "head,label_noise"})
    assert (first.version, second.version) == ("1", "2")
    assert versions.version(registry.CHALLENGER).version == "2"
    assert versions.version(registry.CHAMPION) is None
    versions.promote("1")
    versions.promote("2")
    champion = versions.version(registry.CHAMPION)
    assert (champion.version, champion.causes) == ("2", ("head", "label_noise"))
    assert champion.tags["replaced"] == "1"
    assert versions.find("k1").version == "1"
    assert first.causes == ()
    assert "verdict" not in first.tags


def test_versions_and_the_model_say_what_they_are(here, training_set):
    versions, (run_id, uri) = registry.Registry("plateau"), train()
    client = versions._client
    made = versions.register(uri, run_id, training_set, {}, "Trained on **digits**.")
    assert client.get_model_version("plateau", made.version).description == "Trained on **digits**."
    assert "`champion` is deployed" in client.get_registered_model("plateau").description
    client.update_registered_model("plateau", "ours")
    versions.register(uri, run_id, training_set, {}, "x")
    assert client.get_registered_model("plateau").description == "ours"


def test_an_older_version_can_be_todays_again(here, training_set):
    versions, (run_id, uri) = registry.Registry("plateau"), train()
    for _ in range(2):
        versions.register(uri, run_id, training_set, {})
    versions.challenge("1")
    assert versions.version(registry.CHALLENGER).version == "1"


def test_what_a_version_was_trained_on_comes_back(here, training_set, tmp_path):
    versions = registry.Registry("plateau")
    run_id, uri = train()
    made = versions.register(uri, run_id, training_set, {})
    shutil.rmtree(training_set)
    back = versions.training_set(made, tmp_path / "back")
    assert (back / "images.txt").read_text() == "a b c"
    assert versions.training_set(registry.Version("plateau", "9", {}), tmp_path) is None


def test_a_run_of_another_server_has_no_model_here(here):
    versions = registry.Registry("plateau")
    assert versions.logged_model("0123456789abcdef0123456789abcdef") is None
    assert versions.logged_model(None) is None
    with tracking.stage_run(PARAMS, "embed") as run:
        pass
    assert versions.logged_model(run.run_id) is None


def test_a_version_answers_by_its_own_code(here, training_set, pixels, monkeypatch):
    versions = registry.Registry("plateau")
    run_id, uri = train()
    made = versions.register(uri, run_id, training_set, {})
    assert versions.predict(made, *pixels) == ["bright", "dark", "dark"]
    (loader,) = (here / "mlartifacts").glob("**/code/plateau_cause/tracking/model_store.py")
    loader.write_text(loader.read_text() + CODE_OF_YESTERDAY)
    assert versions.predict(made, *pixels) == ["dark", "bright", "bright"]
    monkeypatch.setattr(tempfile, "tempdir", str(temporary := here / "temporary"))
    temporary.mkdir()
    # Today's code, in this process
    assert prediction.predict(made.uri, *pixels) == ["bright", "dark", "dark"]
    assert list(temporary.iterdir()) == []  # what was downloaded is gone


def test_a_model_that_cannot_be_used_is_one_line(here, pixels):
    versions = registry.Registry("plateau")
    with pytest.raises(registry.RegistryError, match="models:/plateau/7 cannot be used") as error:
        versions.predict(registry.Version("plateau", "7", {}), *pixels)
    assert "\n" not in str(error.value)


def test_a_server_that_is_away_is_one_line_without_a_password(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(registry.RegistryError, match=r"the model registry at http://127\.0\.0\.1:9") as error:
        registry.reach()
    assert "secret" not in str(error.value)


def test_an_experiment_whose_name_no_model_can_have():
    registry.check_name("plateau of birds, 2")
    with pytest.raises(PlateauError, match=r"tracking\.experiment: got 'a/b'"):
        registry.check_name("a/b")


def test_the_script_needs_nothing_of_this_package():
    text = Path(prediction.__file__).read_text()
    assert "import plateau_cause" not in text
    assert "from plateau_cause" not in text


def test_the_package_is_taken_out_of_the_path(tmp_path):
    (tmp_path / "src/plateau_cause").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    given = {"PYTHONPATH": f"{tmp_path}/src:{tmp_path}/other", "HOME": "/x"}
    assert prediction._without_package(given) == {"PYTHONPATH": f"{tmp_path}/other", "HOME": "/x"}
