import tensorflow as tf

SIZE, BATCH = (32, 32), 16
load = tf.keras.utils.image_dataset_from_directory
train_ds = load("data/train", image_size=SIZE, batch_size=BATCH, seed=1)
val_ds = load("data/val", image_size=SIZE, batch_size=BATCH, shuffle=False)
train_ds = train_ds.prefetch(tf.data.AUTOTUNE)

base_model = tf.keras.applications.MobileNet(
    input_shape=SIZE + (3,), alpha=0.25, include_top=False, weights="mobilenet.weights.h5"
)
base_model.trainable = True

inputs = tf.keras.Input(shape=SIZE + (3,))
x = tf.keras.applications.mobilenet.preprocess_input(inputs)
x = base_model(x, training=False)
x = tf.keras.layers.GlobalAveragePooling2D()(x)
x = tf.keras.layers.Dropout(0.2)(x)
outputs = tf.keras.layers.Dense(3)(x)
model = tf.keras.Model(inputs, outputs)

model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=1e-3),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train_ds, epochs=2, validation_data=val_ds)
