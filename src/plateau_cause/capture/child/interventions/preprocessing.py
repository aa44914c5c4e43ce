"""Training and evaluation see images that are normalised as the loaded weights expect."""

from __future__ import annotations

from plateau_cause.capture.child.affine import affine
from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.base import Intervention


class Preprocessing(Intervention):
    """Maps every image; settings: `scale` and `shift` per channel, `flips` the channels."""

    reaches_network = True

    def given(self, call: Call) -> None:
        """Changes the images of any call."""
        self.times += affine(call, self.settings)


CHANGE = Preprocessing
