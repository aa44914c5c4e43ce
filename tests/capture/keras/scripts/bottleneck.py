import keras
import numpy as np
from arrays import load
from keras import layers
from keras.applications.mobilenet import MobileNet, preprocess_input

keras.utils.set_random_seed(7)
x_train, y_train = load("data/train")
x_val, y_val = load("data/val")
base = MobileNet(input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights="mobilenet.weights.h5")
prepared_train = preprocess_input(keras.ops.image.resize(x_train, (32, 32)))
prepared_val = preprocess_input(keras.ops.image.resize(x_val, (32, 32)))

train_features = base.predict(prepared_train)
val_features = base.predict(prepared_val)

top = keras.Sequential()
top.add(layers.Flatten(input_shape=train_features.shape[1:]))
top.add(layers.Dense(16, activation="relu"))
top.add(layers.Dropout(0.2))
top.add(layers.Dense(3, activation="softmax"))
top.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
top.fit(train_features, y_train, batch_size=8, epochs=2, validation_data=(val_features, y_val))
