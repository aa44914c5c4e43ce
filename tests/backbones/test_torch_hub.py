"""PyTorch Hub from a local clone, and from GitHub's place in its cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from plateau_cause.backbones import load_backbone
from plateau_cause.errors import PlateauError


def test_its_own_weights_and_random_ones(folders: dict[str, Path]) -> None:
    name = f"{folders['clone']}:tiny_net"
    backbone = load_backbone(name, "pretrained")
    assert all((parameter == 0.02).all() for parameter in backbone.stages.parameters())
    assert backbone.load_report.describe() == "100 % of the body loaded"
    assert backbone.pretrained_head is not None
    first, again, other = (load_backbone(name, "none", seed).stages[0][0].weight for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("weights", "equal"), [("pretrained", True), ("none", False)])
def test_an_entry_point_that_takes_weights(folders: dict[str, Path], weights: str, equal: bool) -> None:
    parameters = list(load_backbone(f"{folders['clone']}:by_weights", weights).stages.parameters())
    assert all((parameter == 0.02).all() for parameter in parameters) == equal


def test_a_model_without_classifier_keeps_its_last_layer(folders: dict[str, Path]) -> None:
    backbone = load_backbone(f"{folders['clone']}:tiny_dino", "pretrained")
    assert backbone.stage_names == ("stem", "block1", "block2", "block3")
    assert "block3.norm.weight" in backbone.stages.state_dict()
    assert any("linear2" in name for name in backbone.stages.state_dict())
    assert backbone.pretrained_head is None


def test_nothing_is_declared_so_imagenet_is_assumed(folders: dict[str, Path]) -> None:
    expects = load_backbone(f"{folders['clone']}:tiny_net", "pretrained").expects
    assert (expects.mean[0], expects.size, expects.crop_frac) == (0.485, 224, 0.875)
    assert "assumed" in expects.source


def test_a_state_dict_into_a_clones_model(folders: dict[str, Path], tmp_path: Path) -> None:
    name = f"{folders['clone']}:tiny_net"
    saved = load_backbone(name, "none", seed=5)
    state = {original: saved.stages.state_dict()[key] for key, original in saved.original_names.items()}
    torch.save({f"encoder.{key}": value for key, value in state.items()}, tmp_path / "w.pt")
    backbone = load_backbone(name, str(tmp_path / "w.pt"))
    assert backbone.load_report.prefix == "encoder."
    assert backbone.load_report.loaded_frac == 1.0
    assert torch.equal(backbone.stages[0][0].weight, saved.stages[0][0].weight)


def test_a_repository_on_github_from_the_cache(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    shutil.copytree(folders["clone"], tmp_path / "somebody_repo_v1")
    backbone = load_backbone("somebody/repo:v1:tiny_net", "pretrained")
    assert all((parameter == 0.02).all() for parameter in backbone.stages.parameters())
    with pytest.raises(PlateauError) as caught:
        load_backbone("somebody/other:v1:tiny_net", "pretrained")
    assert "works without a network" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "weights", "words"),
    [
        ("no_such", "pretrained", "cannot be loaded (Cannot find callable no_such"),
        ("not_a_model", "pretrained", "gives dict, not a torch.nn.Module"),
        ("as_is", "none", "takes neither `pretrained` nor `weights`"),
        ("needs_more", "pretrained", "missing 1 required positional argument: 'size'"),
    ],
)
def test_a_mistake_is_one_clear_line(folders: dict[str, Path], entry: str, weights: str, words: str) -> None:
    with pytest.raises(PlateauError) as caught:
        load_backbone(f"{folders['clone']}:{entry}", weights)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_entry_point_without_options_has_its_own_weights(folders: dict[str, Path]) -> None:
    parameters = load_backbone(f"{folders['clone']}:as_is", "pretrained").stages.parameters()
    assert all((parameter == 0.02).all() for parameter in parameters)
