import argparse

import tensorflow as tf
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--lr", type=float, default=1e-3)
args = parser.parse_args()

tf.keras.utils.set_random_seed(1)
train_ds = tf.keras.utils.image_dataset_from_directory("data/train", image_size=(48, 48), batch_size=16, seed=3)
val_ds = tf.keras.utils.image_dataset_from_directory("data/val", image_size=(48, 48), batch_size=64, shuffle=False)
num_classes = len(train_ds.class_names)
train_ds = train_ds.cache().prefetch(tf.data.AUTOTUNE)
val_ds = val_ds.cache().prefetch(tf.data.AUTOTUNE)

base_model = tf.keras.applications.MobileNet(
    weights="mobilenet.weights.h5", include_top=False, input_shape=(48, 48, 3), alpha=0.25
)
for layer in base_model.layers:
    layer.trainable = True

inputs = tf.keras.Input(shape=(48, 48, 3))
x = tf.keras.applications.mobilenet.preprocess_input(inputs)
x = base_model(x)
x = GlobalAveragePooling2D()(x)
x = Dense(128, activation="relu")(x)
predictions = Dense(num_classes, activation="softmax")(x)
model = Model(inputs=inputs, outputs=predictions)

model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=args.lr),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(),
    metrics=["accuracy"],
)
history = model.fit(train_ds, validation_data=val_ds, epochs=args.epochs)
print("val accuracy", history.history["val_accuracy"][-1])
