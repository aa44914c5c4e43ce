import sys

import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.images.store import open_dataset


def test_missing_data_name_the_remedy(tmp_path):
    with pytest.raises(PlateauError, match="dvc repro"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_pixels_that_do_not_fit_the_manifest_are_refused(
    make_folder, class_files, prepared, tmp_path, damage
):
    prepared(make_folder(class_files()))
    pixels = tmp_path / "prepared/pixels.bin"
    if damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-3])
    else:
        pixels.unlink()
    with pytest.raises(PlateauError, match="does not fit"):
        open_dataset(tmp_path / "prepared")


def test_data_stages_start_without_torch(root):
    import subprocess

    code = (
        "import plateau_cause.images.prepare, plateau_cause.images.statistics, sys;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
