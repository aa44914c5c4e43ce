"""Several runs at once: other sets than one after the other, within the same budget, and always the same."""

import pytest
from tiny import FixedRates, make_arm

from plateau_cause.diagnosis import reference, together
from plateau_cause.diagnosis.search import Look

RECIPE = make_arm({"trainable": "head", "shuffle": False, "loss.label_smoothing": 0.2, "schedule.epochs": 4})
REFERENCE = make_arm({"schedule.epochs": 4})


class Crew:
    """A team that trains here, one after the other, and tells what it was asked for together."""

    def __init__(self, size):
        self.size, self.asked = size, []

    def workers(self, lab):
        return self.size

    def finish(self, lab, wanted, keep_weights):
        self.asked.append([name for _, name in wanted])
        for arm, name in wanted:
            lab.run(arm, name, keep_weights)


@pytest.fixture
def diagnose(make_lab, tmp_path):
    from tiny import tiny_diagnosis

    def run(size, **limits):
        crew = Crew(size)
        lab = make_lab(folder=tmp_path / "runs", team=crew)
        return tiny_diagnosis(lab, RECIPE, REFERENCE, **limits), crew

    return run


def test_so_many_sets_as_there_are_workers_and_never_one_twice(diagnose):
    _, crew = diagnose(3)
    assert len(crew.asked[0]) == 3 and max(len(names) for names in crew.asked) == 3
    assert all(len(set(names)) == len(names) for names in crew.asked)


def test_the_same_workers_make_the_same_runs(diagnose):
    (first, one), (second, other) = diagnose(2), diagnose(2)
    assert one.asked == other.asked and list(first.runs) == list(second.runs)
    assert repr(first.verdict) == repr(second.verdict)


def test_the_answer_is_that_of_one_worker(diagnose):
    answers = [diagnose(size)[0] for size in (1, 2, 4)]
    assert len({tuple(found.factor for found in one.verdict.causes) for one in answers}) == 1


def test_seeds_of_one_set_fill_the_workers(diagnose):
    _, crew = diagnose(2, seeds=(0, 1))
    assert len(crew.asked[0]) == 2 and crew.asked[0][1] == f"{crew.asked[0][0]}, seed 1"


class Question:
    """Always wants the cheapest set that is not taken."""

    def __init__(self, prices, value=1.0):
        self.prices, self.value = prices, value

    def price(self, broken):
        return self.prices[broken]

    def look(self, left, taken=()):
        for broken, price in self.prices.items():
            if broken not in taken and price <= left:
                return Look(broken, self.value / (1 + len(taken)), ())
        return Look(None, 0.0, ())

    def wanted(self, broken):
        return [(None, str(broken))]


def choose(questions, left, workers):
    return together.choose([(asked, asked.look(left)) for asked in questions], left, workers)


def test_questions_share_the_workers_by_what_their_runs_are_worth():
    one, other = Question({"a": 1.0, "b": 1.0}), Question({"c": 1.0}, value=0.7)
    assert choose([one, other], 9.0, 3) == [(one, "a"), (other, "c"), (one, "b")]
    assert choose([one, other], 9.0, 1) == [(one, "a")]


def test_nothing_is_taken_that_the_earlier_ones_leave_no_money_for():
    one, other = Question({"a": 2.0}), Question({"c": 2.0}, value=0.7)
    assert choose([one, other], 3.0, 4) == [(one, "a")]
    assert choose([one, other], 1.0, 4) == []


@pytest.mark.parametrize(("reached", "kept"), [(0.996, 1), (0.9, 2)])
def test_a_candidate_that_would_have_been_spared_does_not_count(
    make_lab, monkeypatch, tmp_path, reached, kept
):
    monkeypatch.setattr(reference, "validation", lambda lab, result: reached)
    monkeypatch.setattr(reference, "_enlarged", lambda lab, rates, best: None)
    monkeypatch.setattr(reference, "FITTED", 0.0)
    found = {}
    for size in (1, 2):
        crew = Crew(size)
        lab = make_lab(folder=tmp_path / str(size), team=crew)
        arm = make_arm({"schedule.epochs": 1})
        found[size] = [result.key for result in reference.train(lab, FixedRates(), arm)]
        assert len(crew.asked[0]) == size
        assert len(list((tmp_path / str(size)).glob("*.npz"))) == (2 if size == 2 else kept)
    assert found[1] == found[2] and len(found[1]) == kept
