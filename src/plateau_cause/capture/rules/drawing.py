"""Observations about which images are drawn: in what order, how often of each class, how few of all."""

from __future__ import annotations

from plateau_cause.capture.patches.data import shuffled
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

MAY_BE_CHANCE = 0.05  # probability that counts of the images looked at mislead
MOST_TIMES = 1e6  # from which a number says nothing
FEW = 0.5  # of the images that any loader reads: fewer may be what was left in from a trial
FAR_APART = 10.0  # times that one class counts as much as another, in the loss or by being drawn


def order(peeked: Peeked) -> Observation | None:
    """Returns that training reads one class after the other."""
    train = peeked.train_loader
    if train is None or train["shuffle"] is not False or not train["labels"]["in_order"]:
        return None
    words = with_places("training batches are not shuffled: one class follows the other", train["place"])
    is_shared = any(
        one["place"] == train["place"] for one in peeked.other_loaders
    )  # they would be shuffled too
    patch = None if is_shared else shuffled(peeked.folder, train["place"])
    return Observation("not_shuffled", "data_order", words, train["place"], patch)


def sampler(peeked: Peeked) -> Observation | None:
    """Returns that a sampler has weights for fewer images than there are: the others are never drawn."""
    train = peeked.train_loader
    weights = train["sampler"].get("weights") if train else None
    images = train["data_set"]["length"] if train else None
    if not train or not weights or not images or weights.get("count", images) >= images:
        return None
    words = (
        f"the sampler has {weights['count']} weights for {images} images and draws the first of them alone; "
        "it wants a weight for each image, not for each class"
    )
    return Observation("sampler_draws_few", "data_order", with_places(words, train["place"]), train["place"])


def drawn_apart(peeked: Peeked) -> Observation | None:
    """Returns that a sampler draws one class far more often than another."""
    train = peeked.train_loader
    weights = train["labels"].get("drawn") if train else None
    if train is None or not weights:
        return None
    counts = train["labels"]["seen"]
    shares = {one: bounds(weight, counts[one], len(counts)) for one, weight in weights.items()}
    most, least = (max(shares, key=lambda one: shares[one][0]), min(shares, key=lambda one: shares[one][1]))
    if shares[most][0] < FAR_APART * shares[least][1]:
        return None
    place = train["sampler"].get("place") or train["place"]
    ratio = weights[most] * counts[most] / max(weights[least] * counts[least], 1e-12)
    times = f"{ratio:.0f} times as often as" if ratio < MOST_TIMES else "and hardly ever"
    words = with_places(f"the sampler draws class {most} {times} class {least}", place)
    return Observation("classes_drawn_apart", "class_imbalance", words, place)


def few_read(peeked: Peeked) -> Observation | None:
    """Returns that training reads a small part of its data set, and no other loader the rest."""
    train = peeked.train_loader
    reads = train.get("reads") if train else None
    if train is None or not reads or max(reads["items"], reads["of"] - reads["unread"]) > FEW * reads["of"]:
        return None
    place = train["data_set"]["place"] or train["place"]
    words = with_places(
        f"training reads {reads['items']} of {reads['of']} images, and {reads['unread']} are read by no "
        "loader", place,
    )  # fmt: skip
    return Observation("few_images_read", "limited_data", words, place)


def bounds(weight: float, count: int, classes: int) -> tuple[float, float]:
    """Returns what a class counts for at least and at most, its images and their weight together.

    Only some of the images were looked at: bounds of a Poisson count, wide enough for all classes at once.
    """
    from scipy.stats import chi2

    part = MAY_BE_CHANCE / max(classes, 1) / 2
    return float(weight * chi2.ppf(part, 2 * count) / 2), float(weight * chi2.isf(part, 2 * count + 2) / 2)


RULES = (order, sampler, drawn_apart, few_read)
