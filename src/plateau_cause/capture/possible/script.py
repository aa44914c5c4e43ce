"""What could be changed in a script and would differ from what it does: the factors of its diagnosis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from plateau_cause.capture.possible import affine, settings
from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.possible.keras import RARE
from plateau_cause.capture.possible.rate import times, with_rate_place
from plateau_cause.capture.possible.said import SAID
from plateau_cause.capture.rules.observation import Observation, Peeked, with_places

APART = 1.5  # times that two normalisations' deviations differ before the weights' own is tried
MEANS_APART = 0.15
SURELY = 3.0  # standard deviations of a count by which the most frequent class stands out of those looked at

Peek = dict[str, Any]


def possible(content: Peek, folder: Path, found: list[Observation]) -> list[Possible]:
    """Returns the interventions that a peek asks for, each once.

    Args:
        content: the peek.
        folder: where the script runs.
        found: what stands out in it.
    """
    peeked = Peeked(content, folder)
    asked = [one for observation in found if (one := _for(observation, peeked)) is not None]
    asked += [one for one in (_as_expected(peeked), _balanced(peeked)) if one is not None]
    return list({one.name: one for one in reversed(asked)}.values())[::-1]


def _for(seen: Observation, peeked: Peeked) -> Possible | None:
    """Returns the intervention that undoes what stands out; None where there is none."""
    stopped = (peeked.content["training"] or {}).get("stopped_at") if seen.code == "frozen_layers" else None
    row = TABLE.get("frozen_and_stopped" if stopped else seen.code)
    if row is None:
        return None
    name, prior, is_sure, difference, measured = row
    told = measured(peeked)
    if told is None:
        return None
    one = Possible(name, seen.cause, seen.words, difference, seen.location, seen.patch, told, prior, is_sure)
    title = f"{difference[:1].upper()}{difference[1:]}"
    repair, explanation = SAID.get(seen.code) or SAID.get(name, ("", ""))
    if stopped:
        repair = f"Unfreeze the layers and let gradients through at {stopped['file']}:{stopped['line']}"
    one = replace(one, title=title, repair=repair, explanation=explanation)
    return with_rate_place(one, peeked) if name == "rate" else one


def _as_expected(peeked: Peeked) -> Possible | None:
    """Returns the normalisation that loaded weights were trained under, where the script's is another."""
    wanted, train = peeked.content.get("expected"), peeked.train_loader
    own = affine.normalisation(train) if train else None
    if not wanted or not own or not train or not peeked.is_pretrained or not _is_far(own, wanted):
        return None
    place = (train["data_set"]["transform"] or {}).get("place") or train["data_set"]["place"]
    means = f"mean {_said(own['mean'])} and std {_said(own['std'])}"
    wants = f"{_said(wanted['mean'])} and {_said(wanted['std'])}"
    words = with_places(f"images reach the model under {means}; its weights expect {wants}", place)
    difference = "another normalisation than these weights expect"
    told = settings.as_expected(peeked) or {}
    return Possible("preprocessing", "preprocessing", words, difference, place, None, told, 0.4, False)


def _balanced(peeked: Peeked) -> Possible | None:
    """Returns every class as often as any other, where one is far more frequent and none is weighed."""
    train, loss = peeked.train_loader, peeked.content.get("loss") or {}
    counts = list(train["labels"].get("seen", {}).values()) if train else []
    told = settings.loader(peeked)
    if not train or told is None or len(counts) < 2 or train["sampler"]["class"].startswith("Weighted"):
        return None
    even = sum(counts) / len(counts)
    is_rare = max(counts) >= RARE * min(counts) and max(counts) - even > SURELY * math.sqrt(even)
    if not is_rare or (loss.get("options") or {}).get("weight") is not None:
        return None
    words = with_places(
        f"classes are {max(counts) / min(counts):.0f} times apart in frequency and weighed alike",
        train["place"],
    )
    return Possible("balanced", "class_imbalance", words, "classes weighed alike", train["place"], None, told,
                    0.3, False)  # fmt: skip


def _is_far(own: affine.Moments, wanted: affine.Moments) -> bool:
    stds = max(max(a / b, b / a) for a, b in zip(own["std"], wanted["std"], strict=True))
    means = max(abs(a - b) for a, b in zip(own["mean"], wanted["mean"], strict=True))
    return bool(stds > APART or means > MEANS_APART or own.get("channels", "rgb") != "rgb")


def _said(values: list[float]) -> str:
    return " ".join(f"{value:.3g}" for value in values)


