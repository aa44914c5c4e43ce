import tensorflow as tf
import tensorflow_hub as hub
import tf_keras as keras

train_ds = keras.utils.image_dataset_from_directory("data/train", image_size=(24, 24), batch_size=8)
val_ds = keras.utils.image_dataset_from_directory("data/val", image_size=(24, 24), batch_size=8)
rescale = keras.layers.Rescaling(1.0 / 255)
train_ds = train_ds.map(lambda image, label: (rescale(image), label))
val_ds = val_ds.map(lambda image, label: (rescale(image), label))

model = keras.Sequential(
    [
        hub.KerasLayer("saved_model", trainable=True, input_shape=(24, 24, 3)),
        keras.layers.Dense(3),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["acc"],
)
model.fit(train_ds, epochs=2, validation_data=val_ds)
