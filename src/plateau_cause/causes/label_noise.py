"""Wrong labels among the training images: set aside, and what learns learns again from the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plateau_cause.causes.hypothesis import Bench, DataFacts, DataFinding, DataHypothesis, hits, pair
from plateau_cause.lab.effect import effect

LEAST_RATE = 0.03  # below it clean data sets are flagged as often (measured on the digits)
# At least so many wrong: then most labels in doubt are, between classes too, and what is gained without those
# that can be told acquits nobody.
MANY = 0.1


def _suspicion(facts: DataFacts) -> float:
    rate = float(facts.noise["rate"])
    left = 1.0 - float(hits(facts.learner, facts).mean())
    return min(left, rate) if rate >= LEAST_RATE else 0.0


def _test(bench: Bench, facts: DataFacts) -> DataFinding | None:
    kept = _kept(facts)
    if len(kept) in (0, len(facts.train)):
        return None
    bench.add_subset("without flagged labels", kept)
    name = f"{facts.learner_name} - flagged labels"
    cleaned = bench.run(replace(facts.learner.arm, images="without flagged labels"), name)
    seen = pair(facts.learner, cleaned, facts)
    return DataFinding(
        cause="label_noise",
        effect=effect([seen]),
        pairs=(seen,),
        evidence=[
            f"About {facts.noise['rate']:.0%} of the training labels look wrong: a classifier that never saw "
            "the image contradicts them, and the image lies deep inside the other class. "
            f"{len(facts.train) - len(kept)} labels in doubt were set aside, and the {facts.learner_name} "
            "learned again from the rest."
        ],
        fix={
            "data": f"review the {len(facts.train) - len(kept)} flagged labels "
            "(data/interventions/suspect_labels.csv)"
        },
        runs=[name],
        levels={"label_noise_ceiling": 1.0 - facts.noise_held_out},
        before=facts.learner,
        is_partial=_are_many(facts),
    )


def _price(facts: DataFacts) -> float:
    return facts.learner.cost * len(_kept(facts)) / len(facts.train)


def _are_many(facts: DataFacts) -> bool:
    return bool(facts.noise["interval"][0] >= MANY)


def _kept(facts: DataFacts) -> np.ndarray:
    """Returns the training rows whose labels are not in doubt.

    Few wrong labels are told from classes that overlap by where the image lies. Many make the neighbours
    disagree as an overlap does: on digits with 37 % wrong so were two thirds of what was flagged as overlap.
    """
    kinds = ("noise", "overlap") if _are_many(facts) else ("noise",)
    flagged = [image["row"] for image in facts.noise["flagged"] if image["kind"] in kinds]
    return facts.train[~np.isin(facts.train, flagged)]


HYPOTHESIS = DataHypothesis(name="label_noise", suspicion=_suspicion, test=_test, price=_price)
