"""What is believed of games of this kind: python -m benchmarks.games.fit prints it."""

from __future__ import annotations

from plateau_cause.diagnosis.prior import Beliefs, Common

BELIEFS = Beliefs(
    ways={
        "none": 1.0,
        "one": 0.36,
        "sum": 1.7,
        "mask": 0.8,
        "spare": 0.8,
        "hurt": 0.95,
        "bottleneck": 0.07,
        "part_spare": 0.07,
        "sum3": 0.63,
        "mask3": 3.1,
        "spare3": 0.02,
        "one_and_mask": 0.51,
        "one_and_spare": 0.33,
    },
    lucks=(0.29, 0.46, 0.26),
    commons=(Common(0.0, 0.002, 0.92), Common(0.012, 0.005, 0.08)),
    fails=0.01,
    by_odds=False,  # the games' luck is the same at every accuracy
    together=0.0,  # and their losses are exactly of one of the ways
)
