"""What a GPU gives: right answers, images per second beside bare loops and the roofline, a whole diagnosis.

    python -m benchmarks.gpu            on the CUDA card, sized to take less than 8 minutes on a large one
    python -m benchmarks.gpu --toy      every part of it on the CPU; its figures say nothing of a GPU

Needs torch, torchvision, timm and scikit-learn only. Prints Markdown; exit status 1 where an answer is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from plateau_cause import runtime

runtime.set_up_threads()  # before torch loads

import numpy as np  # noqa: E402
import torch  # noqa: E402

from benchmarks.generated import Generated, digits, stripes  # noqa: E402
from benchmarks.speed import throughput  # noqa: E402
from plateau_cause.config.params import Diagnosis  # noqa: E402
from plateau_cause.config.recipe import Optimizer, Recipe, Schedule  # noqa: E402
from plateau_cause.diagnosis import reference  # noqa: E402
from plateau_cause.diagnosis.diagnose import Diagnosed, diagnose  # noqa: E402
from plateau_cause.features.views import View  # noqa: E402
from plateau_cause.images.preprocessing import canonical  # noqa: E402
from plateau_cause.lab.inspection import recipe_arm  # noqa: E402
from plateau_cause.lab.laboratory import Laboratory  # noqa: E402
from plateau_cause.lab.rates import Rates  # noqa: E402
from plateau_cause.training.user_code import UserCode  # noqa: E402

T = TypeVar("T")
CPU = torch.device("cpu")
# bfloat16 keeps 8 bits: each layer rounds by up to 0.4 %, and the rounding of some twenty layers adds up.
FEATURE_TOLERANCE = 0.03  # of the features' norm
ACCURACY_TOLERANCE = 0.03  # one in 360 test digits is 0.003
PLANTED, FAULT_RATE = "learning_rate_low", 1e-6
MAX_COST = 2.0  # trainings as dear as the reference, itself among them
NO_NOISE = {"rate": 0.0, "interval": [0.0, 0.0], "overlap_rate": 0.0, "flagged": []}


@dataclass(frozen=True)
class Size:
    """How large each part is: networks, images, pixels, epochs."""

    device: str
    compiler: str
    networks: tuple[str, ...]
    size_px: int
    batch: int
    images: int  # of an epoch whose speed is measured
    digits_network: str
    digits_images: int
    digits_epochs: int
    diagnosed_network: str
    diagnosed_images: int
    diagnosed_px: int
    diagnosed_classes: int
    recipe_epochs: int
    recipe_batch: int


FULL = Size(
    device="cuda",
    compiler="inductor",
    networks=("resnet50", "vit_small_patch16_224"),
    size_px=224,
    batch=256,
    images=4096,
    digits_network="resnet18",
    digits_images=1797,
    digits_epochs=4,
    diagnosed_network="resnet18",
    diagnosed_images=20_000,
    diagnosed_px=224,
    diagnosed_classes=8,
    recipe_epochs=3,
    recipe_batch=64,
)
TOY = Size(
    device="cpu",
    compiler="eager",  # what torch.compile captures, run as it is: no C++ compiler is asked for
    networks=("test_resnet", "test_vit"),
    size_px=32,
    batch=2,
    images=4,
    digits_network="test_resnet",
    digits_images=60,
    digits_epochs=1,
    diagnosed_network="test_resnet",
    diagnosed_images=90,
    diagnosed_px=32,
    diagnosed_classes=3,
    recipe_epochs=24,
    recipe_batch=8,
)


def main() -> int:
    """Prints a table per part; returns the exit status."""
    size = TOY if _arguments().toy else FULL
    device = runtime.device(size.device)
    started = time.perf_counter()
    print(f"# {_called(device)}, torch {torch.__version__}\n")
    agrees = correctness(size, device)
    for name in size.networks:
        speed(size, device, name)
    is_found = whole_diagnosis(size, device)
    print(f"\n{time.perf_counter() - started:.0f} s in all.")
    return 0 if agrees and is_found else 1


def correctness(size: Size, device: torch.device) -> bool:
    """Prints how far features and trained accuracy are from the CPU's; returns whether within tolerance."""
    data = digits(32, size.digits_images)
    recipe = Recipe(trainable="all", schedule=Schedule(epochs=size.digits_epochs))
    (features, accuracy), (expected, expected_accuracy) = (
        _digits(laboratory(data, size.digits_network, where), recipe) for where in (device, CPU)
    )
    distance = float(np.linalg.norm(features - expected) / np.linalg.norm(expected))
    apart = abs(accuracy - expected_accuracy)
    print(f"## Digits: {device.type} and CPU\n")
    print("| measure | difference | tolerance |\n|---|---|---|")
    print(f"| features, of their norm | {distance:.4f} | {FEATURE_TOLERANCE} |")
    print(f"| test accuracy after {size.digits_epochs} epochs | {apart:.4f} | {ACCURACY_TOLERANCE} |")
    return distance <= FEATURE_TOLERANCE and apart <= ACCURACY_TOLERANCE


