"""Accuracy and loss of batches that the script computes itself, added up where they lie: nothing waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plateau_cause.capture.child import facts


@dataclass
class Tally:
    """Sums over batches; tensors stay on their device until they are asked for."""

    hits: Any = 0
    images: int = 0
    loss: Any = 0.0
    batches: int = 0
    unjudged: int = 0  # batches whose outputs or labels were not found

    def add(self, output: Any, batch: Any, loss: Any = None) -> None:
        """Adds one batch: what the model returned, what the loader had yielded, the loss."""
        logits = facts.logits_of(output)
        labels = None if logits is None or not logits.ndim else facts.targets_in(batch, len(logits))
        self.batches += 1
        if loss is not None:
            self.loss = self.loss + loss
        if logits is None or labels is None:
            self.unjudged += 1
            return
        self.hits = self.hits + (predicted(logits) == labels.to(logits.device)).sum()
        self.images += len(labels)

    def result(self) -> dict[str, Any]:
        """Returns accuracy (0..1) and mean loss; None for what was not found."""
        return {
            "accuracy": float(self.hits) / self.images if self.images else None,
            "images": self.images,
            "loss": float(self.loss) / self.batches if self.batches and not _is_zero(self.loss) else None,
        }


def predicted(logits: Any) -> Any:
    """Returns the class of each row (N,): the largest of several outputs, one output above its middle."""
    logits = logits.detach()
    if logits.ndim == 1 or logits.shape[-1] == 1:
        values = logits.reshape(-1)
        middle = 0.5 if bool(((values >= 0) & (values <= 1)).all()) else 0.0
        return (values > middle).long()
    return logits.argmax(-1)


def _is_zero(value: Any) -> bool:
    return isinstance(value, float) and value == 0.0
