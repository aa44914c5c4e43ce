"""Names in plain words: those of causes stand in their own files and come with the summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plateau_cause.causes.words import Words

SPOKEN = {
    "knn": "nearest neighbours", "linear_probe_canonical": "linear probe, expected inputs",
    # What a replay of a script changes; the others read well as they are
    "training_clean": "no random changes in training", "evaluation_clean": "no random changes in evaluation",
    "augmented_anew": "new random changes in every epoch", "logits_to_loss": "what the loss is given",
    "let_flow_and_unfreeze": "all layers trained", "let_flow_and_hold": "all layers reached and held",
    "keep_loaded": "loaded weights kept", "let_flow": "gradients let through", "plain_loss": "a plain loss",
    "norm_momentum": "batch norms that follow faster", "labels_mapped": "labels as in training",
    "rate_full": "the full rate at once", "compile_again": "compiled once more",
    "callback_turned": "callbacks that wait the other way", "no_early_stop": "no EarlyStopping",
}  # fmt: skip


def words(cause: Mapping[str, Any]) -> Words:
    """Returns the plain words of an entry of the summary's `causes`, also where it brings none."""
    name = spoken(str(cause["cause"]))
    return Words(
        title=cause.get("title") or name.capitalize(),
        repair=cause.get("repair") or f"Fix {name}",
        explanation=cause.get("explanation") or "",
    )


def spoken(name: str) -> str:
    """Returns a factor's or level's name as it is read aloud: "linear_probe" as "linear probe"."""
    return SPOKEN.get(name, name.replace("_", " "))
