"""The part of the peek about gradients: how many make a step, what clears, clips and scales them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plateau_cause.capture.child.main import Doors


def gradients(doors: Doors) -> dict[str, Any]:
    """Returns how gradients become a step, as JSON."""
    stepping = doors.stepping
    stepped = [one for one in stepping.held if one.steps]
    per_step = [count for one in stepped for count in one.per_step]
    return {
        "backward": stepping.backward_place,
        "backward_calls_per_step": max(per_step, default=None),
        "wasted_per_step": min(stepped[0].wasted_per_step, default=0) if len(stepped) == 1 else 0,
        "are_cleared": not any(one.uncleared for one in stepped) if stepped else None,
        "cleared_at": next((one.clear_place for one in stepped if one.clear_place), None),
        "clipping": stepping.clips[0] if stepping.clips else None,
        "scaler": stepping.scaler,
    }
