"""Folders of the Hugging Face hub, local or in its cache: built, loaded, reported, refused in one line."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from plateau_cause.backbones import load_backbone, snapshot
from plateau_cause.backbones.comparison import compare_weights
from plateau_cause.errors import PlateauError


@pytest.fixture
def vit(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy that the test may change."""
    return Path(shutil.copytree(folders["ViT"], tmp_path / "vit"))


@pytest.fixture
def cache(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache after someone downloaded somebody/tiny-vit and timm/tiny; there is no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    for name, folder in (("somebody--tiny-vit", folders["ViT"]), ("timm--tiny", folders["timm"])):
        place = tmp_path / f"models--{name}"
        shutil.copytree(folder, place / "snapshots" / ("c" * 40))
        (place / "refs").mkdir()
        (place / "refs" / "main").write_text("c" * 40)
    return tmp_path


def loaded_by_transformers(folder: Path) -> dict[str, torch.Tensor]:
    """The names in its files are not those of its modules."""
    import transformers

    return transformers.ViTForImageClassification.from_pretrained(folder).state_dict()


def state_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_the_folders_weights_are_all_there(vit: Path) -> None:
    backbone = load_backbone(str(vit), "pretrained")
    report, state = backbone.load_report, loaded_by_transformers(vit)
    assert (report.loaded_frac, report.head_loaded, report.missing) == (1.0, True, ())
    own = backbone.stages.state_dict()
    assert all(torch.equal(own[key], state[name]) for key, name in backbone.original_names.items())
    assert isinstance(backbone.pretrained_head, nn.Linear)
    assert torch.equal(backbone.pretrained_head.weight, state["classifier.weight"])


def test_features_are_those_before_the_classifier(vit: Path) -> None:
    import transformers

    backbone = load_backbone(str(vit), "pretrained")
    model = transformers.ViTForImageClassification.from_pretrained(vit).eval()
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert backbone.pretrained_head is not None
        logits = backbone.pretrained_head(backbone.stages(images))
        assert torch.allclose(logits, model(images).logits, atol=1e-5)
    assert set(compare_weights(model, backbone).values()) == {1.0}


def test_random_weights_follow_the_seed(vit: Path) -> None:
    first, again, other = (load_backbone(str(vit), "none", seed) for seed in (3, 3, 4))
    weights = [next(b.stages[1].parameters()) for b in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    kernels = [b.stages.state_dict()["stem.embeddings.module.position_embeddings"] for b in (first, other)]
    assert not torch.equal(*kernels)
    assert first.load_report.describe() == "random weights: nothing was loaded"


def test_what_the_weights_expect(vit: Path, folders: dict[str, Path]) -> None:
    expects = load_backbone(str(vit), "pretrained").expects
    assert (expects.mean, expects.std) == ((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    assert (expects.size, expects.interpolation, expects.crop_frac) == (32, "bilinear", 1.0)
    assert expects.source == f"preprocessor_config.json of {vit}"
    (vit / "preprocessor_config.json").unlink()
    expects = load_backbone(str(vit), "pretrained").expects
    assert (expects.mean, expects.size) == ((0.5, 0.5, 0.5), 32)
    assert "transformers' default for vit; assumed" in expects.source
    expects = load_backbone(str(folders["timm"]), "pretrained").expects
    assert (expects.mean, expects.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))


def test_a_head_for_other_classes_is_reported(vit: Path) -> None:
    config = json.loads((vit / "config.json").read_text())
    labels = {str(i): f"class {i}" for i in range(4)}
    (vit / "config.json").write_text(
        json.dumps(config | {"id2label": labels, "label2id": {v: int(k) for k, v in labels.items()}})
    )
    backbone = load_backbone(str(vit), "pretrained")
    assert backbone.load_report.mismatched == ("classifier.bias", "classifier.weight")
    assert backbone.load_report.loaded_frac == 1.0
    assert backbone.pretrained_head is None


def test_missing_and_unexpected_entries_are_reported(vit: Path) -> None:
    state = state_of(vit)
    lost = state.pop("vit.layernorm.weight")
    save_file({**state, "vit.pooler.dense.weight": lost}, vit / "model.safetensors", {"format": "pt"})
    report = load_backbone(str(vit), "pretrained").load_report
    assert report.missing == ("vit.layernorm.weight",)
    assert report.unexpected == ("vit.pooler.dense.weight",)
    assert 0.9 < report.loaded_frac < 1.0
    assert "1 missing (vit.layernorm.weight)" in report.describe()


@pytest.mark.parametrize("prefix", ["", "module.", "module.backbone."])
@pytest.mark.parametrize("is_body_alone", [True, False])
def test_a_file_of_ones_own(vit: Path, tmp_path: Path, prefix: str, is_body_alone: bool) -> None:
    expected, state = loaded_by_transformers(vit), state_of(vit)
    if is_body_alone:  # as ViTModel saves it
        state = {k.removeprefix("vit."): v for k, v in state.items() if k.startswith("vit.")}
    torch.save({"state_dict": {prefix + k: v for k, v in state.items()}}, tmp_path / "w.pt")
    backbone = load_backbone(str(vit), str(tmp_path / "w.pt"))
    report = backbone.load_report
    assert (report.prefix, report.wrapper, report.loaded_frac) == (prefix, "state_dict", 1.0)
    assert report.head_loaded != is_body_alone
    own = backbone.stages.state_dict()
    assert all(torch.equal(own[key], expected[name]) for key, name in backbone.original_names.items())


def test_a_file_of_another_model_is_refused(vit: Path, tmp_path: Path) -> None:
    torch.save({"module.a": torch.ones(2)}, tmp_path / "w.pt")
    with pytest.raises(PlateauError, match=r"nothing in w.pt fits this model's body"):
        load_backbone(str(vit), str(tmp_path / "w.pt"))


@pytest.mark.parametrize("name", ["somebody/tiny-vit", "hf_hub:somebody/tiny-vit@main"])
def test_a_repository_in_the_hubs_cache(cache: Path, folders: dict[str, Path], name: str) -> None:
    backbone = load_backbone(name, "pretrained")
    assert backbone.load_report.loaded_frac == 1.0
    assert backbone.expects.source == f"preprocessor_config.json of {name.removeprefix('hf_hub:')}"
    local = load_backbone(str(folders["ViT"]), "pretrained")
    assert all(
        torch.equal(a, b)
        for a, b in zip(backbone.stages.parameters(), local.stages.parameters(), strict=True)
    )
    assert load_backbone(name, "none").load_report.loaded_frac == 0.0


def test_a_timm_repository_in_the_hubs_cache(cache: Path, folders: dict[str, Path]) -> None:
    backbone = load_backbone("hf_hub:timm/tiny", "pretrained")
    state = state_of(folders["timm"])
    own = backbone.stages.state_dict()
    assert all(torch.equal(own[key], state[name]) for key, name in backbone.original_names.items())
    assert backbone.expects.mean == (0.1, 0.2, 0.3)
    assert backbone.expects.source == "timm's pretrained_cfg of timm/tiny"


def test_a_repository_that_cannot_be_had(cache: Path) -> None:
    with pytest.raises(PlateauError) as caught:
        load_backbone("somebody/else", "pretrained")
    assert "backbone.name: somebody/else cannot be read from the Hugging Face hub" in str(caught.value)
    assert "\n" not in str(caught.value)


def change_config(folder: Path, **entries: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | entries))


@pytest.mark.parametrize(
    ("change", "weights", "words"),
    [
        (lambda f: (f / "config.json").write_text("no"), "none", "is not JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "none", "holds no JSON object"),
        (lambda f: (f / "config.json").write_text("{}"), "none", "names neither an architecture of timm"),
        (lambda f: change_config(f, model_type="vits"), "none", "no image classifier"),
        (lambda f: change_config(f, model_type="no_such"), "none", "transformers cannot read"),
        (lambda f: (f / "model.safetensors").unlink(), "pretrained", "holds neither model.safetensors nor"),
        (
            lambda f: save_file({"a": torch.ones(2)}, f / "model.safetensors", {"format": "pt"}),
            "pretrained",
            "nothing of the model's body",
        ),
        (lambda f: (f / "model.safetensors").write_bytes(b"cut off"), "pretrained", "cannot be read"),
    ],
)
def test_a_broken_folder_is_one_clear_line(vit: Path, change: object, weights: str, words: str) -> None:
    change(vit)  # type: ignore[operator]
    with pytest.raises(PlateauError) as caught:
        load_backbone(str(vit), weights)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_transformers_one_line_says_so(vit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(PlateauError, match="which is not installed; pip install transformers"):
        load_backbone(str(vit), "none")


def test_stages_can_be_copied_and_moved(vit: Path) -> None:
    backbone = load_backbone(str(vit), "pretrained")
    copied = copy.deepcopy(backbone.stages).to(torch.float64)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(copied(images.double()).float(), backbone.stages(images), atol=1e-5)
    assert next(backbone.stages.parameters()).dtype == torch.float32


def test_reachability_is_asked_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "getproxies", dict)
    assert not snapshot.is_reachable("https://127.0.0.1:9")
    monkeypatch.setattr(snapshot, "getproxies", lambda: {"https": "http://proxy"})
    assert snapshot.is_reachable("https://127.0.0.1:9")
