"""What backbone.name can say, and what it cannot."""

from pathlib import Path

import pytest

from plateau_cause.config import params
from plateau_cause.config.backbone_name import BackboneName, parse
from plateau_cause.errors import PlateauError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, file in (("models/my_vit", "config.json"), ("clones/dino", "hubconf.py"), ("empty", "nothing")):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / file).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", BackboneName("model", "resnet18")),
        ("timm:resnet18.a1_in1k", BackboneName("model", "resnet18.a1_in1k", library="timm")),
        ("torchvision:vit_b_16", BackboneName("model", "vit_b_16", library="torchvision")),
        ("google/vit-base-patch16-224", BackboneName("hub", "google/vit-base-patch16-224")),
        ("hf_hub:timm/resnet18.a1_in1k", BackboneName("hub", "timm/resnet18.a1_in1k")),
        ("hf-hub:owner/name@feature/x", BackboneName("hub", "owner/name@feature/x")),
        ("timm:hf_hub:timm/resnet18.a1_in1k", BackboneName("hub", "timm/resnet18.a1_in1k")),
        ("models/my_vit", BackboneName("folder", "models/my_vit")),
        ("./models/my_vit", BackboneName("folder", "./models/my_vit")),
        ("clones/dino:dino_vits16", BackboneName("clone", "clones/dino", entry="dino_vits16")),
        (
            "facebookresearch/dino:main:dino_vits16",
            BackboneName("github", "facebookresearch/dino:main", entry="dino_vits16"),
        ),
        ("pytorch/vision:resnet18", BackboneName("github", "pytorch/vision", entry="resnet18")),
    ],
)
def test_forms(root: Path, name: str, expected: BackboneName) -> None:
    assert parse(name, root) == expected


def test_absolute_folders(root: Path) -> None:
    assert parse(f"{root}/models/my_vit").kind == "folder"
    assert parse(f"{root}/clones/dino:entry").kind == "clone"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("keras:resnet18", "before the colon may stand torchvision, timm, hf_hub"),
        ("tim:resnet18", "before the colon may stand"),
        ("hf_hub:resnet18", "is owner/name"),
        ("timm:", "behind timm: stands a model of timm"),
        ("timm:a/b", "behind timm: stands a model of timm"),
        ("./models/my_vits", "no such folder; did you mean my_vit?"),
        ("models/deep/er", "no such folder"),
        ("./empty", "no config.json in this folder"),
        ("empty:entry", "no hubconf.py in this folder"),
        ("./clones/dinos:entry", "no such folder; did you mean dino?"),
        ("clones/dino:two words", "behind the last colon stands an entry point"),
        ("clones/dino:", "behind the last colon stands an entry point"),
        ("own er/name", "owner/name"),
    ],
)
def test_refused_in_one_line_by_params(root: Path, name: str, words: str) -> None:
    with pytest.raises(PlateauError) as caught:
        parse(name, root)
    assert words in str(caught.value)
    assert str(caught.value).startswith("backbone.name: got ")
    assert "\n" not in str(caught.value)
    (root / "params.yaml").write_text(f"backbone: {{name: '{name}'}}\n")
    with pytest.raises(params.ParamsError) as again:
        params.load(root / "params.yaml")
    assert str(again.value) == str(caught.value)


def test_every_form_passes_params(root: Path) -> None:
    (root / "params.yaml").write_text("backbone: {name: clones/dino:dino_vits16, weights: pretrained}\n")
    assert params.load(root / "params.yaml").backbone.name == "clones/dino:dino_vits16"
