"""How factors work together in games of this kind: python -m benchmarks.games.fit prints it."""

from __future__ import annotations

from plateau_cause.diagnosis.prior import Ways

WAYS: Ways = {
    "none": 1,
    "one": 0.41,
    "sum": 1.9,
    "mask": 0.93,
    "spare": 0.86,
    "hurt": 0.99,
    "bottleneck": 0.15,
    "part_spare": 0.13,
    "sum3": 0.67,
    "mask3": 4,
    "one_and_mask": 0.68,
    "one_and_spare": 0.95,
}
