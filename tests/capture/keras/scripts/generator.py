import tensorflow as tf
from tensorflow.keras.applications.mobilenet import MobileNet, preprocess_input
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.preprocessing.image import ImageDataGenerator

CLASSES = ["amber", "blue", "green"]
train_gen = ImageDataGenerator(preprocessing_function=preprocess_input, horizontal_flip=True)
val_gen = ImageDataGenerator(preprocessing_function=preprocess_input)
train_flow = train_gen.flow_from_directory("data/train", target_size=(32, 32), batch_size=16, classes=CLASSES)
val_flow = val_gen.flow_from_directory(
    "data/val",
    target_size=(32, 32),
    batch_size=16,
    shuffle=False,
    classes=CLASSES,
)

base_model = MobileNet(input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights="mobilenet.weights.h5")
x = GlobalAveragePooling2D()(base_model.output)
x = Dense(16, activation="relu")(x)
predictions = Dense(3, activation="softmax")(x)
model = Model(inputs=base_model.input, outputs=predictions)
for layer in base_model.layers:
    layer.trainable = True

model.compile(
    optimizer=tf.keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(train_flow, epochs=2, validation_data=val_flow)
