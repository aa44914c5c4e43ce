"""Small backbones pretrained here, so that what they come from is known exactly: ImageNet for none of them.

python -m benchmarks.diagnosis.pretrain     # trains what is missing in weights/: a few minutes on 2 cores

The files travel with the suite: trained again on another CPU they are other weights, under which faults cost
other amounts than truth.json says.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.diagnosis.sets import SOURCES
from plateau_cause import artifacts, runtime
from plateau_cause.backbones import load_backbone
from plateau_cause.images.preprocessing import canonical, normalize

BATCH_SIZE = 64
PEAK_RATE = 2e-3
FOLDER = Path(__file__).parent / "weights"
SEED = 7  # no image of the suite's own sets (seed 0) is among these, nor may a case train under it


@dataclass(frozen=True)
class Pretraining:
    """Which network learned which sets."""

    backbone: str
    sources: tuple[str, ...]
    images: int
    epochs: int
    size_px: int = 48


SHAPES = ("glyphs", "drawings", "textures")
WEIGHTS = {
    "resnet": Pretraining("test_resnet", SHAPES, images=18000, epochs=8),
    "resnet-tints": Pretraining("test_resnet", ("tints",), images=1600, epochs=6),
    "convnext": Pretraining("test_convnext", SHAPES, images=18000, epochs=10),
}


def weights_file(name: str) -> Path:
    """Returns the file with the state dict of WEIGHTS[name], trained now unless it is there."""
    path = FOLDER / f"{name}.pt"
    if not path.exists():
        state = train(WEIGHTS[name], name)
        with artifacts.atomic_path(path) as temporary:
            torch.save(state, temporary)
    return path


def train(plan: Pretraining, name: str) -> dict[str, torch.Tensor]:
    """Returns the pretrained backbone's state dict, under the names of its library, without a classifier."""
    images, targets = _source(plan)
    backbone = load_backbone(plan.backbone, "none", SEED)
    preprocessing = canonical(backbone.expects, plan.size_px)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = nn.Sequential(backbone.stages, nn.Linear(backbone.feature_dim, int(targets.max()) + 1))
    model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), PEAK_RATE, weight_decay=0.02, fused=True)
    steps = plan.epochs * (len(images) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps, pct_start=0.2)
    generator = torch.Generator().manual_seed(SEED)
    for _ in runtime.progress(range(steps), steps, f"pretrain {name}"):
        rows = torch.randint(len(images), (BATCH_SIZE,), generator=generator)
        pixels = normalize(images[rows], preprocessing)
        loss = nn.functional.cross_entropy(
            model(pixels.contiguous(memory_format=torch.channels_last)), targets[rows]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    print(f"{name}: loss {loss.item():.3f} on {' + '.join(plan.sources)}")
    state = backbone.stages.state_dict()
    return {original: state[own].contiguous() for own, original in backbone.original_names.items()}


def _source(plan: Pretraining) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns images (n, 3, S, S) uint8 and targets (n,) of all sources together, each class one."""
    images: list[np.ndarray] = []
    labels: list[str] = []
    for source in plan.sources:
        found, names = SOURCES[source](plan.images // len(plan.sources), SEED)
        images += [np.asarray(Image.fromarray(image).resize((plan.size_px, plan.size_px))) for image in found]
        labels += [f"{source}/{name}" for name in names]
    targets = np.unique(labels, return_inverse=True)[1]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(targets)


if __name__ == "__main__":
    runtime.set_up_threads()
    for each in WEIGHTS:
        print(weights_file(each))
