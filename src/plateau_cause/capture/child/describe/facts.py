"""Facts about models and tensors as values that JSON can hold."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.describe.dropping import share_of
from plateau_cause.capture.child.linking import tensors

FEATURES = 64  # from so many columns on an output beside another is features, more likely than a head
LABELS = ("label", "labels", "target", "targets", "y", "class", "classes", "category", "class_id", "label_id")


def modes(module: Any) -> dict[str, Any]:
    """Returns whether a module trains, and how many of its batch norms and dropouts do."""
    from torch import nn

    inner, _ = unwrapped(module)
    parts = list(inner.modules())
    norms = [
        one
        for one in parts
        if isinstance(one, nn.modules.batchnorm._BatchNorm)
        or str(getattr(one, "original_name", "")).startswith("BatchNorm")
    ]  # of torch.jit.script
    drops = [one for one in parts if share_of(one)]
    weights = [own for one in norms for own in one.parameters()]
    return {
        "training": inner.training,
        "batch_norm": _counted(norms),
        "dropout": _counted(drops),
        "norms_frozen": bool(weights) and not any(one.requires_grad for one in weights),
    }


def _counted(layers: list[Any]) -> dict[str, int]:
    return {"count": len(layers), "training": sum(layer.training for layer in layers)}


def picture_facts(tensor: Any) -> dict[str, Any]:
    """Returns size, range and moments of a batch of inputs: (N, C, H, W), or any other shape."""
    values = tensor.detach().float().cpu()
    facts = {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch."),
             "least": float(values.min()), "most": float(values.max())}  # fmt: skip
    if values.ndim == 4:
        channels = values.transpose(0, 1).flatten(1)  # (C, N*H*W)
        return facts | {"mean": channels.mean(1).tolist(), "std": channels.std(1).tolist()}
    return facts | {"mean": [float(values.mean())], "std": [float(values.std())]}


def picture_of(inputs: list[Any]) -> Any:
    """Returns the images among a model's inputs: the first of four dimensions, else the first of any."""
    floats = [one for one in inputs if one.is_floating_point()] or inputs
    return next((one for one in floats if one.ndim == 4), floats[0] if floats else None)


def logits_of(output: Any) -> Any:
    """Returns the tensor (N, C) that is judged: the output itself, its `logits`, or the narrowest.

    Models that give features beside their logits give more of them. Of several heads the first counts.
    """
    logits = getattr(output, "logits", None)
    if logits is None and hasattr(output, "get"):
        logits = output.get("logits")
    if logits is not None:
        return logits
    found = [one for one in tensors(output) if one.is_floating_point()]
    rows = [one for one in found if one.ndim == 2]
    narrow = [one for one in rows if one.shape[1] < FEATURES][:1]
    return min(narrow or rows, key=lambda one: one.shape[1], default=found[0] if found else None)


def targets_in(batch: Any, count: int, classes: int = 0) -> Any:
    """Returns the labels in a batch, (count,): whole numbers, else zeros and ones, else rows of shares.

    Args:
        batch: what the loader yielded.
        count: images in it.
        classes: outputs of the model; rows (count, classes) that sum to one, one-hot or mixed labels, stand
            for the class with the largest share.
    """
    found = [one for one in by_likelihood(batch) if one.ndim in (1, 2)]
    numbers = [one for one in found if one.numel() == count]
    whole = [one for one in numbers if not one.is_floating_point()]
    if len(whole) > 1 and classes > 1:  # numbers of images, perhaps, beside the labels
        whole = [one for one in whole if bool(((one >= 0) & (one < classes)).all())] or whole
    binary = [one for one in numbers if one.is_floating_point() and bool(((one == 0) | (one == 1)).all())]
    if whole or binary:
        return [*whole, *binary][0].reshape(-1)
    return next((one.argmax(1) for one in found if one.shape == (count, classes) and are_shares(one)), None)


def are_shares(rows: Any) -> bool:
    """Returns whether every row of (N, C) holds shares of classes: none negative, their sum one."""
    values = rows.detach().float()
    return bool((values >= 0).all() and ((values.sum(-1) - 1).abs() < 1e-3).all())


def by_likelihood(batch: Any) -> list[Any]:
    """Returns the tensors in a batch, those that a dict calls labels first."""
    if not hasattr(batch, "items"):
        return tensors(batch)
    parts = sorted(batch.items(), key=lambda part: str(part[0]).lower() not in LABELS)
    return tensors([value for _, value in parts])


def unwrapped(module: Any) -> tuple[Any, list[str]]:
    """Returns the module within DataParallel and torch.compile, and what was around it."""
    around: list[str] = []
    while True:
        name = type(module).__name__
        if name == "OptimizedModule":
            inner, name = module._orig_mod, "torch.compile"
        elif name in ("DataParallel", "DistributedDataParallel", "AveragedModel"):
            inner = module.module
        else:
            return module, around
        around.append(name)
        module = inner


def kind(value: Any) -> str:
    """Returns a class's full name; of torch's own the part that people write."""
    cls = value if isinstance(value, type) else type(value)
    module = cls.__module__
    for prefix, written in (("torch.nn.modules", "nn"), ("torch.optim.lr_scheduler", "lr_scheduler"),
                            ("torch.optim", "optim"), ("torchvision.transforms", "transforms"),
                            ("torch.utils.data", ""), ("__main__", ""), ("builtins", "")):  # fmt: skip
        if module == prefix or module.startswith(f"{prefix}."):
            return f"{written}.{cls.__qualname__}".lstrip(".")
    return f"{module}.{cls.__qualname__}"


def plain(value: Any) -> Any:
    """Returns a value as JSON has it: numbers, texts and lists stay, everything else becomes a text."""
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist") and getattr(value, "size", None) is not None:
        return value.tolist()
    if hasattr(value, "func"):  # functools.partial
        return plain(value.func)
    return getattr(value, "__qualname__", None) or kind(value)