def _digits(lab: Laboratory, recipe: Recipe) -> tuple[np.ndarray, float]:
    """Returns the features (N, D) of the frozen network, and the test accuracy of one trained."""
    seen = canonical(lab.backbone().expects, 32)
    result = lab.run(recipe_arm(lab, replace(recipe, preprocessing=seen)))
    targets = lab.dataset.targets[lab.dataset.indices("test")]
    return lab.features(seen), float(result.correct(targets).mean())


def speed(size: Size, device: torch.device, name: str) -> None:
    """Prints images/s of embedding and training, and of what they are compared with."""
    work = throughput.Workload(
        name, "none", size.size_px, size.batch, size.images, device, compiler=size.compiler
    )
    peaks = throughput.ceilings(device)
    print(f"\n## {name} at {size.size_px} px, batch {size.batch}\n")
    print(f"Peaks: {peaks.flops_per_s / 1e12:.4g} TFLOP/s, {peaks.bytes_per_s / 1e9:.4g} GB/s.\n")
    print("| images/s | plateau | of bare eager | of bare compiled | of the roofline |")
    print("|---|---|---|---|---|")
    for what, ours, bare, is_training in (
        ("embedding", throughput.embedding, throughput.bare_embedding, False),
        ("fine-tuning", throughput.training, throughput.bare_training, True),
    ):
        others = [bare(work, compiled=False), bare(work, compiled=True)]
        others.append(throughput.roofline(work, peaks, is_training))
        found = ours(work)
        shares = " | ".join(f"{found / other:.2f} ({other:.0f})" for other in others)
        print(f"| {what} | {found:.0f} | {shares} |", flush=True)


def whole_diagnosis(size: Size, device: torch.device) -> bool:
    """Prints the seconds of each phase; returns whether the planted fault is the first cause."""
    data = stripes(size.diagnosed_images, size.diagnosed_px, size.diagnosed_classes)
    lab, clock = laboratory(data, size.diagnosed_network, device), Clock(device)
    rates, limits = Rates(lab), Diagnosis(max_cost=MAX_COST)
    preprocessing = canonical(lab.backbone().expects, size.diagnosed_px)
    faulty = Recipe(
        preprocessing=preprocessing,
        trainable="all",
        optimizer=Optimizer(learning_rate=FAULT_RATE),
        schedule=Schedule(epochs=size.recipe_epochs),
        batch_size=size.recipe_batch,
    )
    with clock.phase("resize"):
        lab.images(preprocessing)
    with clock.phase("embed"):
        view = View(lab.features(preprocessing), lab.weights, preprocessing, {})
    arm = recipe_arm(lab, faulty)
    with clock.phase("recipe"):
        recipe = [lab.run(arm, "recipe")]
    with clock.phase("reference"):
        tried = reference.train(lab, rates, arm)
        best = reference.choose(lab, tried)
    views = dict.fromkeys(("recipe", "canonical", "random"), view)
    noise = {"train": NO_NOISE, "held_out": NO_NOISE}
    candidates = [result.cost for result in tried if result.key != best.key]
    with clock.phase("intervene"):
        found = diagnose(lab, rates, recipe, [best], limits, noise, views, candidates=candidates)
    return _tell(size, clock, found)


def _tell(size: Size, clock: Clock, found: Diagnosed) -> bool:
    swaps = found.swaps
    named = {it.name: it.reported(swaps.recipe, swaps.reference, swaps.rates) for it in swaps.factors}
    causes = [named[cause.factor] for cause in found.verdict.causes]
    what = f"{size.diagnosed_images} images, {size.diagnosed_px} px, {size.diagnosed_network}"
    print(f"\n## Diagnosis: {what}\n")
    print("| phase | seconds |\n|---|---|")
    print("\n".join(f"| {name} | {seconds:.1f} |" for name, seconds in clock.seconds.items()))
    print(f"\nVerdict: {found.verdict.verdict} after {len(found.runs)} runs.")
    print(f"Causes: {', '.join(causes) or 'none'}; planted: {PLANTED}.")
    print("The pictures and tests of stage feature_shift run on the CPU and are left out.")
    return causes[:1] == [PLANTED]


class Clock:
    """Seconds of each phase, what the device is still at included."""

    def __init__(self, device: torch.device) -> None:
        self.seconds: dict[str, float] = {}
        self._device = device

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Counts the block's seconds under this name."""
        started = time.perf_counter()
        yield
        throughput.wait(self._device)
        self.seconds[name] = time.perf_counter() - started


def laboratory(data: Generated, network: str, device: torch.device) -> Laboratory:
    """Returns a laboratory that keeps nothing, around a network with random weights."""
    return Laboratory(data, network, "none", UserCode(), device)  # type: ignore[arg-type]


def _called(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device.type}, toy size"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--toy", action="store_true", help="every part on the CPU at toy size")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
