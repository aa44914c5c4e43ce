"""Pretrained weights from the hub, from its local cache at once where there is no network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies

from torch import nn

from plateau.backbones import catalogue
from plateau.backbones.catalogue import Architecture
from plateau.errors import PlateauError

CONNECT_S = 3.0


def download(architecture: Architecture, seed: int) -> nn.Module:
    """Returns the library's own model with its default pretrained weights.

    Raises:
        PlateauError: they cannot be had.
    """
    try:
        with _cache_only_without_network(architecture):
            return catalogue.build(architecture, seed, pretrained=True)
    except Exception as error:  # urllib, requests, httpx, huggingface_hub and timm each raise their own
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PlateauError(
            f"backbone.weights: the pretrained weights of {architecture.name} cannot be downloaded "
            f"({reason}); without a network use bundled, none or a path"
        ) from error


@contextmanager
def _cache_only_without_network(architecture: Architecture) -> Iterator[None]:
    """Switches huggingface_hub, which timm uses, to its offline mode: it would retry for 47 s (measured)."""
    if architecture.library != "timm":
        yield
        return
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not _is_reachable(constants.ENDPOINT)
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _is_reachable(url: str) -> bool:
    """Returns whether the host answers; taken for granted behind a proxy."""
    parts = urlsplit(url)
    if getproxies():
        return True
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_S).close()
    except OSError:
        return False
    return True
