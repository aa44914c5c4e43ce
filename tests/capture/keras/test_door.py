"""Which door a script goes through, and what of Keras cannot be captured, in one line."""

from __future__ import annotations

import pytest

from plateau_cause.capture import launch
from plateau_cause.capture.doors import is_keras
from plateau_cause.errors import PlateauError

TAPE = """
import tensorflow as tf
w = tf.Variable(1.0)
for _ in range(3):
    with tf.GradientTape() as tape:
        loss = w * w
    w.assign_sub(0.1 * tape.gradient(loss, w))
"""


BATCHES = """
import keras, numpy as np
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
for _ in range(10**9):
    model.train_on_batch(np.zeros((2, 4)), np.zeros(2))
"""

DATA_SET = """
import keras, numpy as np, tensorflow as tf
data = tf.data.Dataset.from_tensor_slices((np.zeros((8, 4), "float32"), np.arange(8) % 2))
data = data.map(lambda x, y: (x + 1 if y > 0 else x, y)).batch(4)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(data, validation_data=data)
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import tensorflow as tf", True),
        ("from keras import layers", True),
        ("import tf_keras", True),
        ("import model", True),  # which imports Keras
        ("import torch, keras\nm.fit(loader)", True),
        ("import torch\nfrom tensorflow.io import gfile", False),
        ("import torch\nfrom torch.utils.tensorboard import SummaryWriter", False),
        ("import torch, sklearn", False),
        ("def f(:", False),
    ],
)
def test_the_door_follows_from_what_a_script_imports(text, expected, tmp_path):
    (tmp_path / "train.py").write_text(text)
    (tmp_path / "model.py").write_text("from tensorflow.keras import Model")
    assert is_keras("train.py", tmp_path, False) is expected
    assert is_keras("train", tmp_path, True) is expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TAPE, "train.py: a loop over GradientTape trains at train.py:7, which cannot be replayed; put"),
        (BATCHES, "train.py: a loop over train_on_batch trains at train.py:6, which cannot"),
        ("import keras\nprint('done')", "train.py: no call of Model.fit was seen; expected"),
        ("import tensorflow as tf\ntf.distribute.MultiWorkerMirroredStrategy()",
         "train.py: tf.distribute.MultiWorkerMirroredStrategy trains on several hosts"),
        ("import tensorflow as tf\ntf.estimator.DNNClassifier([8], [])",
         "train.py: tf.estimator is not read; expected a keras.Model with compile and fit"),
    ],
    ids=["tape", "batches", "no fit", "hosts", "estimator"],
)  # fmt: skip
def test_what_cannot_be_captured_is_said_in_one_line(text, said, tmp_path, keras_python, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    (tmp_path / "train.py").write_text(text)
    with pytest.raises(PlateauError) as raised:
        launch.peek(
            launch.script(str(tmp_path / "train.py"), python=keras_python), tmp_path / "out", limit_s=2.0
        )
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_a_peek_leaves_nothing_in_the_temporary_folder(tmp_path, keras_python, monkeypatch):
    (own := tmp_path / "own").mkdir()
    (own / "train.py").write_text(DATA_SET)
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    launch.peek(launch.script(str(own / "train.py"), python=keras_python), tmp_path / "out")
    assert list(temporary.iterdir()) == []
