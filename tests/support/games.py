"""Games whose values are known: what an investigation would train, without training."""

import numpy as np
from tiny import FixedRates, make_arm, make_result

from plateau_cause.causes import RECIPE_FACTORS
from plateau_cause.causes.factor import Evidence
from plateau_cause.diagnosis.intervention import investigate
from plateau_cause.diagnosis.ledger import Ledger

N = 400
MIN_EFFECT = 0.03
FAULTS = {
    "head": {"head.activation": "softmax"},
    "loss_function": {"loss.name": "mse"},
    "regularization": {"head.dropout": 0.9},
    "batch_norm": {"batch_norm": "train"},
    "data_order": {"shuffle": False},
    "augmentation": {"augmentation": "strong"},
}
EVIDENCE = Evidence(
    gap=0.3,
    train_accuracy=0.5,
    val_accuracy=0.5,
    train_loss=1.0,
    probe_recipe=0.6,
    probe_canonical=0.6,
    probe_random=0.3,
    reference_val=0.9,
    rate_ratio=1.0,
    steps_ratio=1.0,
    num_classes=3,
    sorted_share=0.3,
    imbalance=1.0,
)


class Game:
    """Runs whose accuracy is a function of which factors are fixed; counts them."""

    def __init__(self, names, value, cost=1.0, budget=100.0, seeds=1):
        self.names, self.value, self.cost = names, value, cost
        self.sound = make_arm({"batch_norm": "frozen"})
        faults = {key: fault for name in names for key, fault in FAULTS[name].items()}
        self.broken = make_arm({"batch_norm": "frozen", **faults})
        self.labels: list[str] = []
        self.seeds = seeds
        self.ledger = Ledger(
            recipe=self.results(self.broken),
            reference=self.results(self.sound),
            factors=[factor for factor in RECIPE_FACTORS if factor.name in names],
            rates=FixedRates(),
            run=self.run,
            estimate=lambda arm: cost,
            targets=np.zeros(N, np.int64),
            budget=budget,
            asked=frozenset(names),
        )

    def fixed(self, arm):
        rates = FixedRates()
        return frozenset(
            f.name
            for f in RECIPE_FACTORS
            if f.name in self.names and not f.is_different(arm, self.sound, rates)
        )

    def results(self, arm):
        hit = (np.arange(N) < self.value(self.fixed(arm)) * N).astype(float)
        return [make_result(arm.with_seed(seed), hit, self.cost) for seed in range(self.seeds)]

    def run(self, arm, label):
        self.labels.append(label)
        return self.results(arm)

    def investigate(self, evidence=EVIDENCE):
        return investigate(self.ledger, evidence, MIN_EFFECT)


def by_name(found):
    return {finding.factor.name: finding for finding in found.findings}
