"""What a loss function of the script's own takes: probabilities or logits, told by trying it."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.cutting import few

IMAGES = 4
FAR = 5.0  # a logit; as a probability it is none, and functions of these cut it off or give no number


def takes(loss: Any, model: Any, labels: Any, classes: int | None) -> str | None:
    """Returns `probabilities` or `logits`, or None where a loss takes neither for sure.

    One of logits gives the same for logits that are all higher by one. One of probabilities is blind to
    numbers that are none: it cuts them off, or gives no number.

    Args:
        loss: a function or object of the script's own, of labels and outputs.
        model: which is trained by it.
        labels: of some images, as they are given to `fit`.
        classes: outputs of the model; None: not known.
    """
    import numpy as np

    if not callable(loss) or not classes or classes < 2 or not hasattr(labels, "shape"):
        return None
    y = few(labels, IMAGES)
    rng = np.random.default_rng(0)
    first, other = (-FAR * rng.uniform(1, 4, (len(y), classes)) for _ in range(2))

    def given(numbers: Any) -> float:
        tensors = (_tensor(model, np.asarray(array, np.float32)) for array in (y, numbers))
        return float(np.mean(library.values(loss(*tensors))))

    one, two = given(first), given(other)
    if not np.isfinite([one, two]).all() or np.isclose(one, two, rtol=1e-5):
        return "probabilities"
    inside = rng.normal(size=(len(y), classes))
    return "logits" if np.isclose(given(inside), given(inside + 1), rtol=1e-3) else None


def _tensor(model: Any, numbers: Any) -> Any:
    keras = library.of(model)
    if library.is_legacy(keras):
        import tensorflow

        return tensorflow.constant(numbers)
    return keras.ops.convert_to_tensor(numbers)
