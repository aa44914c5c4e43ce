"""Arrays in whatever nests them, tuples and dicts by name: joined, as NumPy's, in part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def joined(parts: list[Any]) -> Any:
    """Returns batches as one, nested as they are."""
    import numpy as np

    first = parts[0]
    if first is None:
        return None
    if isinstance(first, dict):
        return {key: joined([part[key] for part in parts]) for key in first}
    if isinstance(first, (list, tuple)):
        return [joined([part[place] for part in parts]) for place in range(len(first))]
    return np.concatenate(parts)


def arrays(value: Any) -> Any:
    """Returns tensors of any library as arrays, nested as they are."""
    import numpy as np

    if isinstance(value, dict):
        return {key: arrays(one) for key, one in value.items()}
    if is_several(value):
        return [arrays(one) for one in value]
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return value.numpy() if hasattr(value, "numpy") else np.asarray(value)


def picture(x: Any) -> Any:
    """Returns the images of a batch: its first array of four dimensions, else its first array."""
    if isinstance(x, (dict, list, tuple)):
        found = [picture(one) for one in (x.values() if isinstance(x, dict) else x)]
        return next((one for one in found if one.ndim == 4), found[0])
    return x


def class_numbers(y: Any) -> Any:
    """Returns labels as class numbers (N,); None where they are neither numbers nor one of several."""
    import numpy as np

    if y is None or isinstance(y, (dict, list)):
        return None
    flat = np.asarray(y)
    if flat.ndim == 2 and flat.shape[1] > 1:  # shares of classes, smoothed or mixed perhaps
        return flat.argmax(1) if np.allclose(flat.sum(1), 1.0, atol=1e-2) else None
    flat = flat.reshape(len(flat), -1)
    is_whole = flat.shape[1] == 1 and bool(np.isclose(flat, np.rint(flat), atol=1e-3).all())
    return np.rint(flat[:, 0]).astype(int) if is_whole else None


def labels_each(y: Any) -> float | None:
    """Returns how many labels an image has on average, of labels (N, C) of zeros and ones; None of others."""
    import numpy as np

    if y is None or isinstance(y, (dict, list)):
        return None
    found = np.asarray(y)
    is_hot = found.ndim == 2 and found.shape[1] > 1 and bool(np.isin(found, (0, 1)).all())
    return float(found.sum(1).mean()) if is_hot and (found.sum(1) != 1).any() else None


def rows(value: Any, start: int, stop: int | None) -> Any:
    """Returns rows `start` to `stop` of what nests arrays."""
    if isinstance(value, dict):
        return {key: rows(one, start, stop) for key, one in value.items()}
    if is_several(value):
        return [rows(one, start, stop) for one in value]
    return None if value is None else value[start:stop]


def is_several(value: Any) -> bool:
    """Returns whether a list holds arrays, one for each input or output, and not numbers."""
    return isinstance(value, (list, tuple)) and len(value) > 0 and bool(getattr(value[0], "shape", ()))


def chosen(value: Any, numbers: Sequence[int]) -> Any:
    """Returns these rows of what nests arrays."""
    import numpy as np

    if isinstance(value, dict):
        return {key: chosen(one, numbers) for key, one in value.items()}
    if is_several(value):
        return [chosen(one, numbers) for one in value]
    return None if value is None else np.asarray(value)[list(numbers)]


def first_array(value: Any) -> Any:
    """Returns the first array of what is nested."""
    while isinstance(value, (dict, list, tuple)) and value:
        inner = next(iter(value.values())) if isinstance(value, dict) else value[0]
        if not hasattr(inner, "shape"):
            break
        value = inner
    return value
