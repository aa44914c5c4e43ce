"""Images through the frozen backbone, once per view: features, profile and moments in the same pass.

On a CPU float32 with channels-last is what is fast: EfficientNet-Lite0 at 64 px on one core of an AVX-512
Xeon without bf16 units gives 279 images/s in the default layout, 531 in channels-last, 344 with bf16
autocast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from plateau_cause.backbones import check_size, load_backbone
from plateau_cause.backbones.normalization import normalizations
from plateau_cause.backbones.types import Backbone
from plateau_cause.config.recipe import Preprocessing
from plateau_cause.errors import PlateauError
from plateau_cause.features.identification import Identification, identify
from plateau_cause.features.profile import Profile, Recorder
from plateau_cause.features.views import View
from plateau_cause.images import preprocessing as pixels
from plateau_cause.images.blocks import Gathered
from plateau_cause.images.expectation import Expectation
from plateau_cause.images.resized import Resized
from plateau_cause.images.sample import sampled
from plateau_cause.runtime import progress

if TYPE_CHECKING:
    from plateau_cause.config.params import Params
    from plateau_cause.images.store import Dataset

UserTransform = Callable[[Image.Image, bool], torch.Tensor]
# On a CPU larger batches fall out of the cache: 584 images/s at 32, 388 at 256
BATCH_SIZES = {
    "cpu": 32,
    "cuda": 256,
}
TOGETHER = 32  # batches whose features leave the device at once: it waits for each such moment
PROFILE_IMAGES = 256  # the floor of the KL divergence is 1/n per channel; from 64 images on it is stable
IDENTIFICATION_IMAGES = 48
SPATIAL_CHOICES = [(r, i) for r in ("squash", "crop", "pad") for i in ("bicubic", "bilinear", "nearest")]


def embed(
    backbone: Backbone,
    images: np.ndarray | Resized,
    preprocessing: Preprocessing,
    device: torch.device,
    batch_size: int | None = None,
    description: str = "embed",
    folder: Path | None = None,
) -> tuple[np.ndarray, Profile]:
    """Returns pooled features (N, D) float32 of uint8 images, and the network's profile over some of them.

    Args:
        backbone: left on `device`; its training mode is put back afterwards.
        images: (N, 3, S, S) uint8, resized already.
        preprocessing: what happens to the values; "canonical" is resolved here where it still stands.
        device: CUDA runs under bf16 autocast.
        batch_size: images; None for what is fast on the device. The result does not depend on it beyond
            rounding.
        description: of the progress bar.
        folder: where the features of many images lie, see `images.blocks.scratch`.
    """
    size = batch_size or BATCH_SIZES.get(device.type, 32)
    ready = pixels.resolve(preprocessing, backbone.expects)
    batches = (
        pixels.normalize(torch.from_numpy(images[i : i + size]).to(device, non_blocking=True), ready)
        for i in range(0, len(images), size)
    )
    found = Gathered(len(images), folder)
    profile = _embed_batches(backbone, batches, -(-len(images) // size), device, description, found)
    return found.array(), profile


def embed_views(
    dataset: Dataset,
    params: Params,
    device: torch.device,
    user_transform: UserTransform | None = None,
    reference: Dataset | None = None,
    include: np.ndarray | None = None,
) -> dict[str, View]:
    """Returns the views "recipe", "canonical", "random" (and "reference" of the reference data, canonical).

    Of a large data set they hold the features of a sample (`images.sample`), the rows `include` among it.
    Views with the same network and the same preprocessing are computed once. The random view is the control:
    what an untrained network of the same shape gives (wrong preprocessing takes pretrained features down to
    that level).

    Raises:
        PlateauError: the backbone cannot be loaded or take images of this size, or the user's transform gives
            something else than images.
    """
    weights, name = params.backbone.weights, params.backbone.name
    backbone = load_backbone(name, weights)
    check_size(backbone, params.recipe.preprocessing.size)
    canonical = pixels.canonical(backbone.expects, params.recipe.preprocessing.size)
    views, rows = dict[str, View](), sampled(dataset, include)
    if user_transform is None:
        recipe = pixels.resolve(params.recipe.preprocessing, backbone.expects)
        views["recipe"] = _view(dataset, backbone, recipe, weights, device, "recipe", rows)
    else:
        views["recipe"] = _user_view(dataset, backbone, user_transform, weights, device, rows)
    views["canonical"] = views["recipe"]
    if views["recipe"].preprocessing != canonical:
        views["canonical"] = _view(dataset, backbone, canonical, weights, device, "canonical", rows)
    views["random"] = views["canonical"]
    if weights != "none":
        views["random"] = _view(
            dataset, load_backbone(name, "none"), canonical, "none", device, "random", rows
        )
    if reference is not None:
        views["reference"] = _view(
            reference, backbone, canonical, weights, device, "reference", sampled(reference)
        )
    return views


def describe(dataset: Dataset, params: Params, user_transform: UserTransform | None = None) -> dict[str, Any]:
    """Returns load report, expectation, norm layers and what the preprocessing does, as plain types."""
    backbone = load_backbone(params.backbone.name, params.backbone.weights)
    found = identify_preprocessing(dataset, params.recipe.preprocessing, backbone, user_transform)
    return {
        "load_report": {**asdict(backbone.load_report), "words": backbone.load_report.describe()},
        "expects": asdict(backbone.expects),
        "normalization": normalizations(backbone.stages),
        "identification": None if found is None else _explain(found, backbone.expects),
    }


def _explain(found: Identification, expects: Expectation) -> dict[str, Any]:
    return {**asdict(found), "is_affine": found.is_affine, "differences": found.describe(expects)}


def identify_preprocessing(
    dataset: Dataset, recipe: Preprocessing, backbone: Backbone, user_transform: UserTransform | None = None
) -> Identification | None:
    """Returns the preprocessing as an affine map of pixels in 0..1, found from a few images.

    Every way of resizing is tried; the one that explains most of the tensor is kept. None where the tensor is
    not square: no declared resizing gives that.
    """
    rows = np.unique(np.linspace(0, len(dataset.manifest) - 1, IDENTIFICATION_IMAGES).astype(np.int64))
    if user_transform is None:
        ready = pixels.resolve(recipe, backbone.expects)
        transformed = pixels.normalize(torch.from_numpy(pixels.resize_all(dataset.store, rows, ready)), ready)
        ways = [(ready.resize, ready.interpolation)]
    else:
        transformed = next(_transformed(dataset, user_transform, rows, len(rows)))
        ways = SPATIAL_CHOICES
    if transformed.shape[2] != transformed.shape[3]:
        return None
    tensor, side = transformed.numpy(), transformed.shape[2]
    found = [identify(tensor, _plain(dataset, rows, side, *way)) for way in ways]
    return max(found, key=lambda one: one.r_squared)


def _view(
    dataset: Dataset,
    backbone: Backbone,
    preprocessing: Preprocessing,
    weights: str,
    device: torch.device,
    name: str,
    rows: np.ndarray | None,
) -> View:
    everything = np.arange(len(dataset.manifest)) if rows is None else rows
    images = Resized(dataset.store, everything, preprocessing)
    features, profile = embed(backbone, images, preprocessing, device, description=f"embed {name}")
    return View(features, weights, preprocessing, profile.to_dict(), rows)


def _user_view(
    dataset: Dataset,
    backbone: Backbone,
    transform: UserTransform,
    weights: str,
    device: torch.device,
    rows: np.ndarray | None,
) -> View:
    size = BATCH_SIZES.get(device.type, 32)
    everything = np.arange(len(dataset.manifest)) if rows is None else rows
    batches = (batch.to(device) for batch in _transformed(dataset, transform, everything, size))
    found, count = Gathered(len(everything)), -(-len(everything) // size)
    profile = _embed_batches(backbone, batches, count, device, "embed recipe.code", found)
    return View(found.array(), weights, None, profile.to_dict(), rows)


def _transformed(
    dataset: Dataset, transform: UserTransform, rows: np.ndarray, size: int
) -> Iterator[torch.Tensor]:
    """Yields the user's tensors (B, 3, H, W) as evaluation sees them."""
    for start in range(0, len(rows), size):
        images = (
            Image.fromarray(np.array(dataset.store.image(int(row)))) for row in rows[start : start + size]
        )
        tensors = [transform(image, False) for image in images]
        shapes = sorted({tuple(tensor.shape) for tensor in tensors})
        if len(shapes) > 1 or len(shapes[0]) != 3:
            raise PlateauError(
                f"recipe.code: transform() must give tensors (3, H, W) of one shape, not {shapes[:3]}"
            )
        yield torch.stack(tensors).float()


