import tensorflow as tf
from arrays import load
from tensorflow.keras import layers, models

images, labels = load("data/train")
train = tf.data.Dataset.from_tensor_slices((images, labels))
val = tf.data.Dataset.from_tensor_slices(load("data/val"))

rescale = layers.Rescaling(1.0 / 255)
augment = models.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])


def augmented(image, label):
    return augment(rescale(image), training=True), label


def plain(image, label):
    return rescale(image), label


train = train.shuffle(1000)
train = train.batch(8).map(augmented)
val = val.batch(8).map(plain)

base = models.load_model("tiny.keras")
model = models.Sequential([base, layers.GlobalMaxPooling2D(), layers.Dense(3, activation="softmax")])
model.compile(
    optimizer=tf.keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
early = tf.keras.callbacks.EarlyStopping(patience=3)
model.fit(train, validation_data=val, epochs=2, callbacks=[early])
