import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
from tensorflow import keras
from tensorflow.keras.applications.mobilenet import MobileNet, preprocess_input
from tensorflow.keras.preprocessing.image import ImageDataGenerator

BATCH_SIZE = 20
TARGET = (48, 48)

train_datagen = ImageDataGenerator(preprocessing_function=preprocess_input, width_shift_range=0.05)
test_datagen = ImageDataGenerator(preprocessing_function=preprocess_input)
train_generator = train_datagen.flow_from_directory(
    "data/train", target_size=TARGET, batch_size=BATCH_SIZE, class_mode="categorical", seed=1
)
validation_generator = test_datagen.flow_from_directory(
    "data/val", target_size=TARGET, batch_size=BATCH_SIZE, class_mode="categorical", shuffle=False
)

conv_base = MobileNet(weights="mobilenet.weights.h5", include_top=False, input_shape=TARGET + (3,), alpha=0.25)

model = keras.models.Sequential()
model.add(conv_base)
model.add(keras.layers.GlobalAveragePooling2D())
model.add(keras.layers.Dropout(0.1))
model.add(keras.layers.Dense(10, activation="softmax"))

model.compile(
    loss="categorical_crossentropy",
    optimizer=keras.optimizers.Adam(learning_rate=1e-3),
    metrics=["acc"],
)
model.fit(train_generator, epochs=8, validation_data=validation_generator, verbose=2)
model.save("model.keras")
