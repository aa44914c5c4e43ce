"""preprocessor_config.json as transformers has written it over the years."""

import json
from pathlib import Path

import pytest
import torch

from plateau_cause.backbones import load_backbone
from plateau_cause.backbones.expectations import of_processor

PLAIN = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}
HALF, QUARTER = (0.5,) * 3, (0.25,) * 3


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"size": 224, "resample": 2}, (HALF, QUARTER, 224, "bilinear", 1.0)),
        ({"size": {"height": 384, "width": 384}, "resample": 3}, (HALF, QUARTER, 384, "bicubic", 1.0)),
        (
            {
                "size": {"shortest_edge": 256},
                "do_center_crop": True,
                "crop_size": {"height": 224, "width": 224},
            },
            (HALF, QUARTER, 224, "bilinear", 0.875),
        ),
        (
            {"size": {"shortest_edge": 224}, "crop_pct": 0.875, "resample": 0},
            (HALF, QUARTER, 224, "nearest", 0.875),
        ),
        ({"size": [96, 96], "resample": 1}, (HALF, QUARTER, 96, "bicubic", 1.0)),
        ({"size": 32, "do_normalize": False}, ((0.0,) * 3, (1.0,) * 3, 32, "bilinear", 1.0)),
        (  # pixels 0..2: the same input as 0..1 with half the mean and std
            {"size": 32, "rescale_factor": 2 / 255},
            (QUARTER, (0.125,) * 3, 32, "bilinear", 1.0),
        ),
        (  # bytes
            {"size": 32, "do_rescale": False, "image_mean": [127.5] * 3, "image_std": [255.0] * 3},
            (HALF, (1.0,) * 3, 32, "bilinear", 1.0),
        ),
    ],
)
def test_what_a_processor_says(config: dict[str, object], expected: tuple[object, ...]) -> None:
    found = of_processor({**PLAIN, **config}, "here")
    assert found.mean == pytest.approx(expected[0])
    assert found.std == pytest.approx(expected[1])
    assert (found.size, found.interpolation, found.crop_frac, found.source) == (*expected[2:], "here")


def test_it_is_read_beside_a_weights_file(tmp_path: Path) -> None:
    saved = load_backbone("timm:test_resnet", "none")
    state = {original: saved.stages.state_dict()[key] for key, original in saved.original_names.items()}
    torch.save(state, tmp_path / "w.pt")
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**PLAIN, "size": 48}))
    expects = load_backbone("timm:test_resnet", str(tmp_path / "w.pt")).expects
    assert (expects.mean, expects.size) == (HALF, 48)
    assert expects.source == "preprocessor_config.json beside the weights"
