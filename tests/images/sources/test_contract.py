"""All sources: the same pictures in any form give the same labels, counts, pixels and splits."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from forms import FORMS, SPLITS, decoded, pictures

from plateau_cause.config.params import SOURCES, Data
from plateau_cause.errors import PlateauError
from plateau_cause.images import sources
from plateau_cause.images.prepare import prepare
from plateau_cause.images.store import open_dataset


@pytest.fixture(params=FORMS)
def form(request):
    chosen = FORMS[request.param]
    pytest.importorskip(chosen.needs)
    if chosen.needs == "datasets":
        request.getfixturevalue("hub_is_off")
    return chosen


def prepared(data, folder):
    counts = prepare(data, folder / "prepared")
    return counts, open_dataset(folder / "prepared")


def found_in(dataset, split=None):
    """Returns how often each (label, pixels) is there."""
    rows = range(len(dataset)) if split is None else dataset.indices(split)
    labels = dataset.manifest["label"]
    return Counter((labels[row], dataset.store.image(row).tobytes()) for row in rows)


def wanted(form, given, splits=SPLITS):
    """Returns the same of the pictures of some splits."""
    return Counter(
        (form.labels[p.label], np.repeat(decoded(p)[..., None], 3, axis=2).tobytes())
        for p in given
        if p.split in splits
    )


def test_same_labels_counts_and_pixels(form, tmp_path):
    given = pictures()
    counts, dataset = prepared(form.write(tmp_path / "raw", given), tmp_path)
    assert found_in(dataset) == wanted(form, given)
    assert (counts.images, counts.classes, counts.unreadable) == (10, 2, 0)
    assert {dataset.store.image(row).shape for row in range(len(dataset))} == {(12, 18, 3)}
    assert dataset.manifest["image_id"].is_unique
    assert not dataset.manifest["source"].eq("").any()


def test_splits_are_kept_and_others_drawn(form, tmp_path):
    given = pictures()
    _, dataset = prepared(form.write(tmp_path / "raw", given), tmp_path)
    for name in set(form.splits.values()):
        members = {split for split, put_in in form.splits.items() if put_in == name}
        kept = sum((found_in(dataset, split) for split in members), Counter())
        assert kept == wanted(form, given, members)
    for split in SPLITS:
        assert set(dataset.manifest.loc[dataset.indices(split), "label"]) == set(form.labels.values())


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if form.takes_damaged], indirect=True)
def test_an_image_that_cannot_be_read_is_quarantined_with_its_reason(form, tmp_path):
    data = form.write(tmp_path / "raw", pictures(damaged=True))
    counts = prepare(Data(**{**vars(data), "max_unreadable": 0.2}), tmp_path / "prepared")
    assert (counts.images, counts.unreadable) == (10, 1)
    quarantine = pd.read_parquet(tmp_path / "prepared/quarantine.parquet")
    assert quarantine["reason"].tolist() == ["not an image, or of an unknown format"]
    assert quarantine["source"].str.len().min() > 0


def test_twice_is_the_same_and_the_raw_files_are_left_alone(form, tmp_path):
    data = form.write(tmp_path / "raw", pictures())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "raw").rglob("*")}
    first, second = (prepared(data, tmp_path)[1].digest for _ in range(2))
    assert first == second
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "raw").rglob("*")} == before


def test_what_dvc_watches_is_there_and_holds_the_pictures(form, tmp_path):
    data = form.write(tmp_path / "raw", pictures())
    watched = sources.local_files(data)
    assert watched.exists()
    assert watched.is_relative_to(tmp_path / "raw")
    files = [path for path in (tmp_path / "raw").rglob("*") if path.is_file()]
    assert watched.is_file() or all(file.is_relative_to(watched) for file in files)


def test_digits(tmp_path):
    from sklearn.datasets import load_digits

    _, dataset = prepared(Data(), tmp_path)
    scans = load_digits()
    pixels = np.rint(scans.images * 255 / 16).astype(np.uint8)[..., None].repeat(3, axis=3)
    assert found_in(dataset) == Counter(
        (str(target), image.tobytes()) for target, image in zip(scans.target, pixels, strict=True)
    )
    assert sources.local_files(Data()) is None


def test_every_source_is_in_the_contract():
    read_here = set(SOURCES) - {"script"}  # that one's images are read by the script itself
    assert set(sources.SOURCES) == read_here == {name.split()[0] for name in FORMS} | {"digits"}


@pytest.mark.parametrize("path", [".", "data", ".."])
def test_a_folder_that_holds_the_project_is_not_watched(tmp_path, monkeypatch, path):
    (tmp_path / "project/data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    with pytest.raises(PlateauError, match=rf"reference_data\.path: '{path}' leads to .*project's own files"):
        sources.local_files(Data(source="imagefolder", path=path), "reference_data")
