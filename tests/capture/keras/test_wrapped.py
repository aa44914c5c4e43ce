"""Optimizers wrapped for mixed precision, layers of chance that share a `call`, code that is generated."""

import pytest

HEAD = """
import numpy as np
import keras

images = np.random.default_rng(0).integers(0, 256, (32, 16, 16, 3)).astype("float32")
labels = np.arange(32) % 4
"""
MIXED = (
    HEAD
    + """
keras.mixed_precision.set_global_policy("mixed_float16")
schedule = keras.optimizers.schedules.CosineDecay(4e-3, 80)
optimizer = keras.optimizers.RMSprop(learning_rate=schedule, momentum=0.9)
inputs = keras.Input((16, 16, 3))
x = keras.layers.Rescaling(1 / 255.0)(inputs)
x = keras.layers.Flatten()(keras.layers.Conv2D(8, 3, activation="relu")(x))
model = keras.Model(inputs, keras.layers.Dense(4, activation="softmax", dtype="float32")(x))
model.compile(optimizer, "sparse_categorical_crossentropy")
held_out = images[:16], labels[:16]
model.fit(images[16:], labels[16:], batch_size=8, epochs=3, validation_data=held_out, verbose=0)
"""
)
CHANCE = (
    HEAD
    + """

class Network(keras.Model):
    def __init__(self):
        super().__init__()
        self.chance = keras.layers.RandomTranslation(0.5, 0.5)
        self.last = keras.Sequential([keras.layers.Rescaling(1 / 255.0), keras.layers.Flatten(),
                                      keras.layers.Dense(4, activation="softmax")])

    def call(self, images):
        return self.last(self.chance(images, training=True))  # a functional model would overrule it


model = Network()
model.compile("adam", "sparse_categorical_crossentropy")
held_out = images[:16], labels[:16]
model.fit(images[16:], labels[16:], batch_size=8, epochs=2, validation_data=held_out, verbose=0)
"""
)
MAPPED = (
    HEAD
    + """
import tensorflow as tf


def changed(image, label):
    return keras.applications.mobilenet.preprocess_input(image), label


data = tf.data.Dataset.from_tensor_slices((images, labels)).map(changed).batch(8)
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(data, epochs=2, validation_data=data, verbose=0)
"""
)


@pytest.fixture
def script(tmp_path):
    """Writes a script into a folder of its own."""

    def write(text):
        folder = tmp_path / "work"
        folder.mkdir()
        (folder / "train.py").write_text(text)
        return folder

    return write


class TestMixedPrecision:
    def test_the_optimizer_is_the_scripts(self, script, peek):
        content = peek(script(MIXED), "tensorflow")
        (optimizer,), (schedule,) = content["optimizers"], content["schedules"]
        assert (optimizer["class"], optimizer["groups"][0]["momentum"]) == ("RMSprop", 0.9)
        assert optimizer["groups"][0]["lr"] == pytest.approx(4e-3, rel=0.01)
        assert (schedule["class"], content["problems"]) == ("CosineDecay", [])

    def test_its_first_steps_move_something(self, script, peek):
        model = peek(script(MIXED), "tensorflow")["model"]
        assert model["change_per_step"] > 0 and model["zero_gradient"]["numbers"] == 0

    @pytest.mark.slow
    def test_it_is_compiled_again(self, script, replay):
        result, _ = replay(script(MIXED), {"schedule": {}})
        assert result["interventions"]["schedule"]["took"], result["interventions"]


def test_chance_in_evaluation_is_heard(script, peek):
    (layer,) = peek(script(CHANCE), "tensorflow")["keras"]["augmentation"]
    assert layer["in_evaluation"] is True


def test_a_line_that_tensorflow_generates_is_none_of_the_users(script, peek):
    content = peek(script(MAPPED), "tensorflow")
    files = {one["place"]["file"] for one in content["keras"]["preprocessed"] if one["place"]}
    assert files <= {"train.py"}
