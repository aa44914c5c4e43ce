import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tf_keras
from arrays import load
from tf_keras import layers

x_train, y_train = load("data/train")
base = tf_keras.models.load_model("tiny.h5")
base.trainable = True
inputs = layers.Input((24, 24, 3))
x = base(inputs / 255.0, training=False)
x = layers.GlobalAveragePooling2D()(x)
model = tf_keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
schedule = tf_keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=100, decay_rate=0.96)
model.compile(
    tf_keras.optimizers.Adam(schedule, clipnorm=1.0), "sparse_categorical_crossentropy", ["accuracy"]
)
model.fit(x_train, y_train, batch_size=8, epochs=2, validation_data=load("data/val"))
