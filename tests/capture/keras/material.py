"""Weights for the scripts, made where they run: `python material.py FOLDER`.

Trained for a few steps on other colours than those of the scripts, so that they are no noise.
"""

import os
import sys
from pathlib import Path

import numpy as np


def tiny(keras):
    """Returns a small network with batch norms, without a head."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            layers.Conv2D(8, 3, strides=2, name="conv1"), layers.BatchNormalization(name="bn1"),
            layers.ReLU(name="relu1"),
            layers.Conv2D(16, 3, strides=2, name="conv2"), layers.BatchNormalization(name="bn2"),
            layers.ReLU(name="relu2"),
        ],
        name="tiny",
    )  # fmt: skip


def trained(keras, size, network, scale, epochs=12):
    """Returns the network after some steps on patches of six colours."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 6, 240)
    colours = rng.uniform(30, 220, (6, 3))
    images = np.clip(colours[labels][:, None, None] + rng.normal(0, 25, (240, size, size, 3)), 0, 255)
    model = keras.Sequential([network, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(6)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(scale(images.astype("float32")), labels, batch_size=24, epochs=epochs, verbose=0)
    return network


def main(folder):
    import keras

    keras.utils.set_random_seed(1)
    trained(keras, 24, tiny(keras), lambda images: images / 255).save(folder / "tiny.keras")
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf
    import tf_keras

    mobile = keras.applications.MobileNet(
        input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights=None
    )
    trained(keras, 32, mobile, lambda images: images / 127.5 - 1, epochs=2).save_weights(
        folder / "mobilenet.weights.h5"
    )
    tf_keras.utils.set_random_seed(1)
    legacy = trained(tf_keras, 24, tiny(tf_keras), lambda images: images / 255)
    legacy.save(folder / "tiny.h5")
    _save_for_hub(tf, tf_keras, legacy, folder / "saved_model")


def _save_for_hub(tf, tf_keras, network, place):
    """Writes a SavedModel as TensorFlow Hub has them: images in 0 to 1, `training`, trainable variables."""
    whole = tf_keras.Sequential([network, tf_keras.layers.GlobalAveragePooling2D()])
    whole.build((None, 24, 24, 3))

    class Hub(tf.train.Checkpoint):
        def __init__(self):
            super().__init__(model=whole)
            self.variables, self.trainable_variables = whole.variables, whole.trainable_variables
            self.regularization_losses = []

        @tf.function(input_signature=[tf.TensorSpec((None, 24, 24, 3)), tf.TensorSpec((), tf.bool)])
        def __call__(self, images, training=False):
            return whole(images, training=training)

    tf.saved_model.save(Hub(), str(place))


if __name__ == "__main__":
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    main(Path(sys.argv[1]))
