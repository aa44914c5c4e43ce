"""Vision transformers as stages: what surrounds their blocks is not a chain of modules."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

Named = tuple[str, nn.Module]
DINO_METHODS = ("prepare_tokens_with_masks", "prepare_tokens")


class TimmTokens(nn.Module):
    """Images -> tokens (B, L, D): a timm transformer without its blocks and all that follows them."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = _shell(
            transformer, without=("blocks", "norm", "fc_norm", "attn_pool", "head_drop", "head")
        )
        self.transformer.blocks = nn.Sequential()
        self.transformer.norm = nn.Identity()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns tokens (B, L, D)."""
        tokens: torch.Tensor = self.transformer.forward_features(images)
        return tokens


class TimmPool(nn.Module):
    """Tokens (B, L, D) -> features (B, D): the final norm and the pooling of a timm transformer."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = _shell(
            transformer, without=("patch_embed", "pos_drop", "patch_drop", "norm_pre", "blocks")
        )
        self.transformer._parameters = {}

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Returns features (B, D)."""
        features: torch.Tensor = self.transformer.forward_head(self.transformer.norm(tokens))
        return features


class TorchvisionTokens(nn.Module):
    """Images of any size -> tokens (B, L, D); torchvision's own transformer takes one size only."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.conv_proj = transformer.conv_proj
        self.class_token = transformer.class_token
        self.pos_embedding = transformer.encoder.pos_embedding
        self.dropout = transformer.encoder.dropout

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns tokens (B, 1 + patches, D); the position embedding is fitted to the grid of patches."""
        patches = self.conv_proj(images)  # (B, D, h, w)
        height, width = patches.shape[-2:]
        tokens = torch.cat([self.class_token.expand(len(images), -1, -1), patches.flatten(2).mT], dim=1)
        embedding = resample_positions(self.pos_embedding, (height, width), prefix_tokens=1)
        result: torch.Tensor = self.dropout(tokens + embedding)
        return result


class DinoTokens(nn.Module):
    """Images -> tokens (B, L, D), as the DINO and DINOv2 repositories of PyTorch Hub prepare them."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.method = next(name for name in DINO_METHODS if hasattr(transformer, name))
        self.transformer = _shell(transformer, without=("blocks", "norm", "head"))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns tokens (B, L, D)."""
        tokens: torch.Tensor = getattr(self.transformer, self.method)(images)
        return tokens


class FirstToken(nn.Module):
    """Tokens (B, L, D) -> the class token (B, D)."""

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Returns features (B, D)."""
        return tokens[:, 0]


def token_stages(model: Any) -> list[list[Named]] | None:
    """Returns stem, blocks and last block of a vision transformer as a guess; None for other models."""
    stem: nn.Module
    tail: list[Named]
    if all(hasattr(model, part) for part in ("patch_embed", "blocks", "norm", "forward_head", "pool")):
        container, path = model.blocks, "blocks"
        stem, tail = TimmTokens(model), [("pool", TimmPool(model))]
    elif all(hasattr(model, part) for part in ("conv_proj", "class_token", "encoder")):
        container, path = model.encoder.layers, "encoder.layers"
        stem, tail = TorchvisionTokens(model), [("ln", model.encoder.ln), ("pool", FirstToken())]
    elif any(hasattr(model, name) for name in DINO_METHODS) and hasattr(model, "blocks"):
        container, path = model.blocks, "blocks"
        stem, tail = DinoTokens(model), [("norm", model.norm), ("pool", FirstToken())]
    else:
        return None
    blocks: list[Named] = [(f"{path}.{i}", block) for i, block in container.named_children()]
    return [[("tokens", stem)], *([block] for block in blocks[:-1]), [blocks[-1], *tail]] if blocks else None


def resample_positions(embedding: torch.Tensor, grid: tuple[int, int], prefix_tokens: int) -> torch.Tensor:
    """Returns a position embedding (1, L, D) for another grid of patches (rows, columns); bicubic."""
    side = math.isqrt(embedding.shape[1] - prefix_tokens)
    if (side, side) == grid:
        return embedding
    prefix, patches = embedding[:, :prefix_tokens], embedding[:, prefix_tokens:]
    square = patches.mT.reshape(1, -1, side, side)  # (1, D, side, side)
    resized = functional.interpolate(square, size=grid, mode="bicubic", antialias=True, align_corners=False)
    return torch.cat([prefix, resized.flatten(2).mT], dim=1)


def _shell(module: Any, without: tuple[str, ...]) -> Any:
    """Returns a copy that shares everything with the module but the children named, which are taken out."""
    shell = copy.copy(module)
    for table in ("_parameters", "_buffers", "_modules"):
        setattr(shell, table, dict(getattr(module, table)))
    for name in without:
        if shell._modules.get(name) is not None:
            shell._modules[name] = nn.Identity()
    return shell
