"""Folders of the Hugging Face hub on this machine: fetched, or found in its cache; and the JSON in them."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from plateau_cause.errors import PlateauError

CONNECT_S = 3.0
WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin", "pytorch_model.bin.index.json")


def fetch(repository: str, weights: bool = False) -> Path:
    """Returns the local folder of a repository's JSON files, and of its weights where they are wanted.

    Without a network only what the hub's cache holds is there: asking would retry for 47 s (measured).

    Args:
        repository: owner/name, or owner/name@revision.
        weights: whether the weights are fetched too.

    Raises:
        PlateauError: neither the hub nor its cache has it.
    """
    from huggingface_hub import constants, snapshot_download

    patterns = ["*.json", *(WEIGHTS if weights else ())]
    name, _, revision = repository.partition("@")
    try:
        folder = snapshot_download(
            name,
            revision=revision or None,
            allow_patterns=patterns,
            local_files_only=constants.HF_HUB_OFFLINE or not is_reachable(constants.ENDPOINT),
        )
    except Exception as error:  # httpx, huggingface_hub and the file system each raise their own
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PlateauError(
            f"backbone.name: {repository} cannot be read from the Hugging Face hub ({reason}); "
            "a folder with config.json works without a network"
        ) from error
    return Path(folder)


def is_reachable(url: str) -> bool:
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


def read_json(path: Path) -> Mapping[str, Any]:
    """Returns a JSON object; empty where there is no such file.

    Raises:
        PlateauError: it is no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise PlateauError(f"backbone.name: {path} is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise PlateauError(f"backbone.name: {path} holds no JSON object")
    return content
