"""Evaluation sees images of the size that training sees."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.call import Call
from plateau_cause.capture.child.interventions.base import Intervention


class EvaluationSized(Intervention):
    """Resizes every image of an evaluation; settings: `size` (height, width), pixels; `channels`."""

    def given(self, call: Call) -> None:
        """Changes the images of a call for evaluation."""
        if call.is_evaluation:
            self.times += call.change_images(self.settings["channels"], self._resized)

    def _resized(self, images: Any) -> Any:
        from torch.nn.functional import interpolate

        size = tuple(self.settings["size"])
        return interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)


CHANGE = EvaluationSized
