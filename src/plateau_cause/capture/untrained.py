"""Why no training was seen, and what to do instead: one line from what was seen."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.rules.observation import at

STARTED_BY = ("LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "RANK")  # what torchrun sets
OF_CLASSES = ("cross_entropy", "nll_loss")  # losses that only classifications have
OF_NUMBERS = (
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "gaussian_nll_loss", "poisson_nll_loss",
    "binary_cross_entropy", "binary_cross_entropy_with_logits",
)  # fmt: skip
ONE_PROCESS = "RANK=0 LOCAL_RANK=0 WORLD_SIZE=1 MASTER_ADDR=localhost MASTER_PORT=29500"


def reason(seen: dict[str, Any]) -> str:
    """Returns what a script did instead of training where plateau looks, and what would help.

    Args:
        seen: of a peek or a watched run: backward_calls, calls, libraries, spawned_at.
    """
    if seen["spawned_at"]:
        return (
            f"it trains in processes that it starts ({at(seen['spawned_at'])}), which are not watched; "
            "have it train in its own, as for one device"
        )
    if seen["backward_calls"]:
        return (
            "it trains on tensors without a DataLoader, so that its epochs cannot be told apart; wrap them: "
            "DataLoader(TensorDataset(images, labels), batch_size, shuffle=True)"
        )
    if seen["libraries"]:
        return f"it imports {' and '.join(seen['libraries'])}; expected a script that trains with PyTorch"
    if seen["calls"]:
        return (
            f"a model was called {seen['calls']} times and no `backward` of PyTorch; what is trained by "
            "torch.func, or outside of PyTorch, is not seen; if the script only evaluates as it is, give it "
            "the arguments with which it trains"
        )
    return "no `backward` of PyTorch; expected a script that trains a PyTorch model in this process"


def not_classes(loss: dict[str, Any] | None) -> str | None:
    """Returns why a script that trains has no accuracy; None where it may well have one.

    Args:
        loss: of a peek.
    """
    kind = ((loss or {}).get("target") or {}).get("kind")
    if loss is None or kind not in ("numbers", "several labels") or loss["computes"] not in OF_NUMBERS:
        return None
    if any(one["function"] in OF_CLASSES for one in loss.get("with", [])):
        return None
    where = f"{loss['function']} ({at(loss['place'])})"
    if kind == "numbers":
        return f"{where} is given numbers, not classes; expected a classification: regression has no accuracy"
    return f"{where} is given several labels for an image; expected one class for each image"


def about_torchrun(message: str) -> str:
    """Returns what to add to an error of a script that torchrun is to start; empty for any other."""
    if not any(name in message for name in STARTED_BY):
        return ""
    return f"; torchrun sets this: for one process begin the command with {ONE_PROCESS}"


def without_fit(tape: dict[str, Any] | None, by_batch: dict[str, Any] | None = None) -> str:
    """Returns what to do where a Keras script has not called `fit`.

    Args:
        tape: the line that asks a GradientTape for gradients.
        by_batch: the line that calls `train_on_batch`.
    """
    if by_batch is not None:
        return (
            f"a loop over train_on_batch trains at {at(by_batch)}, which cannot be replayed; give its images "
            "to fit, as arrays, a tf.data.Dataset or a keras.utils.PyDataset"
        )
    if tape is None:
        return "no call of Model.fit was seen; expected a script that trains a Keras model in this process"
    return (
        f"a loop over GradientTape trains at {tape['file']}:{tape['line']}, which cannot be replayed; put "
        "its body into train_step of a keras.Model subclass and call fit"
    )
