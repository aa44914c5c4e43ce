"""The fault suite: its table is complete, its sets repeat, its scores count right, its peers' rules fire."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.diagnosis import data_faults, diagnose, faults, pretrain, rules, run, score, sets
from benchmarks.diagnosis.cases import BASES, CASES, KINDS, Case
from benchmarks.diagnosis.rules import Observed
from plateau_cause.config.params import CAUSE_NAMES
from plateau_cause.config.recipe import Recipe, put
from plateau_cause.lab.effect import Effect
from plateau_cause.training.user_code import load_user_code

OF_SCRIPTS = {"training_loop", "schedule"}  # planted in tests/capture
NOT_PLANTED = {"evaluation", "label_mapping", "split_shift", "weights_update"} | OF_SCRIPTS  # no case yet
FAULTY = [case for case in CASES if case.kind in ("single", "double")]


def test_table_covers_what_it_claims():
    planted = Counter(cause for case in FAULTY for cause in case.planted)
    kinds = Counter(case.kind for case in CASES)
    assert len(CASES) >= 48 and len({case.name for case in CASES}) == len(CASES)
    assert set(planted) == set(CAUSE_NAMES) - NOT_PLANTED and min(planted.values()) >= 2
    assert kinds["double"] >= 8 and kinds["healthy"] + kinds["harmless"] >= 12 and set(kinds) == set(KINDS)
    assert len({case.set for case in CASES}) >= 4 and len({case.backbone for case in CASES}) >= 3


def test_no_case_trains_under_the_seed_of_the_pretraining(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["run", "--seeds", "0", str(pretrain.SEED)])
    assert run.main() == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_is_well_formed(case):
    put(Recipe(), case.overrides)
    parts = [
        [getattr(faults.FAULTS[name], key) for name in case.faults] for key in ("code", "data", "weights")
    ]
    assert all(sum(value is not None for value in part) <= 1 for part in parts)
    assert case.set in sets.SETS and case.base in BASES
    assert case.code is None or load_user_code(diagnose.FORUM / f"{case.code}.py").defined
    assert len(case.planted) == {"single": 1, "double": 2, "healthy": 0}.get(case.kind, len(case.planted))
    assert case.weights in ("bundled", "none") or pretrain.WEIGHTS[case.weights].backbone == case.architecture


def test_every_forum_file_and_fault_is_used():
    used = {name for case in CASES for name in case.faults}
    twins = {fault.twin for fault in faults.FAULTS.values()} | {"double", "scratch"}
    assert set(faults.FAULTS) <= used | twins
    assert {path.stem for path in diagnose.FORUM.glob("*.py")} == {
        f.code for f in faults.FAULTS.values() if f.code
    }


def test_removing_a_cause_leaves_the_other():
    case = Case("drawings", "lite0", "all", ("head-only", "bytes"), "double")
    assert case.without("preprocessing").faults == case.only("frozen_layers").faults == ("head-only",)
    imbalanced = Case("drawings", "lite0", "all", ("imbalance",))
    assert imbalanced.without("class_imbalance").faults == ("balanced",)


@pytest.mark.parametrize("name", [*sets.SETS, "tints", "glyphs"])
def test_sets_are_deterministic_and_varied(name):
    first, labels = sets.SOURCES[name](20, seed=3)
    again, same = sets.SOURCES[name](20, seed=3)
    assert labels == same and all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(image.dtype == np.uint8 and image.shape[2] == 3 for image in first)
    assert len(set(labels)) >= 4 and len({image.tobytes() for image in first}) == 20


def test_pool_is_written_once_and_split_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(sets, "SIZES", {"train": 20, "extra": 20, "val": 10, "test": 20})
    pool = sets.write("drawings", tmp_path)
    assert pool.equals(sets.write("drawings", tmp_path))
    assert Counter(pool["split"]) == sets.SIZES
    assert pool.groupby(["split", "label"]).size().groupby("split").agg(np.ptp).max() <= 1


@pytest.fixture
def pool():
    splits = ["train"] * 40 + ["extra"] * 40 + ["val"] * 20 + ["test"] * 20
    return pd.DataFrame(
        {"image": [f"{i:03d}" for i in range(120)], "label": list("abcd") * 30, "split": splits}
    )


def test_data_faults_touch_only_what_they_should(pool):
    clean = data_faults.table(pool, None)
    assert len(clean) == 80 and clean["label"].is_monotonic_increasing
    assert len(data_faults.table(pool, "double")) == 120
    noisy = data_faults.table(pool, "noise")
    wrong = noisy["label"] != clean["label"]
    assert 0.2 < wrong[noisy["split"] != "test"].mean() < 0.6 and not wrong[noisy["split"] == "test"].any()
    mixed_up = data_faults.table(pool, "overlap")["label"] != clean["label"]
    assert mixed_up.any() and not mixed_up[clean["label"].isin(["c", "d"])].any()
    assert data_faults.table(pool, "mixed")["label"].ne(clean["label"]).any()


def test_imbalance_and_its_twin_hold_equally_many_images(pool):
    counts = {}
    for name in ("imbalance", "balanced"):
        rows = data_faults.table(pool, name)
        counts[name] = rows[rows["split"] == "train"]["label"].value_counts()
    assert counts["imbalance"].max() / counts["imbalance"].min() > 3
    assert counts["balanced"].nunique() == 1
    assert abs(counts["imbalance"].sum() - counts["balanced"].sum()) < 4


HEALTHY = Observed(
    train_loss=np.array([1.5, 0.8, 0.4, 0.2, 0.1, 0.05]),
    val_loss=np.array([1.4, 0.8, 0.42, 0.21, 0.105, 0.052]),
    train_accuracy=np.array([0.5, 0.7, 0.85, 0.9, 0.95, 0.97]),
    val_accuracy=np.array([0.5, 0.7, 0.83, 0.88, 0.93, 0.94]),
    learning_rate=5e-4,
    dropout=0.0,
    activation=None,
    loss_name="cross_entropy",
    input_low=-1.0,
    input_high=1.0,
    input_mean=0.0,
    input_size=(64, 64),
    gradients=np.full((6, 3), 1e-4),
    gradient_norms=np.full((6, 3), 0.5),
    updates=np.full((6, 3), 1e-3),
    outputs=np.eye(4)[np.arange(40) % 4] * 4 - 1,
    targets=np.arange(40) % 4,
    class_counts=np.full(4, 50),
)
STILL = np.array([[0.0, 0.0, 1e-3]] * 6)
FLAT = np.full(6, 0.3)


@pytest.mark.parametrize("name", rules.RULES)
def test_rules_are_silent_on_a_healthy_run(name):
    assert rules.RULES[name](HEALTHY) == []


@pytest.mark.parametrize(
    ("name", "change", "cause"),
    [
        ("UMLAUT rules", {"input_high": 2.6}, "preprocessing"),
        ("UMLAUT rules", {"learning_rate": 0.02}, "learning_rate_high"),
        ("UMLAUT rules", {"val_loss": np.array([1.4, 0.8, 0.9, 1.0, 1.1, 1.2])}, "limited_data"),
        ("UMLAUT rules", {"activation": "relu"}, "head"),
        ("DeepDiagnosis rules", {"input_low": -2.1}, "preprocessing"),
        ("DeepDiagnosis rules", {"updates": np.full((6, 3), 0.5)}, "learning_rate_high"),
        ("DeepDiagnosis rules", {"updates": np.full((6, 3), 1e-6)}, "learning_rate_low"),
        ("DeepDiagnosis rules", {"updates": STILL}, "frozen_layers"),
        ("AUTOTRAINER rules", {"input_mean": 120.0}, "preprocessing"),
        ("AUTOTRAINER rules", {"loss_name": "nll"}, "loss_function"),
        ("AUTOTRAINER rules", {"gradient_norms": STILL * 0}, "optimizer_parameters"),
        ("AUTOTRAINER rules", {"train_accuracy": np.array([0.5, 0.7, 0.6, 0.8, 0.7, 0.9])}, "data_order"),
        ("AUTOTRAINER rules", {"train_accuracy": FLAT, "val_accuracy": FLAT}, "training_length"),
        ("SageMaker rules", {"input_mean": -0.5}, "preprocessing"),
        ("SageMaker rules", {"train_loss": np.full(6, 2.3)}, "learning_rate_low"),
        ("SageMaker rules", {"updates": STILL}, "optimizer_parameters"),
        ("SageMaker rules", {"class_counts": np.array([100, 100, 5, 5])}, "class_imbalance"),
        ("SageMaker rules", {"outputs": np.roll(HEALTHY.outputs, 1, axis=0)}, "label_noise"),
        ("SageMaker rules", {"train_loss": np.array([1.0, 0.5] + [np.nan] * 4)}, "learning_rate_high"),
    ],
)
def test_rules_fire_on_what_they_watch(name, change, cause):
    found = rules.RULES[name](replace(HEALTHY, **change))
    assert any(cause in symptom.causes for symptom in found)


def _judged(causes, named, probability=0.9, tolerated=()):
    summary = {
        "causes": [{"cause": name, "effect": 0.1} for name in named],
        "cost": {"recipe_seconds": 1.0, "reference_seconds": 2.0, "diagnosis_seconds": 3.0},
    }
    tested = [{"cause": name, "probability": probability, "standing": "cause"} for name in named]
    answer = {"summary": summary, "judged": tested, "seconds": 1.0}
    truth = score.Truth(frozenset(causes), frozenset(tolerated))
    return score.Judged(Case("drawings", "lite0", "all"), answer, truth)


def test_scores_count_hits_misses_and_false_accusations():
    results = [
        _judged({"head"}, ["head"]),
        _judged({"head", "preprocessing"}, ["preprocessing", "resolution"]),
        _judged(set(), ["batch_norm"]),
        _judged(set(), ["limited_data"], tolerated=["limited_data"]),
        _judged(set(), []),
    ]
    found = score.scores(results)
    assert found["top1"] == 1.0 and found["false_accusations"] == 1 and found["cost_ratio"] == 1.5
    assert found["precision"] == pytest.approx(2 / 4) and found["recall"] == pytest.approx(2 / 3)
    assert not score.passes({0: results})
    assert any("false_accusations" in line for line in score.failures({0: results}))


def test_another_seed_has_to_say_the_same_first():
    one = [_judged({"head"}, ["head"]), _judged(set(), [])]
    other = [_judged({"head"}, ["head", "resolution"]), _judged(set(), ["limited_data"])]
    assert score.same_primary(one, one) == 1.0 and score.same_primary(one, other) == 0.5
    assert any("0.500 under another seed" in line for line in score.failures({0: one, 1: other}))


def test_every_probability_that_is_stated_is_calibrated():
    """Also of what is undecided or harmless; not of what is neither asked for nor an error."""
    judged = _judged({"head"}, ["head"], tolerated=["resolution"])
    others = {
        "batch_norm": ("undecided", 0.4),
        "augmentation": ("harmless", 0.02),
        "resolution": ("cause", 0.9),
    }
    judged.answer["judged"] += [
        {"cause": name, "probability": stated, "standing": standing}
        for name, (standing, stated) in others.items()
    ]
    assert score.probabilities([judged]) == [(0.9, 1), (0.4, 0), (0.02, 0)]


def test_calibration_of_honest_and_of_boastful_probabilities():
    honest = [(0.8, 1)] * 8 + [(0.8, 0)] * 2
    assert score.calibration_error(honest) == pytest.approx(0.0)
    assert score.calibration_error([(1.0, 0)] * 10) == pytest.approx(1.0)


def _gain(mean):
    return Effect(mean, 0.01, mean - 0.02, mean + 0.02)


@pytest.mark.parametrize(
    ("first", "last", "causes", "tolerated"),
    [
        ({"head": 0.2}, {"head": 0.2}, ["head"], []),
        ({"head": 0.001}, {"head": 0.001}, [], []),
        ({"head": 0.03}, {"head": 0.03}, [], ["head"]),
        # masked: it gains nothing until the other is removed
        ({"head": 0.5, "resolution": -0.1}, {"head": 0.6, "resolution": 0.1}, ["head", "resolution"], []),
        # with the other removed it is not missed
        ({"head": 0.5, "resolution": 0.2}, {"head": 0.6, "resolution": 0.0}, ["head"], ["resolution"]),
        # either does it
        ({"head": 0.5, "resolution": 0.5}, {"head": 0.0, "resolution": 0.0}, ["head", "resolution"], []),
    ],
)
def test_truth_is_what_removal_recovers(first, last, causes, tolerated):
    from benchmarks.diagnosis import truth

    removals = {name: truth.Removal(_gain(first[name]), _gain(last[name])) for name in first}
    found = truth.decide(removals, {}, {})
    assert found == {"causes": causes, "tolerated": tolerated, "alternatives": []}


def test_truth_beside_what_was_planted():
    from benchmarks.diagnosis import truth

    removals = {"head": truth.Removal(_gain(0.2), _gain(0.2))}
    found = truth.decide(removals, {"limited_data": _gain(0.06)}, {"training_length": _gain(0.1)})
    assert found == {
        "causes": ["head"],
        "tolerated": ["limited_data"],
        "alternatives": ["training_length"],
    }
    assert truth.decide({}, {"training_length": _gain(0.1)}, {})["causes"] == ["training_length"]


def test_more_images_are_those_that_a_fault_took_away_or_as_many_again():
    from benchmarks.diagnosis import truth

    assert truth._with_more_images(Case("digits", "resnet", "all", ("noise",))).data == "noise+double"
    assert truth._with_more_images(Case("digits", "resnet", "all", ("balanced",))).data is None


def test_alternatives_are_no_error_and_no_first_cause():
    judged = replace(
        _judged({"head"}, ["training_length"]),
        truth=score.Truth(frozenset({"head"}), alternatives=frozenset({"training_length"})),
    )
    assert not judged.accused and not judged.is_right
    assert np.isnan(score.scores([judged])["precision"])


@pytest.mark.slow
def test_one_case_from_images_to_table(tmp_path, monkeypatch):
    from benchmarks.diagnosis import peers, table, truth

    monkeypatch.setattr(sets, "SIZES", {"train": 60, "extra": 20, "val": 30, "test": 40})
    case = Case("drawings", "convnext", "all", ("scratch", "one-epoch"), "double")
    answer = diagnose.diagnose(case, tmp_path)
    assert diagnose.diagnose(case, tmp_path) == answer  # from the cache
    judged = score.judge(case, answer, score.truth_of(case, {}))
    rivals = peers.judge_all([judged], tmp_path)
    assert set(rules.RULES) < set(rivals) and all(found["cost"] >= 1 for found in rivals.values())
    text = table.summary({0: [judged], 1: [judged]}, rivals)
    assert (
        "UMLAUT" in text
        and "set drawings" in text
        and "seeds 0 and 1: 1.000 of 1" in text
        and case.name in table.line(judged)
    )
    page = table.markdown([judged], {case.name: {"effects": {"head": [0.1, 0.05, 0.15]}}}, text)
    assert f"| {case.name} |" in page and text in page
    hits = truth.hits(case, {"schedule.epochs": 2}, [5, 6], tmp_path)
    assert hits.shape == (2, 40) and truth.gain(hits, hits).mean == 0
