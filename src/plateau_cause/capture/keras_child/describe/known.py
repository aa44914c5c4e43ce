"""What of Keras and TensorFlow has a door, by name."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

APPLICATIONS = (
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge", "DenseNet121",
    "DenseNet169", "DenseNet201", "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3",
    "EfficientNetB4", "EfficientNetB5", "EfficientNetB6", "EfficientNetB7", "EfficientNetV2B0",
    "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2L", "EfficientNetV2M",
    "EfficientNetV2S", "InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Large",
    "MobileNetV3Small", "NASNetLarge", "NASNetMobile", "ResNet101", "ResNet101V2", "ResNet152",
    "ResNet152V2", "ResNet50", "ResNet50V2", "ResNetRS50", "ResNetRS101", "VGG16", "VGG19", "Xception",
)  # fmt: skip
READERS = ("image_dataset_from_directory",)
FLOWS = ("flow", "flow_from_directory", "flow_from_dataframe")
DATA_STEPS = ("map", "batch", "unbatch", "cache", "prefetch", "shuffle", "repeat", "take", "skip", "filter",
              "with_options")  # fmt: skip
LOADERS = ("load_weights",)
SEVERAL_HOSTS = ("MultiWorkerMirroredStrategy", "ParameterServerStrategy", "TPUStrategy")


def generator(keras: ModuleType) -> Any:
    """Returns the class ImageDataGenerator of one Keras; None where it has none."""
    for name in ("keras.src.legacy.preprocessing.image", "tf_keras.src.preprocessing.image",
                 "keras.src.preprocessing.image"):  # fmt: skip
        if name.startswith(keras.__name__.partition(".")[0]) and name in sys.modules:
            found = getattr(sys.modules[name], "ImageDataGenerator", None)
            if found is not None:
                return found
    return None


def owner(maker: type, method: str = "__init__") -> type:
    """Returns the class that defines a method of a class."""
    return next(cls for cls in maker.__mro__ if method in vars(cls))
