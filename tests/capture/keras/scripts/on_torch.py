import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch
from arrays import load
from keras import layers
from torch.utils.data import DataLoader, TensorDataset


def loader(split, shuffle):
    images, labels = load(f"data/{split}")
    return DataLoader(
        TensorDataset(torch.tensor(images), torch.tensor(labels)), batch_size=8, shuffle=shuffle
    )


train_loader = loader("train", shuffle=True)
val_loader = loader("val", shuffle=False)

base = keras.models.load_model("tiny.keras")
inputs = keras.Input((24, 24, 3))
x = layers.Rescaling(1.0 / 255)(inputs)
x = base(x)
x = layers.GlobalAveragePooling2D()(x)
model = keras.Model(inputs, layers.Dense(3)(x))
model.compile(
    optimizer=keras.optimizers.AdamW(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train_loader, epochs=2, validation_data=val_loader)
