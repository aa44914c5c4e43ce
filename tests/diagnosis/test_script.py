"""The diagnosis by replay on scripts with known values: faults are named, choices that do not pay are not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from plateau_cause.config.params import Diagnosis
from plateau_cause.diagnosis import script_scale
from plateau_cause.diagnosis.script import ScriptSearch, renamed
from plateau_cause.diagnosis.script_record import record
from plateau_cause.errors import PlateauError

IMAGES = 200


@dataclass
class Fault:
    name: str
    cause: str = "training_loop"
    prior: float = 0.8
    is_sure: bool = True
    words: str = "something stands out"
    difference: str = "this instead of that"
    location: dict | None = field(default_factory=lambda: {"file": "train.py", "line": 7})
    patch: str | None = None
    title: str = ""
    repair: str = ""
    explanation: str = ""
    cost: float = 1.0


@dataclass
class Done:
    content: dict
    all_hits: np.ndarray
    interventions: frozenset
    untaken: dict
    seed: int


class Bench:
    """Runs whose accuracy is a function of what is repaired; images differ a little from run to run."""

    def __init__(self, accuracy, untaken=(), failing=()):
        self.accuracy, self.untaken, self.failing = accuracy, frozenset(untaken), frozenset(failing)
        self.asked = []

    def run(self, interventions, seed):
        self.asked.append((interventions, seed))
        if interventions & self.failing:
            raise PlateauError("train.py raised ValueError at train.py:3: no")
        took = frozenset(interventions) - self.untaken
        order = np.random.default_rng(0).permutation(IMAGES)
        hits = np.zeros(IMAGES, np.uint8)
        hits[order[: round(IMAGES * self.accuracy(took))]] = 1
        noisy = np.random.default_rng([seed, *map(len, sorted(took))]).choice(IMAGES, 4)
        hits[noisy] = 1 - hits[noisy]
        splits = {"val": {"accuracy": float(hits.mean()), "images": IMAGES, "classes": 4, "majority": 0.25}}
        content = {"seconds": 1.0, "train_accuracy": 0.9, "evaluations": splits, "epochs": []}
        words = dict.fromkeys(interventions & self.untaken, "nothing was there to change")
        return Done(content, hits, took, words, seed)


def search(bench, *faults, asks=(), **limits):
    factors = {one.name: one for one in faults}
    asked = ScriptSearch(bench, Diagnosis(**limits), factors, asks)
    return renamed(asked.diagnose())


def causes(found):
    return [finding.factor for finding in found.verdict.causes]


def test_a_fault_that_costs_is_the_cause():
    bench = Bench(lambda took: 0.9 if "clear" in took else 0.5)
    found = search(bench, Fault("clear"))
    assert (found.verdict.verdict, causes(found)) == ("plateau", ["clear"])
    assert list(found.runs) == ["recipe", "reference"]


@pytest.mark.parametrize(("before", "after", "is_named"), [(0.12, 0.24, False), (0.12, 0.45, True)])
def test_what_ends_at_chance_has_repaired_nothing(before, after, is_named):
    """Labels that belong to other images, say: a luckier run at chance is no better one."""
    found = search(Bench(lambda took: after if "rate" in took else before), Fault("rate"))
    assert causes(found) == ["rate"] * is_named
    assert (found.verdict.verdict == "plateau") is is_named
    if not is_named:
        assert {one["standing"] for one in record(found, 0.03)["findings"]} == {"undecided"}


def test_a_fact_that_costs_nothing_is_harmless():
    bench = Bench(lambda took: 0.9)
    found = search(bench, Fault("clear"), max_cost=4.0)
    assert found.verdict.verdict == "healthy"
    assert causes(found) == []


def test_of_two_facts_only_the_one_that_costs_is_named():
    bench = Bench(lambda took: 0.9 if "labels" in took else 0.3)
    found = search(bench, Fault("clear"), Fault("labels", cause="label_mapping"), max_cost=4.0)
    assert causes(found) == ["labels"]
    assert len(bench.asked) <= 5


def test_a_choice_that_makes_it_worse_is_no_reference():
    bench = Bench(lambda took: 0.4 + 0.5 * ("clear" in took) - 0.3 * ("unfreeze" in took))
    found = search(bench, Fault("clear"), Fault("unfreeze", is_sure=False), max_cost=4.0)
    assert causes(found) == ["clear"]
    assert [factor.name for factor in found.factors] == ["clear"]


def test_a_frozen_network_that_learns_more_is_the_cause():
    bench = Bench(lambda took: 0.9 if "unfreeze" in took else 0.6)
    found = search(bench, Fault("unfreeze", cause="frozen_layers", is_sure=False))
    assert causes(found) == ["unfreeze"]


def test_a_rate_is_tried_where_the_curves_ask_for_it():
    bench = Bench(lambda took: 0.9 if "rate" in took else 0.4)
    rate = Fault("rate", cause="learning_rate_high", is_sure=False)
    found = search(bench, asks=[lambda run, room: [rate]])
    assert causes(found) == ["rate"]


def test_a_rate_that_gains_nothing_beside_a_repair_is_no_part_of_the_game():
    reached = {"": 0.88, "rate": 0.2, "unfreeze": 0.95, "rate unfreeze": 0.955}
    bench = Bench(lambda took: reached[" ".join(sorted(took))])
    rate = Fault("rate", cause="learning_rate_high", is_sure=False)
    found = search(bench, Fault("unfreeze", is_sure=False), asks=[lambda run, room: [rate]])
    assert [factor.name for factor in found.factors] == ["unfreeze"]
    assert found.verdict.causes[0].effect.mean < 0.12  # and not what it is worth under that rate


def longer(run, room, name="longer"):
    times = min(3, int(room))
    return [Fault(name, cause="training_length", is_sure=False, cost=float(times))] if times > 1 else []


def test_a_training_that_ends_too_early_is_tried_longer():
    bench = Bench(lambda took: 0.9 if "longer" in took else 0.4)
    found = search(bench, asks=[longer])
    assert causes(found) == ["longer"]
    assert found.factors[0].cost == 3.0  # as much as there is room for


@pytest.mark.parametrize(("room", "times"), [(2.0, None), (3.5, 2.0)])
def test_a_longer_training_is_as_long_as_there_is_room_for(room, times):
    bench = Bench(lambda took: 0.3 + 0.3 * ("clear" in took) + 0.3 * ("longer" in took))
    found = search(bench, Fault("clear"), asks=[longer], max_cost=room)
    assert next((one.cost for one in found.factors if one.name == "longer"), None) == times


@pytest.mark.parametrize("losses", [[1.4, 0.9], [1.4, 1.38]])
def test_a_training_that_cannot_be_made_longer_is_not_acquitted(losses):
    bench = Bench(lambda took: 0.6, untaken=("training_length",))
    found = search(bench, asks=[lambda run, room: longer(run, room, "training_length")])
    epochs = [
        {"training": {"loss": loss, "accuracy": 0.6}, "moved": None, "evaluations": []} for loss in losses
    ]
    runs = {
        "recipe": replace(found.runs["recipe"], content={**found.runs["recipe"].content, "epochs": epochs})
    }
    told = record(replace(found, runs=runs), 0.03)
    assert [one["acquits"] for one in told["alarms"]] == ([False] if losses[-1] < 1 else [])


def test_what_curves_suggest_one_after_the_other_adds_up():
    gains = {"clear": 0.3, "longer": 0.3, "rate": -0.2}
    bench = Bench(lambda took: 0.3 + sum(gains[name] for name in took))
    rate = Fault("rate", cause="learning_rate_high", is_sure=False)
    found = search(bench, Fault("clear"), asks=[lambda run, room: [rate], longer], max_cost=9.0)
    assert sorted(factor.name for factor in found.factors) == ["clear", "longer"]


def test_what_there_is_no_room_for_is_not_tried():
    bench = Bench(lambda took: 0.9 if "dear" in took else 0.4)
    dear = Fault("dear", cause="training_length", is_sure=False, cost=3.0)
    found = search(bench, asks=[lambda run, room: [dear]], max_cost=2.5)
    assert [took for took, _ in bench.asked] == [frozenset()]
    assert found.factors == ()


def test_a_longer_training_that_gains_nothing_is_none_of_the_reference():
    bench = Bench(lambda took: 0.9 if "clear" in took else 0.4)
    found = search(bench, Fault("clear"), asks=[longer], max_cost=6.0)
    assert causes(found) == ["clear"]
    spent = sum(3.0 if "longer" in took else 1.0 for took, _ in bench.asked[1:])
    assert spent <= 6.0


def test_what_does_not_take_judges_nothing():
    bench = Bench(lambda took: 0.9 if "labels" in took else 0.4, untaken=("clear",))
    found = search(bench, Fault("clear"), Fault("labels", cause="label_mapping"))
    assert causes(found) == ["labels"]
    assert found.left_out == {"clear": "nothing was there to change"}
    assert list(found.untried.values()) == ["nothing was there to change"]


def test_a_change_that_breaks_the_script_is_left_out():
    bench = Bench(lambda took: 0.9 if "labels" in took else 0.4, failing=("clear",))
    found = search(bench, Fault("clear"), Fault("labels", cause="label_mapping"))
    assert causes(found) == ["labels"]
    assert "the script failed: train.py raised ValueError" in found.left_out["clear"]


def test_of_changes_that_only_break_the_script_together_the_best_is_kept():
    bench = Bench(lambda took: 0.9 if "labels" in took else 0.4)
    run = bench.run

    def failing(interventions, seed):
        if len(interventions) > 1:
            raise PlateauError("train.py raised OverflowError")
        return run(interventions, seed)

    bench.run = failing
    found = search(bench, Fault("clear"), Fault("labels", cause="label_mapping"))
    assert causes(found) == ["labels"]
    assert found.left_out == {"clear": "with the other changes at once the script failed"}


def test_where_there_is_nothing_to_gain_nothing_is_run():
    bench = Bench(lambda took: 1.0)
    bench.accuracy = lambda took: 1.0
    found = search(bench, Fault("clear"), min_effect=0.1)
    assert found.verdict is None
    assert bench.asked == [(frozenset(), 0)]


def test_a_script_that_fails_is_an_error():
    class Failing(Bench):
        def run(self, interventions, seed):
            raise PlateauError("train.py raised ValueError")

    with pytest.raises(PlateauError):
        search(Failing(lambda took: 0.5))


def test_the_record_says_where_and_what_was_measured():
    bench = Bench(lambda took: 0.9 if "clear" in took else 0.5)
    found = record(search(bench, Fault("clear", patch="--- a\n")), 0.03)
    one = found["findings"][0]
    assert (one["standing"], one["cause"], one["location"]["line"]) == ("cause", "training_loop", 7)
    assert one["patch"] == "--- a\n"
    assert one["fix"] == {}
    assert one["runs"] == ["reference"]
    assert one["evidence"][1].startswith("Repaired alone in the script: held-out accuracy +")
    assert found["recommended"]["interventions"] == ["clear"]
    assert found["levels"] == {"chance": 0.25, "majority": 0.25}


def test_the_record_of_a_script_in_which_nothing_stands_out():
    found = record(search(Bench(lambda took: 0.8)), 0.03)
    assert (found["verdict"], found["gap"], found["findings"]) == ("healthy", None, [])
    assert found["recommended"]["after"] is None


def test_nothing_is_recommended_in_place_of_a_healthy_script():
    found = search(Bench(lambda took: 0.81 if took else 0.8), Fault("rate", is_sure=False), max_cost=5.0)
    told = record(found, 0.03)
    assert told["verdict"] == "healthy" and len(told["runs"]) > 1
    assert (told["recommended"]["name"], told["recommended"]["after"]) == ("recipe", None)


def test_what_does_best_does_so_on_the_mean_of_its_seeds():
    reached = {frozenset("a"): 0.9, frozenset("ab"): 0.88, frozenset("b"): 0.6}
    found = search(Bench(lambda took: reached.get(took, 0.6)), Fault("a"), Fault("b"), max_cost=8.0)
    runs = {**found.runs, "lucky": replace(found.runs["reference"], all_hits=np.ones(IMAGES, np.uint8))}
    runs["luckless"] = replace(found.runs["reference"], all_hits=np.zeros(IMAGES, np.uint8))
    told = record(replace(found, runs=runs), 0.03)
    assert told["recommended"]["interventions"] == ["a"]


def test_what_is_harmless_is_not_recommended_for_a_little_luck():
    bench = Bench(lambda took: 0.9 if "clear" in took else 0.5)
    found = search(bench, Fault("clear"), Fault("clean", is_sure=False), max_cost=8.0)
    alone = next(run for run in found.runs.values() if run.interventions == {"clear"})
    lucky = alone.all_hits.copy()
    lucky[np.flatnonzero(lucky == 0)[:4]] = 1  # 2 points
    both = next(name for name, run in found.runs.items() if run.interventions == {"clean", "clear"})
    found = replace(found, runs={**found.runs, both: replace(found.runs[both], all_hits=lucky)})
    assert causes(found) == ["clear"]
    assert record(found, 0.03)["recommended"]["interventions"] == ["clear"]
    assert record(found, 0.01)["recommended"]["interventions"] == ["clean", "clear"]


def test_of_two_that_suffice_one_is_recommended():
    found = search(Bench(lambda took: 0.9 if took else 0.5), Fault("a"), Fault("b"), max_cost=8.0)
    assert len(record(found, 0.03)["recommended"]["interventions"]) == 1


def test_what_stands_out_where_nothing_is_left_to_gain_is_said_and_not_tried():
    bench = Bench(lambda took: 1.0)
    bench.run = lambda interventions, seed, run=bench.run: replace(
        run(interventions, seed), all_hits=np.ones(IMAGES, np.uint8)
    )
    found = search(bench, Fault("clear", words="gradients pile up (train.py:7)"))
    assert [one for one, _ in bench.asked] == [frozenset()]
    assert found.left_out["clear"].startswith("gradients pile up (train.py:7); it cannot cost")


class TestPart:
    """Replays on a part of the images, the script and its repairs once on all."""

    @staticmethod
    def answer(of_part, of_all, *faults):
        part, whole = Bench(of_part), Bench(of_all)
        found = renamed(
            ScriptSearch(
                part, Diagnosis(), {one.name: one for one in faults}, price=0.1, reserve=1.0
            ).diagnose()
        )
        confirmed = script_scale.confirm(found, whole, 0, 0.03)
        made = script_scale.with_all(record(found, 0.03), confirmed, 1_500, 20_000, 0.03)
        return made, whole

    def test_what_both_show_is_the_cause(self):
        made, whole = self.answer(
            lambda took: 0.8 if "clear" in took else 0.4,
            lambda took: 0.9 if "clear" in took else 0.6,
            Fault("clear"),
        )
        assert made["verdict"] == "plateau"
        assert [one["standing"] for one in made["findings"]] == ["cause"]
        assert made["scale"]["confirmed"] is True
        assert (made["recommended"]["before"], made["recommended"]["after"]) == pytest.approx(
            (0.6, 0.9), abs=0.03
        )
        assert whole.asked == [(frozenset(), 0), (frozenset({"clear"}), 0)]
        assert [run["name"] for run in made["runs"]][-2:] == ["recipe, all images", "reference, all images"]

    def test_what_a_part_alone_shows_accuses_nobody(self):
        made, _ = self.answer(lambda took: 0.8 if "clear" in took else 0.4, lambda took: 0.9, Fault("clear"))
        assert made["verdict"] == "inconclusive"
        assert [one["standing"] for one in made["findings"]] == ["undecided"]
        assert (made["recommended"]["name"], made["recommended"]["after"]) == ("recipe", None)

    def test_healthy_on_both_is_healthy(self):
        made, _ = self.answer(lambda took: 0.9, lambda took: 0.9, Fault("clear"))
        assert (made["verdict"], made["scale"]["confirmed"]) == ("healthy", True)

    def test_where_nothing_stands_out_nothing_is_confirmed(self):
        made, whole = self.answer(lambda took: 0.9, lambda took: 0.92)
        assert (made["verdict"], made["scale"]["confirmed"]) == ("healthy", None)
        assert whole.asked == [(frozenset(), 0)]

    def test_runs_are_cheap(self):
        bench = Bench(lambda took: 0.4 + 0.1 * len(took))
        faults = {name: Fault(name) for name in "abcd"}
        search = ScriptSearch(bench, Diagnosis(max_cost=2.0), faults, price=0.1, reserve=1.0)
        search.diagnose()
        assert 3 < len(bench.asked) <= 10
