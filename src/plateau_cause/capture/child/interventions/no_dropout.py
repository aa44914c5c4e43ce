"""Dropouts drop nothing while the model trains."""

from __future__ import annotations

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.describe.dropping import share_of
from plateau_cause.capture.child.interventions.base import Intervention


class NoDropout(Intervention):
    """Sets the share that the layers of a model drop to none, before every training call."""

    def given(self, call: Call) -> None:
        """Changes what is about to be trained."""
        for one in call.module.modules() if call.is_training else ():
            share = share_of(one)
            if share is not None:
                setattr(one, share, 0.0)
                self.times += 1


CHANGE = NoDropout
