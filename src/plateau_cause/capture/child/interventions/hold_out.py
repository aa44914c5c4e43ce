"""A part of the training images is held out, where a script judges none that it does not train on.

Not a repair: every replay of such a script is given it, so that there is something to judge them by.
"""

from __future__ import annotations

import random
from typing import Any

from plateau_cause.capture.child.describe.cleaning import without_chance
from plateau_cause.capture.child.interventions.part import SEED, Drawn, Part, ordered_by, smaller
from plateau_cause.capture.child.passes import Loader
from plateau_cause.capture.child.places import Place, here


class HoldOut(Part):
    """Draws from the loader of training; settings: `loader`, its number, and `share`, what is held out.

    The images that are held out are judged when the script has ended, without chance in their transforms.
    """

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, settings)
        self._place: Place | None = None
        self._is_drawing = False

    def _draw(self, given: dict[str, Any], data: Any) -> None:
        course = self.changes.doors.course
        if self._is_drawing or not self.is_drawn_from(given, data):
            return
        if len(course.loaders) == self.settings["loader"]:
            self._place = here()
        if self._place is None or here() != self._place:
            return
        order = ordered_by(given, data)
        images = order.indices if isinstance(order, Drawn) else range(len(given["dataset"]))
        kept = self._kept(len(images), given.get("batch_size") or 1)
        inner = smaller(order.inner if isinstance(order, Drawn) else order, kept, given, data)
        if inner is None:
            raise ValueError(f"{type(order).__name__} orders the images in a way of its own")
        given["sampler"], given["shuffle"] = Drawn(inner, [images[one] for one in kept]), None
        left = sorted({*range(len(images))} - {*kept})
        course.kept_back = [self._loader([images[one] for one in left], given, data)]
        self.times += 1

    def _kept(self, images: int, batch: int) -> list[int]:
        """Returns which images are trained on; no last batch of one, on which batch norms fail."""
        most = images - max(round(self.settings["share"] * images), 1)
        most -= most % batch == 1 and most > batch
        return sorted(random.Random(SEED).sample(range(images), most))

    def _loader(self, held: list[int], given: dict[str, Any], data: Any) -> Loader:
        hooks = self.changes.doors.hooks
        was_paused, hooks.paused, self._is_drawing = hooks.paused, True, True
        try:
            images = data.Subset(without_chance(given["dataset"]), held)
            batch, collate = given.get("batch_size") or 1, given.get("collate_fn")
            return Loader(data.DataLoader(images, batch, collate_fn=collate), None, "held out")
        finally:
            hooks.paused, self._is_drawing = was_paused, False


CHANGE = HoldOut
