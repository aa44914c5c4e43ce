"""Evaluation sees images that are normalised as those of training."""

from __future__ import annotations

from plateau_cause.capture.child.affine import affine
from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.base import Intervention


class EvaluationNormalised(Intervention):
    """Maps every image of an evaluation; settings: `scale` and `shift` per channel, `flips` the channels."""

    reaches_network = True

    def given(self, call: Call) -> None:
        """Changes the images of a call for evaluation."""
        if call.is_evaluation:
            self.times += affine(call, self.settings)


CHANGE = EvaluationNormalised
