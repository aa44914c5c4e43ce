"""What watching costs: the same training bare and watched, in turn, on this machine.

    python benchmarks/watch_overhead.py [PAIRS]
    python benchmarks/watch_overhead.py [PAIRS] --keras .venv-keras/bin/python

Each run trains a ResNet-18 (Keras: a ResNet-50) on 128 images of 64 px for two epochs, evaluating after each,
and prints the CPU seconds of its loop: imports do not count, and neither do other programs on the machine.
Prints the ratio of every pair and their median; exit status 1 above 1.05. First line: how long a peek at the
same script takes beyond its imports.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from plateau_cause.capture import launch

LIMIT = 1.05
SCRIPT = """
import time
import torch
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models import resnet18

print("imported", time.time(), flush=True)
torch.manual_seed(0)
data = TensorDataset(torch.randn(128, 3, 64, 64), torch.randint(0, 10, (128,)))
train, val = DataLoader(data, 32, shuffle=True), DataLoader(data, 32)
model = resnet18(num_classes=10)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
started = time.process_time()
for epoch in range(2):
    model.train()
    for x, y in train:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        hits = sum((model(x).argmax(1) == y).sum().item() for x, y in val)
print("seconds", time.process_time() - started, flush=True)
"""


KERAS = """
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import numpy as np
import tensorflow as tf

print("imported", time.time(), flush=True)
tf.keras.utils.set_random_seed(0)
images = np.random.default_rng(0).integers(0, 256, (128, 64, 64, 3)).astype("float32")
labels = np.arange(128) % 10
base = tf.keras.applications.ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3), pooling="avg")
model = tf.keras.Sequential([base, tf.keras.layers.Dense(10, activation="softmax")])
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images[:32], labels[:32], epochs=1, batch_size=32, verbose=0)  # which compiles
started = time.process_time()
model.fit(images, labels, epochs=2, batch_size=32, validation_data=(images, labels), verbose=0)
print("seconds", time.process_time() - started, flush=True)
"""


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=int, nargs="?", default=5)
    parser.add_argument("--keras", help="an interpreter with TensorFlow: a Keras script, run by it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "train.py"
        path.write_text(KERAS if given.keras else SCRIPT)
        script = launch.script(str(path), python=given.keras and str(Path(given.keras).absolute()))
        ratios = [_pair(script) for _ in range(given.pairs)]
        print("peek beyond imports:", f"{_peek_s(script):.1f} s")
    median = statistics.median(ratios)
    print("ratios:", " ".join(f"{ratio:.3f}" for ratio in ratios), "median:", f"{median:.3f}")
    return int(median > LIMIT)


def _pair(given: launch.Script) -> float:
    command = [given.python, "train.py"]
    bare = subprocess.run(command, cwd=given.folder, check=True, capture_output=True, text=True).stdout
    watched = launch.run(given, given.folder, {"mode": "watch"}, stdout=subprocess.PIPE).stdout
    return _said(watched, "seconds") / _said(bare, "seconds")


def _peek_s(given: launch.Script) -> float:
    job = {"mode": "peek", "limit_s": launch.LIMIT_S}
    printed = launch.run(given, given.folder, job, stdout=subprocess.PIPE).stdout
    return time.time() - _said(printed, "imported")


def _said(printed: str, name: str) -> float:
    return next(float(line.split()[1]) for line in printed.splitlines() if line.startswith(name))


if __name__ == "__main__":
    sys.exit(main())
