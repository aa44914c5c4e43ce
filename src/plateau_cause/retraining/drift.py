"""Are the images that came since the deployed model was trained still the kind it was trained on?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plateau_cause.features import shift
from plateau_cause.features.describe import shift_test
from plateau_cause.retraining.training_set import TrainingSet, class_counts, network_of

if TYPE_CHECKING:
    from plateau_cause.config.params import BackboneParams
    from plateau_cause.features.views import View
    from plateau_cause.images.store import Dataset

FEWEST = 10  # new images from which a test is worth its name
EVERY_SPLIT = ("train", "val", "test")
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Drift:
    """How today's data differ from what the deployed model was trained on.

    Attributes:
        new_images, gone_images: today's images that it never had; its images that are no longer there.
        class_share_distance: total variation distance of the class shares of both training sets, 0..1.
        test: two-sample tests of the new images against its training images, plain types as in
            `features.describe.shift_test`; None where they could not be made.
        note: why there is no test; None where there is one.
    """

    new_images: int
    gone_images: int
    class_share_distance: float
    test: Mapping[str, Any] | None
    note: str | None

    @property
    def moved_classes(self) -> list[str]:
        """Returns the classes whose new images differ from the old ones (Holm-adjusted p below 0.05)."""
        classes: Mapping[str, Mapping[str, float]] = self.test["classes"] if self.test else {}
        return [name for name, found in classes.items() if found["p"] < SIGNIFICANT]

    @property
    def metrics(self) -> dict[str, float]:
        """Returns the numbers worth following from one retraining to the next, flat."""
        counts = {"new_images": self.new_images, "gone_images": self.gone_images}
        found: dict[str, float] = {**counts, "class_share_distance": self.class_share_distance}
        if self.test:
            found |= {key: self.test[key] for key in ("mmd", "mmd_p", "auc", "auc_p", "distance_sd")}
            found["moved_classes"] = len(self.moved_classes)
        return {f"drift_{name}": float(value) for name, value in found.items()}


def measure(
    known: TrainingSet, dataset: Dataset, view: View, backbone: BackboneParams, seed: int = 0
) -> Drift:
    """Returns the drift of today's images against the training set of the deployed model.

    Only images that the deployed model never had are tested against those it was trained on: the same image
    on both sides would make the samples dependent, and hide what is new behind what is not.

    Args:
        known: of the deployed model.
        dataset: today's images.
        view: their features.
        backbone: whose features they are.
        seed: of subsample and permutations.
    """
    manifest = dataset.manifest
    new = ~known.knows(manifest, EVERY_SPLIT)
    gone = ~(
        known.images["sha256"].isin(manifest["sha256"]) | known.images["image_id"].isin(manifest["image_id"])
    )
    followed, seen = view.followed(dataset).manifest, new if view.rows is None else new[view.rows]
    note = _obstacle(known, int(seen.sum()), network_of(view, backbone))
    test = None if note else _test(known, view.features[seen], followed["label"].to_numpy(str)[seen], seed)
    shares = class_share_distance(known.class_counts(), class_counts(manifest))
    return Drift(int(new.sum()), int(gone.sum()), shares, test, note)


def class_share_distance(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """Returns the total variation distance of two sets of class shares: 0 equal, 1 nothing in common."""
    names = sorted({*before, *after})
    one, other = (np.array([counts.get(name, 0) for name in names], float) for counts in (before, after))
    return float(np.abs(one / max(1.0, one.sum()) - other / max(1.0, other.sum())).sum() / 2)


def _obstacle(known: TrainingSet, new: int, network: Mapping[str, Any]) -> str | None:
    if dict(known.network) != dict(network):
        return "the deployed model's features come from another backbone or preprocessing"
    if new < FEWEST:
        return f"{new} new images, too few to test"
    if len(known.features) < FEWEST:
        return f"the deployed model has {len(known.features)} training images, too few to test"
    return None


def _test(known: TrainingSet, features: np.ndarray, labels: np.ndarray, seed: int) -> dict[str, Any]:
    classes = tuple(sorted({*known.labels.tolist(), *labels.tolist()}))
    index = {name: target for target, name in enumerate(classes)}
    targets = tuple(np.array([index[name] for name in side], np.int64) for side in (known.labels, labels))
    found = shift.compare(known.features, features, (targets[0], targets[1]), seed)
    return shift_test(found, classes)