# What stands out -> intervention, prior, whether it repairs a fault, what it does otherwise, its settings.
Row = tuple[str, float, bool, str, Callable[[Peeked], dict[str, Any] | None]]
TABLE: dict[str, Row] = {
    "frozen_layers": ("unfreeze", 0.5, False, "layers are frozen", settings.none),
    "frozen_and_stopped": ("let_flow_and_unfreeze", 0.5, False, "layers are frozen", settings.parts),
    "rates_apart": ("rates_level", 0.5, True, "layers with next to no rate", settings.level),
    "optimizer_parameters": ("hold_parameters", 0.6, True, "no optimizer holds these layers", settings.none),
    "optimizer_before_head": ("hold_parameters", 0.9, True, "no optimizer holds these layers", settings.none),
    "neither_reached_nor_held": (
        "let_flow_and_hold", 0.6, True, "gradients are stopped, and no optimizer holds these layers",
        settings.parts,
    ),
    "computed_beforehand": (
        "train_network", 0.5, False, "features computed once, before training", settings.parts,
    ),
    "optimizer_unused": ("take_steps", 0.9, True, "an optimizer takes no steps", settings.unused),
    "no_steps": ("take_steps", 0.95, True, "no step is taken", settings.none),
    "gradients_lost": ("keep_gradients", 0.9, True, "gradients are cleared before the step", settings.none),
    "gradients_wasted": ("keep_gradients", 0.6, True, "gradients are cleared before the step", settings.none),
    "no_gradient": ("let_flow", 0.7, True, "gradients are stopped within the model", settings.parts),
    "step_too_high": ("rate", 0.9, True, "", lambda peeked: times(peeked, down=True)),
    "step_too_low": ("rate", 0.9, True, "", lambda peeked: times(peeked, down=False)),
    "weights_not_loaded": ("load_weights", 0.8, True, "names of loaded weights do not fit", settings.none),
    "weights_written_over": ("keep_loaded", 0.7, True, "loaded weights are written over", settings.none),
    "callback_waits": (
        "callback_turned", 0.5, True, "a callback that takes worse for better", settings.turned,
    ),
    "weights_elsewhere": ("keep_loaded", 0.8, True, "loaded weights are in another model", settings.twin),
    "gradients_not_cleared": ("clear_gradients", 0.8, True, "gradients are never cleared", settings.none),
    "gradients_clipped_away": ("no_clipping", 0.7, True, "gradients are clipped away", settings.none),
    "trains_in_evaluation_mode": ("train_mode", 0.6, True, "trained in evaluation mode", settings.none),
    "evaluates_in_training_mode": ("evaluation_mode", 0.7, True, "evaluated in training mode", settings.none),
    "average_lags": (
        "evaluate_trained", 0.9, True, "an average is evaluated that hardly follows", settings.none,
    ),
    "dropout_in_evaluation": ("evaluation_mode", 0.7, True, "dropout acts in evaluation", settings.none),
    "loss_input": ("logits_to_loss", 0.8, True, "the loss is given activated outputs", settings.none),
    "loss_of_one_output": ("logits_to_loss", 0.9, True, "a softmax over a single output", settings.none),
    "output_activation": ("logits_to_loss", 0.8, True, "the loss is given activated outputs", settings.none),
    "dropout_strong": ("no_dropout", 0.5, True, "most features are dropped", settings.none),
    "decay_strong": ("no_decay", 0.6, True, "weights that decay fast", settings.none),
    "classes_weighed_apart": (
        "plain_loss", 0.7, True, "weights of classes far apart", settings.argument("weight"),
    ),
    "labels_smoothed_away": (
        "plain_loss", 0.6, True, "labels smoothed away", settings.argument("label_smoothing"),
    ),
    "schedule_mistimed": ("schedule", 0.8, True, "schedule stepped at the wrong time", settings.other_beat),
    "schedule_fades": ("schedule", 0.5, True, "a schedule that ends early", settings.no_beat),
    "schedule_warms_long": ("rate_full", 0.8, True, "a warm-up that hardly ends", settings.none),
    "schedule_falls": ("rate_full", 0.7, True, "a rate that falls at once", settings.none),
    "evaluation_normalised_otherwise": (
        "evaluation_normalised", 0.8, True, "evaluation is normalised otherwise", settings.normalised,
    ),
    "preprocessing_unexpected": (
        "preprocessing", 0.7, True, "another normalisation than these weights expect", settings.as_expected,
    ),
    "evaluation_seen_otherwise": (
        "evaluation_as_training", 0.8, True, "evaluation is shown its images otherwise", settings.none,
    ),
    "training_sees_part": (
        "training_clean", 0.7, True, "training is shown a tiny part of each image", settings.loader,
    ),
    "evaluation_sized_otherwise": (
        "evaluation_sized", 0.5, False, "evaluation sees another size than training", settings.sized,
    ),
    "evaluation_augmented": ("evaluation_clean", 0.4, True, "evaluation changed at random", settings.none),
    "labels_in_another_order": ("labels_mapped", 0.95, True, "labels are in another order", settings.mapping),
    "labels_off_folders": (
        "labels_by_folder", 0.9, True, "labels of other images", settings.by_folder,
    ),
    "classes_drawn_apart": (
        "shuffle", 0.8, True, "the sampler draws one class far more often than another", settings.loader,
    ),
    "passes_left_early": (
        "whole_passes", 0.6, True, "passes over the training images are left early", settings.unbroken,
    ),
    "few_images_read": ("read_more", 0.7, True, "a part of the training images", settings.more_images),
    "sampler_draws_few": ("shuffle", 0.9, True, "the sampler draws from few images", settings.loader),
    "not_shuffled": ("shuffle", 0.7, True, "training data are not shuffled", settings.loader),
}  # fmt: skip