def _plain(dataset: Dataset, rows: np.ndarray, size: int, resize: str, interpolation: str) -> np.ndarray:
    """Returns pixels in 0..1 (n, 3, S, S) float32, resized in this way and nothing else."""
    spatial = Preprocessing(size=size, resize=resize, interpolation=interpolation)
    return pixels.resize_all(dataset.store, rows, spatial).astype(np.float32) / 255.0


@torch.inference_mode()
def _embed_batches(
    backbone: Backbone,
    batches: Iterable[torch.Tensor],
    count: int,
    device: torch.device,
    description: str,
    found: Gathered,
) -> Profile:
    """Gathers the features (N, D) of float batches (B, 3, H, W); returns the profile over some of them."""
    network, was_training = backbone.stages, backbone.stages.training
    network.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    head = None if backbone.pretrained_head is None else backbone.pretrained_head.to(device).eval()
    recorder = Recorder(network, dict(zip(backbone.stage_names, network.children(), strict=True)), head)
    parts: list[torch.Tensor] = []
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        for number, batch in enumerate(progress(batches, count, description)):
            x = batch.contiguous(memory_format=torch.channels_last)
            every = max(1, count * len(x) // PROFILE_IMAGES)  # spread: manifests are often sorted by class
            parts.append(recorder.record(x) if number % every == 0 else network(x).float())
            if len(parts) == TOGETHER or number == count - 1:
                found.add(torch.cat(parts).float().cpu().numpy())
                parts.clear()
    network.train(was_training)
    return recorder.profile()
