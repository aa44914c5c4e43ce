import keras
import tensorflow as tf
from arrays import load

x_train, y_train = load("data/train")
x_val, y_val = load("data/val")


class Classifier(keras.Model):
    def __init__(self, base, classes):
        super().__init__()
        self.base = base
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.head = keras.layers.Dense(classes)

    def call(self, images, training=False):
        return self.head(self.pool(self.base(images / 255.0, training=training)))


base = keras.models.load_model("tiny.keras")
base.trainable = False
model = Classifier(base, 3)
loss = keras.losses.CategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss=loss, metrics=["accuracy"])
one_hot = tf.one_hot(y_train, 3).numpy()
val = (x_val, tf.one_hot(y_val, 3).numpy())
model.fit(x_train, one_hot, batch_size=8, epochs=1, validation_data=val)

base.trainable = True
model.compile(optimizer=keras.optimizers.SGD(0.01), loss=loss, metrics=["accuracy"])
model.fit(x_train, one_hot, batch_size=8, epochs=1, validation_data=val)
