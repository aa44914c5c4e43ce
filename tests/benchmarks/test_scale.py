import io

import numpy as np
import pytest
from PIL import Image

from benchmarks import scale


def row(images, own, stage="embed"):
    return scale.Measured(images, stage, 1.0, own, 2 * own)


def test_growth_is_told():
    assert scale.grown([row(1000, 100), row(10_000, 119)]) == []
    assert scale.grown([row(1000, 100), row(10_000, 121)]) == ["embed 10,000"]
    assert scale.grown([row(1000, 100), row(3000, 300), row(10_000, 121, "check")]) == []


def test_the_table_has_a_line_per_stage_and_size():
    found = scale.table([row(1000, 100), row(10_000, 119)]).splitlines()
    assert found[2:] == [
        "| embed | 1,000 | 1.0 | 100 | 200 |  |",
        "| embed | 10,000 | 1.0 | 119 | 238 | 1.19 |",
    ]


def test_pictures_follow_from_their_number_and_twins_are_near():
    twin = scale.TWIN - 1
    assert scale.picture(twin) == scale.picture(twin)
    one, other = (
        np.asarray(Image.open(io.BytesIO(scale.picture(n)))).astype(float) for n in (twin - 1, twin)
    )
    assert 0 < np.abs(one - other).mean() < 3.5
    assert scale.picture(0) != scale.picture(1)


@pytest.mark.slow
def test_a_stage_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "STAGES", ("check", "prepare_data", "dataset_stats"))
    found = scale.run(tmp_path, 600)
    assert [one.stage for one in found] == ["check", "prepare_data", "dataset_stats"]
    assert all(one.resident >= one.own > 10 and one.seconds > 0 for one in found)
