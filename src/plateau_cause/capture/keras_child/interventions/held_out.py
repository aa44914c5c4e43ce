"""A part of the training images is held out, where a script judges none that it does not train on."""

from __future__ import annotations

from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.dividing import divided
from plateau_cause.capture.keras_child.doors import Doors
from plateau_cause.capture.keras_child.feeds import Feed, training_feed
from plateau_cause.capture.keras_child.interventions.base import Change, Fit, Phase
from plateau_cause.capture.keras_child.scene import Scene


class HoldOut(Change):
    """Takes a part of its images from every fit; settings: `share`.

    Not a repair: every replay of such a script is given it, so that there is something to judge them by.
    The part is judged when the script has ended: callbacks that watch a validation would act on one.
    """

    compiles = False
    held: Feed | None = None  # of the last fit

    def listen(self, doors: Doors, phase: Phase) -> None:
        """Keeps where pipelines have their steps."""
        self._scene: Scene = doors.scene

    def before(self, fit: Fit) -> None:
        """Changes what is trained on."""
        try:
            feed, self.held = divided(
                training_feed(fit.given), self.settings["share"], self._scene, library.of(fit.model)
            )
        except ValueError as error:
            self.took, self.words = False, str(error)
            return
        fit.train_on(feed)
        self.took = self.words is None
