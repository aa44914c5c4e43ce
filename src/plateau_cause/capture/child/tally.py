"""Accuracy and loss of batches that the script computes itself, added up where they lie: nothing waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plateau_cause.capture.child.describe import facts


@dataclass
class Tally:
    """Sums over batches; tensors stay on their device until they are asked for."""

    hits: Any = 0
    images: int = 0
    loss: Any = 0.0
    batches: int = 0
    unjudged: int = 0  # batches whose outputs or labels were not found
    hits_above_half: Any = 0  # of a single output, were it a probability
    are_probabilities: Any = True  # whether no single output has left 0..1
    last: Any = None  # the batch that was added last
    outputs: int | None = None  # columns of what the model returns

    def add(self, output: Any, batch: Any, loss: Any = None) -> None:
        """Adds one batch: what the model returned, what the loader had yielded, the loss."""
        logits = facts.logits_of(output)
        self.outputs = _width(logits)
        labels = None if not self.outputs else facts.targets_in(batch, len(logits), self.outputs)
        self.batches += 1
        if loss is not None:
            self.loss = self.loss + loss
        if logits is None or labels is None:
            self.unjudged += 1
            return
        labels = labels.to(logits.device)
        self.hits = self.hits + (predicted(logits, 0.0) == labels).sum()
        self.images += len(labels)
        if self.outputs == 1:
            self.hits_above_half = self.hits_above_half + (predicted(logits, 0.5) == labels).sum()
            inside = ((logits >= 0) & (logits <= 1)).all()
            self.are_probabilities = inside & self.are_probabilities

    def result(self, middle: float | None = None) -> dict[str, Any]:
        """Returns accuracy (0..1), images, mean loss and outputs; None for what was not found.

        Args:
            middle: where a single output is undecided; by default 0.5 where all of them lay in 0..1, else 0.
        """
        if middle is None:
            middle = 0.5 if self.outputs == 1 and bool(self.are_probabilities) else 0.0
        hits = self.hits_above_half if self.outputs == 1 and middle else self.hits
        return {
            "accuracy": float(hits) / self.images if self.images else None,
            "images": self.images,
            "outputs": self.outputs,
            "loss": float(self.loss) / self.batches if self.batches and not _is_zero(self.loss) else None,
        }


def predicted(logits: Any, middle: float = 0.0) -> Any:
    """Returns the class of each row (N,): the largest of several outputs, a single one above the middle."""
    logits = logits.detach()
    if _width(logits) == 1:
        return (logits.reshape(-1) > middle).long()
    return logits.argmax(-1)


def _width(logits: Any) -> int | None:
    """Returns how many outputs the model has for each image; None where there are none."""
    if logits is None or not logits.ndim:
        return None
    return int(logits.shape[-1]) if logits.ndim > 1 else 1


def _is_zero(value: Any) -> bool:
    return isinstance(value, float) and value == 0.0
