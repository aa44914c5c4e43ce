"""Wrong labels among the training images: set aside, and recipe and best run learn again from the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plateau.attribution import marginal
from plateau.causes.hypothesis import Bench, DataFacts, DataFinding, DataHypothesis, pair

LEAST_RATE = 0.03  # below it clean data sets are flagged as often (measured on the digits)


def _suspicion(facts: DataFacts) -> float:
    rate = float(facts.noise["rate"])
    return min(facts.headroom, rate) if rate >= LEAST_RATE else 0.0


def _test(bench: Bench, facts: DataFacts) -> DataFinding | None:
    flagged = [image["row"] for image in facts.noise["flagged"] if image["kind"] == "noise"]
    kept = facts.train[~np.isin(facts.train, flagged)]
    if len(kept) in (0, len(facts.train)):
        return None
    bench.add_subset("without flagged labels", kept)
    names = {"recipe - flagged labels": facts.recipe, "best - flagged labels": facts.best}
    pairs = [
        pair(result, bench.run(replace(result.arm, images="without flagged labels"), name), facts)
        for name, result in names.items()
    ]
    return DataFinding(
        cause="label_noise",
        effect=marginal(pairs[:1], pairs[1:]),
        evidence=[
            f"About {facts.noise['rate']:.0%} of the training labels look wrong: a classifier that never "
            "saw the image "
            f"contradicts them, and the image lies deep inside the other class. "
            f"{len(facts.train) - len(kept)} were set aside."
        ],
        fix={
            "data": f"review the {len(facts.train) - len(kept)} flagged labels "
            "(data/interventions/suspect_labels.csv)"
        },
        runs=list(names),
        levels={"label_noise_ceiling": 1.0 - facts.noise_held_out},
    )


HYPOTHESIS = DataHypothesis(name="label_noise", suspicion=_suspicion, cost=2.0, test=_test)
