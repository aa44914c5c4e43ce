import glob

import keras
import numpy as np
from keras import layers
from PIL import Image

keras.utils.set_random_seed(5)
names = sorted(p.split("/")[-1] for p in glob.glob("data/train/*"))


def load(split):
    images, labels = [], []
    for number, name in enumerate(names):
        for path in sorted(glob.glob(f"data/{split}/{name}/*.png")):
            image = Image.open(path).convert("RGB").resize((48, 48))
            images.append(np.asarray(image, dtype="float32"))
            labels.append(number)
    return np.stack(images), np.array(labels)


x_train, y_train = load("train")
x_val, y_val = load("val")
x_train = x_train / 127.5 - 1.0
x_val = x_val / 127.5 - 1.0

backbone = keras.applications.MobileNet(
    input_shape=(48, 48, 3), alpha=0.25, include_top=False, weights="mobilenet.weights.h5", pooling="avg"
)
backbone.trainable = True


class Classifier(keras.Model):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone = backbone
        self.dropout = layers.Dropout(0.2)
        self.head = layers.Dense(classes)

    def call(self, x, training=False):
        x = self.backbone(x, training=training)
        x = self.dropout(x, training=training)
        return self.head(x)


model = Classifier(backbone, len(names))
optimizer = keras.optimizers.SGD(learning_rate=0.003, momentum=0.9)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
callbacks = [keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=6, restore_best_weights=True)]
model.fit(x_train, y_train, batch_size=16, epochs=10, validation_data=(x_val, y_val), callbacks=callbacks)
print(model.evaluate(x_val, y_val, verbose=0))
