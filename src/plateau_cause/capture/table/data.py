"""The part of the table about the data: loaders, transforms, images."""

from __future__ import annotations

from typing import Any

from plateau_cause import numbers
from plateau_cause.capture.rules.observation import at

Row = tuple[str, str, str]  # what, value, where
ANOTHER = 0.3  # of the range of values by which its ends differ: some images may be darker than others
# What makes batches of items where a script says nothing: of torch, timm, Hugging Face
USUAL = ("default_collate", "default_convert", "fast_collate", "default_data_collator", "AsLoader.collate_fn")


def rows(content: dict[str, Any]) -> list[Row]:
    """Returns the rows of every loader of a peek, those of training first."""
    if not content["loaders"]:
        return [("data", "no DataLoader was read: what the images are is not known", "")]
    ordered = sorted(content["loaders"], key=lambda one: one["role"] != "train")
    return [row for one in ordered for row in _loader(one, content)]


def _loader(one: dict[str, Any], content: dict[str, Any]) -> list[Row]:
    sampler = one["sampler"]["class"]
    usual = {"RandomSampler": "shuffled", "SequentialSampler": "in order"}
    drop = ", last batch dropped" if one["drop_last"] else ""
    length = one["data_set"]["length"]
    items = "items without an index" if length is None else f"{length} items"
    size = f"{items}, batches of {one['batch_size']}"
    usual["RandomSampler"] = _drawn(one["sampler"], length)
    made_by = one.get("collate") or USUAL[0]
    made = "" if made_by.endswith(USUAL) else f", made by {made_by.rpartition('.')[2]}"
    value = f"{one['role']}: {size}, {usual.get(sampler, sampler)}{drop}{made}"
    found = [(one["name"] or one["role"], value, at(one["place"]))]
    transform = one["data_set"]["transform"]
    if transform:
        steps = " → ".join(step.partition("(")[0] for step in transform["steps"])
        found.append(("  transform", steps, at(transform["place"])))
    return found + _images(one) + _behind(one, content)


def _drawn(sampler: dict[str, Any], length: int | None) -> str:
    """Returns how a loader draws at random: each image once, or some of them, or with repetitions."""
    if sampler.get("replacement"):
        return f"{sampler.get('num_samples') or length} drawn with replacement"
    return "shuffled"


def _behind(loader: dict[str, Any], content: dict[str, Any]) -> list[Row]:
    """Returns what the model gets where that is something else: bytes made numbers, scaled by the loop."""
    call = content["training" if loader["role"] == "train" else "evaluation"]
    given = call["input"] if call and loader["role"] != "unread" else None
    if not given or not loader["image"] or not _is_changed(loader["image"]["tensor"], given):
        return []
    size = "×".join(map(str, given["shape"][1:]))
    return [
        ("  to the model", f"{size}, values {given['least']:.3g} to {given['most']:.3g}", at(call["place"]))
    ]


def _is_changed(read: dict[str, Any], given: dict[str, Any]) -> bool:
    """Returns whether images of a loader reach the model in another range."""
    if read["dtype"] == "uint8":
        return True
    span = max(read["most"] - read["least"], 1e-9)
    return any(abs(given[end] - read[end]) > ANOTHER * span for end in ("least", "most"))


def _images(loader: dict[str, Any]) -> list[Row]:
    image = loader["image"]
    if not image:
        return []
    found, tensor = image["normalisation"], image["tensor"]
    how = f"values {tensor['least']:.3g} to {tensor['most']:.3g}"
    if found and tensor["dtype"] != "uint8":
        mean, std = (" ".join(numbers.short(value) for value in found[key]) for key in ("mean", "std"))
        how = f"mean {mean}, std {std}, {found['channels']}"
    augmented = ", augmented" if loader["varies"] else ""
    return [("  images", f"{'×'.join(map(str, tensor['shape'][1:]))}, {how}{augmented}", "")]
