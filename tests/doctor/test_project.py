"""A project's files: planted faults are named, a sound project is not."""

import pytest
from PIL import Image

from plateau_cause.doctor import project
from plateau_cause.doctor.check import FAIL, OK, WARN
from plateau_cause.errors import PlateauError
from plateau_cause.trial import images

FOLDER = "data: {source: imagefolder, path: pictures}\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of 40 pictures in two classes, and the params.yaml that names it."""
    monkeypatch.chdir(tmp_path)
    for number in range(40):
        path = tmp_path / "pictures" / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path)
    (tmp_path / "params.yaml").write_text(FOLDER)
    return tmp_path


def test_a_sound_project(here):
    assert project.writing().status == OK
    assert project.parameters()[:2] == (OK, "params.yaml: imagefolder, tf_efficientnet_lite0, all causes")
    assert project.data()[:2] == (OK, "40 images in 2 classes; 16 tried, all readable")


def test_pictures_that_cannot_be_read(here):
    for path in (here / "pictures/a").iterdir():
        path.write_bytes(b"not a picture")
    found = project.data()
    assert found.status == WARN
    assert "of 16 tried cannot be read: pictures/a/" in found.found
    assert "data.max_unreadable (now 0.01)" in found.mend


def test_a_wrong_key_and_missing_data_are_what_the_stages_would_say(here):
    (here / "params.yaml").write_text("recipe: {trainable: al}\n")
    found = project.parameters()
    assert found.status == FAIL
    assert "did you mean all" in found.found
    (here / "empty").mkdir()
    (here / "params.yaml").write_text(FOLDER.replace("pictures", "empty"))
    with pytest.raises(PlateauError, match="holds no class folders"):
        project.data()


@pytest.mark.parametrize(
    ("source", "path"), [("torchvision", "EuroSAT"), ("torchvision", "USPS"), ("huggingface", "owner/name")]
)
def test_nothing_is_downloaded(here, source, path):
    """There is no network in tests: an attempt would fail."""
    (here / "params.yaml").write_text(f"data: {{source: {source}, path: {path}}}\n")
    found = project.data()
    assert found.status == WARN
    assert f"{source} {path} is not on this machine" in found.found


def test_a_name_that_torchvision_does_not_have(here):
    (here / "params.yaml").write_text("data: {source: torchvision, path: EuroSet}\n")
    with pytest.raises(PlateauError, match="did you mean EuroSAT"):
        project.data()


def test_a_large_set_is_listed_in_part(here, monkeypatch):
    monkeypatch.setattr(images, "LISTING_S", -1.0)
    assert project.data().found.startswith("more than 1 images in 1 classes")


def test_a_folder_that_cannot_be_written(here):
    (here / "reports").write_text("a file in its place: nobody may enter it, not even root")
    found = project.writing()
    assert (found.status, found.found) == (FAIL, "no permission to write in reports")
