"""What watching costs: the same training bare and watched, in turn, on this machine.

    python benchmarks/watch_overhead.py [PAIRS]

Each run trains a ResNet-18 on 128 images of 64 px for two epochs, evaluating after each, and prints the
CPU seconds of its loop: imports do not count, and neither do other programs on the machine. Prints the ratio
of every pair and their median; exit status 1 above 1.05. First line: how long a peek at the same script takes
beyond its imports.
"""

from __future__ import annotations

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


def main(pairs: int) -> int:
    """Returns the exit status."""
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        (folder / "train.py").write_text(SCRIPT)
        ratios = [_pair(folder) for _ in range(pairs)]
        print("peek beyond imports:", f"{_peek_s(folder):.1f} s")
    median = statistics.median(ratios)
    print("ratios:", " ".join(f"{ratio:.3f}" for ratio in ratios), "median:", f"{median:.3f}")
    return int(median > LIMIT)


def _pair(folder: Path) -> float:
    command = [sys.executable, "train.py"]
    bare = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    given = launch.script(str(folder / "train.py"))
    watched = launch.run(given, folder, {"mode": "watch"}, stdout=subprocess.PIPE).stdout
    return _said(watched, "seconds") / _said(bare, "seconds")


def _peek_s(folder: Path) -> float:
    given = launch.script(str(folder / "train.py"))
    job = {"mode": "peek", "limit_s": launch.LIMIT_S}
    printed = launch.run(given, folder, job, stdout=subprocess.PIPE).stdout
    return time.time() - _said(printed, "imported")


def _said(printed: str, name: str) -> float:
    return next(float(line.split()[1]) for line in printed.splitlines() if line.startswith(name))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
