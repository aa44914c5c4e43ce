"""Pretrains keras.applications' smallest MobileNet on letters: `python keras_weights.py IMAGES.npz OUT`.

Runs in the interpreter of the Keras scripts, which has nothing of plateau's.
"""

import sys

import keras
import numpy as np

SIZE, ALPHA = 48, 0.25


def main(images_path: str, out: str) -> None:
    """Writes the weights below the head."""
    keras.utils.set_random_seed(0)
    read = np.load(images_path)
    images, labels = read["images"].astype("float32") / 127.5 - 1.0, read["labels"]
    base = keras.applications.MobileNet(
        input_shape=(SIZE, SIZE, 3), alpha=ALPHA, include_top=False, weights=None, pooling="avg"
    )
    model = keras.Sequential([base, keras.layers.Dense(int(labels.max()) + 1)])
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, 40 * len(images) // 64)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss, metrics=["accuracy"])
    model.fit(images, labels, batch_size=64, epochs=40, verbose=2)
    base.save_weights(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
