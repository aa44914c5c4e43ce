import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np
from arrays import load
from keras import layers


class Batches(keras.utils.PyDataset):
    def __init__(self, split, shuffle, **named):
        super().__init__(**named)
        images, labels = load(f"data/{split}")
        order = np.random.permutation(len(images)) if shuffle else np.arange(len(images))
        self.images, self.labels = images[order] / 255.0, labels[order]

    def __len__(self):
        return len(self.images) // 8

    def __getitem__(self, index):
        part = slice(index * 8, index * 8 + 8)
        return self.images[part], self.labels[part]


keras.utils.set_random_seed(3)
train_data = Batches("train", shuffle=True)
val_data = Batches("val", shuffle=False)
base = keras.models.load_model("tiny.keras")
base.trainable = True
model = keras.Sequential(
    [keras.Input((24, 24, 3)), base, layers.Flatten(), layers.Dense(3, activation="softmax")]
)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    metrics=["accuracy"],
)
model.fit(train_data, epochs=2, validation_data=val_data)
