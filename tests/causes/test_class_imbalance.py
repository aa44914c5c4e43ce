"""Classes of very different size: as a difference between recipes, and as a matter of the data."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import make_arm, make_result

from plateau_cause.causes.class_imbalance import FACTOR, HYPOTHESIS, corrected, thin


def test_is_swapped_alone(check_factor):
    check_factor(FACTOR, {"sampler": "balanced"}, {"sampler"})


def test_suspect_where_classes_differ_in_size(evidence):
    even = replace(evidence, imbalance=1.1)
    assert FACTOR.suspicion(make_arm(), make_arm(), even) < FACTOR.suspicion(make_arm(), make_arm(), evidence)


def rare(make_facts, share=0.5):
    """Four classes, the last with few training images, and `share` of the test images."""
    train = np.repeat([0, 1, 2, 3], [40, 40, 36, 4])
    few = round(60 * share)
    test = np.concatenate([np.tile([0, 1, 2], 60)[: 60 - few], np.full(few, 3)])
    targets = np.concatenate([train, test])
    return make_facts(accuracy=0.9, imbalance=10.0, targets=targets, classes=("a", "b", "c", "d"))


def test_common_classes_made_as_rare_show_what_rareness_costs(make_facts, make_bench, monkeypatch):
    facts, bench = rare(make_facts), make_bench(0.9)
    assert HYPOTHESIS.suspicion(facts) > facts.min_effect
    labels = facts.targets[facts.test]
    # The best run knows every common class; made rare, a and c are known half of the time.
    best = (labels != 3).astype(float)
    thinned = best.copy()
    thinned[np.flatnonzero(np.isin(labels, [0, 2]))[::2]] = 0.0
    facts = replace(facts, best=hitting(facts.best.arm, best, labels))
    monkeypatch.setattr(
        bench, "run", lambda arm, name: ran.append((arm, name)) or hitting(arm, thinned, labels)
    )
    ran = []
    finding = HYPOTHESIS.test(bench, facts)
    ((arm, name),) = ran
    kept = facts.targets[bench.subsets[arm.images]]
    assert np.bincount(kept).tolist() == [4, 40, 4, 4]
    assert arm.recipe.schedule.epochs == 5  # 2 epochs of 120 images are 5 of 52
    assert finding.effect.mean == pytest.approx(0.25) and finding.effect.low > 0
    assert finding.runs == [name]
    assert finding.fix == {"data": "more images of d"}
    assert "10.0 times" in finding.evidence[0] and "a, c lose +0.500" in finding.evidence[0]


def test_rareness_that_costs_nothing_is_no_cause(make_facts, make_bench):
    facts = rare(make_facts)
    labels = facts.targets[facts.test]
    facts = replace(facts, best=hitting(facts.best.arm, np.ones(60), labels))
    bench = make_bench(0.0)
    bench.run = lambda arm, name: hitting(arm, np.ones(60), labels)
    finding = HYPOTHESIS.test(bench, facts)
    assert finding.effect.mean == 0 and finding.effect.low <= 0


def hitting(arm, hits, labels):
    """Returns a result that hits these test images of any class."""
    outputs = np.full((len(labels), 5), 0.0)
    outputs[np.arange(len(labels)), np.where(hits > 0, labels, 4)] = 1.0
    result = make_result(arm, hits)
    outcome = replace(result.outcome, test_outputs=outputs, val_outputs=outputs[:, :4])
    return replace(result, outcome=outcome)


def test_thinned_classes_keep_evenly_spaced_images():
    targets = np.array([0, 1, 0, 0, 1, 0, 0, 2])
    rows = np.arange(8)
    assert thin(rows, targets, np.array([0]), 2).tolist() == [0, 1, 4, 6, 7]
    assert thin(rows, targets, np.array([1, 2]), 9).tolist() == rows.tolist()


def test_outputs_that_carry_the_shares_are_corrected(make_facts, make_bench):
    """Evidence of 1 for the right class, on top of what a 9 : 1 training set puts into every output."""
    labels = np.repeat([0, 1], 30)
    train = np.repeat([0, 1], [108, 12])
    outputs = np.eye(2)[labels] * 1.0 + np.log([0.9, 0.1])
    facts = make_facts(imbalance=9.0)
    outcome = replace(facts.best.outcome, val_outputs=outputs, test_outputs=outputs)
    facts = replace(facts, best=replace(facts.best, outcome=outcome), targets=np.concatenate([train, labels]))
    bench = make_bench(1.0)
    bench.run = lambda arm, name: facts.best  # made rare, the common class loses nothing
    finding = HYPOTHESIS.test(bench, facts)
    assert finding.effect.mean == pytest.approx(0.5)
    assert "log(share of the class" in finding.fix["data"] and "0.500 to 1.000" in finding.evidence[0]
    assert np.allclose(corrected(outputs, np.array([0.9, 0.1]), 1.0), np.eye(2)[labels])


@pytest.mark.parametrize(("imbalance", "sampler"), [(1.2, "uniform"), (8.0, "balanced")])
def test_no_suspicion(make_facts, imbalance, sampler):
    facts = make_facts(make_arm({"sampler": sampler}), imbalance=imbalance)
    assert HYPOTHESIS.suspicion(facts) == 0
