"""A fit behind the first is judged as if it were the first; what both have in common is said once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plateau_cause.capture.rules.later_fits import at_fit, observed
from plateau_cause.capture.rules.observation import Peeked

PLACE = {"file": "train.py", "line": 3}


def loss(from_logits: bool) -> dict[str, Any]:
    told = {"function": "binary_crossentropy", "options": {"from_logits": from_logits}}
    return {**told, "activation": "linear", "on": "logits", "built": PLACE, "place": PLACE, "labels": [None]}


def fit(from_logits: bool, class_weight: Any = None) -> dict[str, Any]:
    training = {"place": PLACE, "modes": {"batch_norm": {"count": 0, "training": 0}}}
    return {"as_first": {"loss": loss(from_logits), "optimizers": [], "schedules": [], "gradients": {},
                         "training": training, "epochs": {"count": 2, "place": PLACE}, "base": None,
                         "class_weight": class_weight, "callbacks": []}}  # fmt: skip


def peeked(*fits: dict[str, Any]) -> Peeked:
    """A script with these fits, two of each class to train on."""
    train = {"role": "train", "batches": 4, "labels": {"seen": {"0": 20, "1": 20}, "classes": ["a", "b"]}}
    keras = {"fits": list(fits), "class_weight": None}
    content = {
        "framework": "keras",
        "loaders": [train],
        "model": {"base": None, "head": None},
        "keras": keras,
    }
    return Peeked({**content, **fits[0]["as_first"]}, Path())


def codes(*fits: dict[str, Any]) -> list[tuple[str, int]]:
    return [(one.code, one.fit) for one in observed(peeked(*fits), [])]


def test_another_loss_is_named_with_its_fit():
    assert codes(fit(True), fit(True), fit(False)) == [("loss_input", 2)]
    (found,) = observed(peeked(fit(True), fit(False)), [])
    assert found.words.startswith("in a later fit, the loss expects probabilities")


def test_weights_of_classes_of_a_later_fit_are_judged():
    assert codes(fit(True), fit(True, {"0": 1.0, "1": 50.0})) == [("classes_weighed_apart", 1)]


def test_what_stands_out_in_every_fit_is_said_once():
    both = peeked(fit(False), fit(False))
    said = [one for one in observed(both, []) if one.code == "loss_input"]
    assert len(said) == 1 and list(observed(both, said)) == []


def test_fits_that_are_right_are_not_accused():
    assert codes(fit(True), fit(True)) == []


def test_the_first_fit_is_the_peek_itself():
    content = peeked(fit(True), fit(False)).content
    assert at_fit(content, 0) is content
    assert at_fit(content, 1)["loss"]["options"] == {"from_logits": False}


def test_a_script_of_another_framework_has_no_later_fits():
    assert list(observed(Peeked({"framework": "torch"}, Path()), [])) == []


def test_batch_norms_that_act_once_their_base_is_trained():
    """As in Keras' own guide: `base(x, training=False)`, unfrozen for a second fit."""

    def with_base(acting, frozen, among=0):
        base = {"name": "base", "training": False, "acting_norms": acting, "frozen": frozen, "place": PLACE,
                "called_at": PLACE, "acting_among_frozen": among}  # fmt: skip
        one = fit(True)
        return {**one, "as_first": {**one["as_first"], "base": base}}

    first = with_base(0, 156)
    assert codes(first, with_base(52, 0)) == [("training_overridden", 1)]
    assert codes(first, with_base(20, 60)) == [("training_overridden", 1)]
    assert codes(first, with_base(20, 60, among=20)) == [("frozen_batch_norms_train", 1)]
    assert codes(first, with_base(0, 0)) == []
