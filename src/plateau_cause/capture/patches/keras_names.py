"""How a Keras script may write a function or class of Keras."""

from __future__ import annotations

import re

MODULES = {  # beginnings of networks' names → the module of keras.applications that holds their function
    "resnet50v2": "resnet_v2", "resnet101v2": "resnet_v2", "resnet152v2": "resnet_v2", "resnet": "resnet",
    "inceptionresnetv2": "inception_resnet_v2", "efficientnetv2": "efficientnet_v2",
    "efficientnet": "efficientnet", "mobilenetv3": "mobilenet_v3", "mobilenetv2": "mobilenet_v2",
    "mobilenet": "mobilenet", "inceptionv3": "inception_v3", "xception": "xception", "nasnet": "nasnet",
    "densenet": "densenet", "vgg16": "vgg16", "vgg19": "vgg19", "convnext": "convnext",
}  # fmt: skip


def preprocess_input(text: str, network: str) -> str | None:
    """Returns how a file may write a network's `preprocess_input`."""
    plain = re.sub(r"[^a-z0-9]", "", network.lower())
    module = next((name for start, name in MODULES.items() if plain.startswith(start)), None)
    prefix = _prefix(text)
    return f"{prefix}.applications.{module}.preprocess_input" if module and prefix else None


def written(text: str, name: str, module: str) -> str | None:
    """Returns how a file may write something of a module of Keras, which it may have imported by its name."""
    if re.search(rf"^from \S*keras\S* import (\(?[\w, \n]*\b)?{name}\b", text, re.MULTILINE):
        return name
    prefix = _prefix(text)
    return f"{prefix}.{module}.{name}" if prefix else None


def _prefix(text: str) -> str | None:
    """Returns by which name a file has Keras."""
    for pattern, prefix in ((r"^import tensorflow as tf\b", "tf.keras"),
                            (r"^(import (tf_keras as )?keras|from tensorflow import keras)\b", "keras"),
                            (r"^import tf_keras\b", "tf_keras")):  # fmt: skip
        if re.search(pattern, text, re.MULTILINE):
            return prefix
    return None
