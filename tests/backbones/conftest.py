"""Backbones as people have them on disk: saved by transformers and timm, cloned from GitHub. All tiny."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

CLASSES = 7
TOKENS = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}
CONFIGS = {  # name of the class before ForImageClassification and Config -> its options
    "ViT": {**TOKENS, "image_size": 32, "patch_size": 8},
    "ResNet": {"embedding_size": 8, "hidden_sizes": [8, 16, 24], "depths": [1, 1, 1], "layer_type": "basic"},
    "ConvNext": {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]},
    "Swin": {
        "embed_dim": 16,
        "depths": [1, 1, 1],
        "num_heads": [1, 2, 2],
        "image_size": 32,
        "window_size": 2,
    },
    "EfficientNet": {
        "width_coefficient": 0.25,
        "depth_coefficient": 0.3,
        "hidden_dim": 320,
        "initializer_range": 0.3,
    },
    "MobileNetV2": {"depth_multiplier": 0.35},
}
PROCESSOR = {
    "do_resize": True,
    "size": {"height": 32, "width": 32},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.3, 0.4],
}
HUBCONF = """
dependencies = ["torch"]
import torch
from tinynet import Dino, Net


def tiny_net(pretrained=True, **options):
    net = Net(**options)
    if pretrained:
        state = {name: torch.full_like(tensor, 0.02) for name, tensor in net.state_dict().items()}
        net.load_state_dict(state)
    return net


def by_weights(*, weights=None):
    return tiny_net(pretrained=weights == "DEFAULT")


def tiny_dino(pretrained=True):
    return Dino()


def as_is():
    return tiny_net()


def not_a_model(pretrained=True):
    return {"weights": 1}


def needs_more(size):
    return tiny_net()
"""
TINYNET = """
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width_in, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        return (x + self.bn2(self.conv2(x))).relu()


class Net(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, 1, 1)
        self.blocks = nn.Sequential(Block(6, 8), Block(8, 12))
        self.fc = nn.Linear(12, classes)

    def forward(self, x):
        return self.fc(self.blocks(self.conv(x)).mean([2, 3]))


def block():
    return nn.TransformerEncoderLayer(16, 2, 24, 0.0, batch_first=True)


class Dino(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, 16, 8, 8)
        self.cls_token = nn.Parameter(torch.randn(1, 1, 16))
        self.blocks = nn.ModuleList(block() for _ in range(3))
        self.norm = nn.LayerNorm(16)
        self.head = nn.Identity()

    def prepare_tokens(self, x):
        tokens = self.patch_embed(x).flatten(2).mT
        return torch.cat([self.cls_token.expand(len(x), -1, -1), tokens], dim=1)

    def forward(self, x):
        x = self.prepare_tokens(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])
"""


def save_transformers(folder: Path, kind: str, processor: bool = True) -> Path:
    """Saves a tiny classifier of transformers as `save_pretrained` does."""
    import transformers

    config = getattr(transformers, f"{kind}Config")(num_labels=CLASSES, **CONFIGS[kind])
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = getattr(transformers, f"{kind}ForImageClassification")(config)
    model.save_pretrained(folder)
    if processor:
        (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return folder


def save_timm(folder: Path, name: str = "test_resnet") -> Path:
    """Saves a tiny classifier of timm as its `save_for_hf` does."""
    import timm
    from timm.models import save_for_hf

    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = timm.create_model(name, num_classes=CLASSES)
    model.pretrained_cfg = {**model.pretrained_cfg, "mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}
    save_for_hf(model, str(folder), safe_serialization="both")
    return folder


@pytest.fixture(scope="session")
def small_torchvision() -> Iterator[None]:
    """Registers small members of torchvision's families whose smallest has 28 to 86 million parameters."""
    from torchvision.models import _api
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt, ConvNeXt_Tiny_Weights
    from torchvision.models.swin_transformer import Swin_T_Weights, SwinTransformer
    from torchvision.models.vision_transformer import VisionTransformer, ViT_B_16_Weights

    def registered(weights_of: type, make: Callable[[], torch.nn.Module]) -> Callable[..., torch.nn.Module]:
        def build(*, weights: object = None) -> torch.nn.Module:
            return make()

        build.__annotations__["weights"], build.__module__ = weights_of, "torchvision.models.added"
        return build

    blocks = [CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 2)]
    added = {
        "vit_16": registered(ViT_B_16_Weights, lambda: VisionTransformer(224, 16, 3, 2, 32, 48)),
        "swin_2": registered(Swin_T_Weights, lambda: SwinTransformer([4, 4], 16, [1] * 3, [1, 2, 2], [2, 2])),
        "convnext_8": registered(ConvNeXt_Tiny_Weights, lambda: ConvNeXt(blocks)),
    }
    _api.BUILTIN_MODELS.update(added)
    yield
    for name in added:
        del _api.BUILTIN_MODELS[name]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders by name: one per entry of CONFIGS, "timm", and "clone" with a hubconf.py."""
    root = tmp_path_factory.mktemp("backbones")
    clone = root / "clone"
    clone.mkdir()
    (clone / "hubconf.py").write_text(HUBCONF)
    (clone / "tinynet.py").write_text(TINYNET)
    saved = {kind: save_transformers(root / kind, kind) for kind in CONFIGS}
    return {**saved, "timm": save_timm(root / "timm"), "clone": clone}
