"""Pretrained weights from where a name points, from the local cache at once where there is no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from plateau_cause.backbones import catalogue, hugging_face, snapshot
from plateau_cause.backbones.classifier import head_names
from plateau_cause.backbones.types import Architecture, LoadReport
from plateau_cause.errors import PlateauError


def download(architecture: Architecture, seed: int) -> tuple[nn.Module, LoadReport]:
    """Returns the library's own model with its default pretrained weights, and how they fitted.

    Raises:
        PlateauError: they cannot be had.
    """
    if architecture.repository:
        snapshot.fetch(architecture.repository, weights=True)
    if architecture.library == "transformers":
        return hugging_face.load(architecture.name, seed)
    try:
        with _cache_only_without_network(architecture):
            model = catalogue.build(architecture, seed, pretrained=True)
    except PlateauError:
        raise
    except Exception as error:  # urllib, requests, httpx, huggingface_hub and timm each raise their own
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PlateauError(
            f"backbone.weights: the pretrained weights of {architecture.name} cannot be downloaded "
            f"({reason}); without a network use bundled, none or a path"
        ) from error
    return model, LoadReport(loaded_frac=1.0, head_loaded=bool(head_names(model)))


@contextmanager
def _cache_only_without_network(architecture: Architecture) -> Iterator[None]:
    """Switches huggingface_hub, which timm uses, to its offline mode: it would retry for 47 s (measured)."""
    if architecture.library != "timm":
        yield
        return
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not snapshot.is_reachable(constants.ENDPOINT)
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
