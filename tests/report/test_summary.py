"""The verdict, the causes and the headline follow from what was measured."""

from copy import deepcopy

import pytest

from plateau_cause.report.schema import validate
from plateau_cause.report.summary import describe_plateau, label_map, summarize

MIN_EFFECT = 0.03
LEVELS = {
    "chance": 0.1,
    "majority": 0.12,
    "knn": 0.7,
    "linear_probe": 0.72,
    "linear_probe_canonical": 0.8,
    "random_features": 0.5,
    "reference": 0.95,
}


REACHED = {name: min(level, 0.7) for name, level in LEVELS.items()}  # nothing was measured above the recipe


def measured(effect, half=0.02):
    return {"effect": effect, "ci": [effect - half, effect + half], "probability": 1.0}


def swap(cause, effect, half=0.02, standing=None, **values):
    stands = "cause" if effect - half > 0 and effect >= MIN_EFFECT else "harmless"
    return {
        "factor": cause,
        "cause": cause,
        "standing": standing or stands,
        "difference": "a: 1 instead of 2",
        **measured(effect, half),
        "need": measured(effect, half),
        "alone": measured(effect, half),
        "alternatives": [],
        "evidence": ["Seen."],
        "fix": {"recipe.trainable": "all"},
        "runs": [f"recipe + {cause}"],
        "title": cause.replace("_", " ").capitalize(),
        "repair": "Repair it",
        "explanation": "It is so.",
        **values,
    }


def data(cause, effect, half=0.02, standing="cause", **values):
    return {
        **swap(cause, effect, half, standing),
        "fix": {"data": "more"},
        "runs": ["best - half of the images"],
        "kind": "data",
        "levels": {"more_data": 0.97},
        "extrapolated": True,
        **values,
    }


def run(name, test, train=0.7, **values):
    return {
        "name": name,
        "train_accuracy": train,
        "val_accuracy": test,
        "test_accuracy": test,
        "class_mean": test,
        "diverged_step": None,
        "epochs": 3,
        "cost_s": 1.0,
        **values,
    }


FOUND = {
    "gap": measured(0.25),
    "verdict": "plateau",
    "findings": [swap("preprocessing", 0.01), swap("frozen_layers", 0.2), swap("learning_rate_low", 0.05)],
    "data": [],
    "alarms": [],
    "recommended": {
        "name": "reference",
        "recipe": {"trainable": "all"},
        "weights": "bundled",
        "before": 0.7,
        "after": 0.95,
        "gain": measured(0.25),
    },
    "runs": [run("recipe", 0.7), run("reference", 0.95), run("recipe + frozen_layers", 0.9)],
    "seconds": {"recipe": 2.0, "reference": 5.0, "recipe + frozen_layers": 4.0},
    "reference_seconds": 7.0,
    "extra_seconds": 0.5,
    "train_loss": 1.0,
    "num_classes": 10,
    "test_images": 360,
    "seeds": 1,
}


HEALTHY = {
    "verdict": "healthy",
    "gap": measured(0.0),
    "findings": [swap("frozen_layers", 0.0)],
    "recommended": {**FOUND["recommended"], "name": "recipe", "after": 0.7, "gain": measured(0.0)},
}


def summary(plateau=None, target=None, levels=None, **changes):
    found = {**deepcopy(FOUND), **changes}
    state = plateau or describe_plateau(found["runs"][0], 0.7, 2, "linear_probe", (0.69, 0.71))
    runs = {"recipe": "a1", "reference": "b2", "recipe + frozen_layers": "c3"}
    known = LEVELS if levels is None else levels
    made = summarize(found, known, state, MIN_EFFECT, runs, target)
    validate({**made, "run_id": None})
    return made


class TestPlateau:
    def test_causes_are_ranked_and_the_rest_is_harmless(self):
        made = summary()
        assert made["verdict"] == "plateau"
        assert [cause["cause"] for cause in made["causes"]] == ["frozen_layers", "learning_rate_low"]
        assert [entry["factor"] for entry in made["harmless"]] == ["preprocessing"]
        assert made["causes"][0]["share"] == pytest.approx(0.8)
        assert made["causes"][0]["runs"] == ["c3"]
        assert made["causes"][1]["runs"] == []

    def test_the_headline_says_cause_worth_and_what_is_reached(self):
        headline = summary()["headline"]
        assert "+20 points" in headline
        assert "95% instead of 70%" in headline

    def test_what_the_repaired_script_has_besides_its_causes_is_said(self):
        taken = {**FOUND["recommended"], "interventions": ["frozen_layers", "training_clean"]}
        given = {"subject": "script", "findings": [swap("frozen_layers", 0.2)]}
        said = summary(**given, recommended=taken)["headline"]
        assert "the repaired script, with no random changes in training besides, reaches 95%" in said
        alone = {**taken, "interventions": ["frozen_layers"]}
        assert "the repaired script reaches 95%" in summary(**given, recommended=alone)["headline"]
        assert "besides" not in summary(recommended=taken)  # a recipe is shown whole

    def test_a_cause_worth_more_than_all_repairs_gain_is_what_the_repaired_training_would_lose(self):
        headline = summary(findings=[swap("frozen_layers", 0.66)])["headline"]
        assert headline == (
            "Frozen layers: the recommended recipe reaches 95% instead of 70%, and would lose 66 points of "
            "test accuracy if this alone stayed."
        )

    def test_cost_counts_every_second_once(self):
        assert summary()["cost"] == {
            "recipe_seconds": 2.0,
            "reference_seconds": 7.0,
            "diagnosis_seconds": pytest.approx(4.0 + 7.0 + 0.5),
        }

    def test_verified_by_a_run(self):
        assert summary()["verified"] == {"before": 0.7, "after": 0.95, "effect": 0.25, "ci": [0.23, 0.27]}

    @pytest.mark.parametrize(
        ("target", "said"),
        [
            (0.6, "reached by the recipe as it stands"),
            (0.9, "reached by the recommended recipe"),
            (0.97, "missed by the recommended recipe by 2.0 points"),
        ],
    )
    def test_the_target_is_reached_or_missed(self, target, said):
        assert said in summary(target=target)["notes"][0]

    def test_no_target_no_word_about_it(self):
        assert not any("target" in note for note in summary()["notes"])

    def test_what_is_not_decided_is_neither_blamed_nor_called_harmless(self):
        made = summary(
            findings=[swap("frozen_layers", 0.2), swap("head", 0.05, half=0.06, standing="undecided")]
        )
        assert [cause["cause"] for cause in made["causes"]] == ["frozen_layers"]
        assert made["harmless"] == []
        assert [entry["factor"] for entry in made["undecided"]] == ["head"]
        assert any("head (+5.0 points [−1.0, 11.0])" in note for note in made["notes"])
        assert made["would_settle"]

    def test_nothing_is_decided_again(self):
        """Whatever the numbers, it is the record that says what stands where."""
        made = summary(
            findings=[swap("frozen_layers", 0.2, standing="harmless"), swap("head", 0.001, standing="cause")]
        )
        assert [cause["cause"] for cause in made["causes"]] == ["head"]
        assert [entry["factor"] for entry in made["harmless"]] == ["frozen_layers"]

    def test_either_of_two_repairs_is_said_as_such(self):
        made = summary(
            findings=[
                swap("frozen_layers", 0.2, alternatives=["learning_rate_low"]),
                swap("learning_rate_low", 0.19, alternatives=["frozen_layers"]),
            ]
        )
        assert made["causes"][0]["alternatives"] == ["learning_rate_low"]
        assert "so may, in its place: learning rate low" in made["headline"]

    def test_what_hurts_alone_is_said_to(self):
        made = summary(findings=[swap("frozen_layers", 0.2, alone=measured(-0.1))])
        assert made["causes"][0]["alone"] == -0.1 and "(alone it hurts)" in made["headline"]

    def test_shares_have_one_base_and_do_not_exceed_it(self):
        made = summary(findings=[swap("frozen_layers", 0.2), swap("head", 0.2)])
        assert sum(cause["share"] for cause in made["causes"]) == pytest.approx(1.0)

    def test_a_gap_without_a_cause_names_what_is_open(self):
        made = summary(findings=[swap("frozen_layers", 0.2, standing="undecided")])
        assert (made["verdict"], made["causes"]) == ("plateau", [])
        assert "which of its changes does it is not decided (frozen layers)" in made["headline"]

    def test_data_cause_beside_a_healthy_recipe(self):
        made = summary(**HEALTHY, data=[data("limited_data", 0.08)])
        assert made["verdict"] == "plateau"
        assert [(cause["cause"], cause["kind"]) for cause in made["causes"]] == [("limited_data", "data")]
        assert made["causes"][0]["share"] is None
        assert made["levels"]["more_data"] == 0.97
        assert "the recipe stands at 70%" in made["headline"]

    def test_what_is_a_cause_in_the_data_is_not_harmless_in_the_recipe(self):
        """A size between recipe and reference may do nothing where twice as much is asked of both."""
        told = summary(**{**HEALTHY, "findings": [swap("resolution", 0.002)]}, data=[data("resolution", 0.1)])
        assert [cause["cause"] for cause in told["causes"]] == ["resolution"]
        assert told["harmless"] == told["undecided"] == []

    def test_the_largest_comes_first_whatever_its_kind(self):
        made = summary(data=[data("label_noise", 0.1)])
        assert [cause["cause"] for cause in made["causes"]] == [
            "frozen_layers",
            "label_noise",
            "learning_rate_low",
        ]


ONE_CLASS = {"code": "one_class", "words": "The recipe predicts other for all.", "acquits": False}


class TestOneClass:
    """95 % of the images are of one class: all that can be gained in accuracy is 5 points."""

    def made(self, class_mean):
        runs = [run("recipe", 0.955, class_mean=0.5), run("reference", 0.987, class_mean=class_mean)]
        best = {**FOUND["recommended"], "before": 0.955, "after": 0.987, "gain": measured(0.032)}
        open_one = swap("frozen_layers", 0.013, standing="undecided")
        found = {
            "verdict": "inconclusive",
            "gap": measured(0.024),
            "alarms": [ONE_CLASS],
            "findings": [open_one],
        }
        return summary(**{**found, "runs": runs, "recommended": best})

    def test_another_run_that_tells_the_classes_apart_makes_it_a_plateau(self):
        made = self.made(0.87)
        assert (made["verdict"], made["causes"]) == ("plateau", [])
        assert made["headline"].startswith("The recipe predicts one class for nearly all test images")
        assert "mean over classes is 50%" in made["headline"] and "of 87%" in made["headline"]
        assert "98.7% instead of 95.5%" in made["headline"] and "frozen layers" in made["headline"]
        assert made["notes"][0] == ONE_CLASS["words"]

    def test_where_no_run_does_nothing_is_decided_and_the_alarm_leads(self):
        made = self.made(0.52)
        assert made["verdict"] == "inconclusive"
        assert made["headline"].endswith(f"but: {ONE_CLASS['words']}")


class TestOther:
    def test_healthy_says_how_much_may_still_be_hidden(self):
        made = summary(**{**HEALTHY, "gap": measured(0.0, half=0.031)}, levels=REACHED)
        assert (made["verdict"], made["causes"]) == ("healthy", [])
        assert made["headline"].startswith("Nothing to repair was found: the recipe reaches 70%")
        assert "at most 3.1 points may still be hidden with 360 test images" in made["headline"]
        assert made["would_settle"] == []

    def test_a_better_run_on_the_page_is_not_hidden(self):
        better = {**FOUND["recommended"], "after": 0.72, "gain": measured(0.02, half=0.025)}
        made = summary(**{**HEALTHY, "recommended": better}, levels=REACHED)
        assert "at most 4.5 points" in made["headline"]

    def test_neither_is_a_probe_that_is_ahead(self):
        made = summary(**HEALTHY, levels={**REACHED, "linear_probe": 0.78})
        assert "at most 8.0 points" in made["headline"]

    def test_healthy_with_a_low_training_accuracy_says_why(self):
        def said(train):
            runs = [run("recipe", 0.7, train=train), *FOUND["runs"][1:]]
            made = summary(**HEALTHY, runs=runs)
            return any("Training accuracy is the lower one" in note for note in made["notes"])

        assert said(0.6) and not said(0.99) and not said(0.69)  # by chance

    def test_healthy_on_copies_of_training_images_says_so_first(self):
        said = "12% of the test images are copies of training images: test accuracy says little."
        alarm = {"code": "leaked_test", "words": said, "acquits": True}
        made = summary(**{**HEALTHY, "alarms": [alarm]}, levels=REACHED)
        assert made["verdict"] == "healthy" and made["headline"].endswith(f"; but {said}")

    def test_inconclusive_says_what_would_settle_it(self):
        made = summary(
            verdict="inconclusive",
            gap=measured(0.05, half=0.08),
            findings=[
                swap("head", 0.05, 0.08, standing="undecided", location={"file": "train.py", "line": 41}),
                swap("frozen_layers", 0.01, 0.08, standing="undecided"),
            ],
        )
        assert (made["verdict"], made["causes"]) == ("inconclusive", [])
        assert "first to look at: train.py:41: Head (+5.0 points [−3.0, 13.0])" in made["headline"]
        assert made["headline"].startswith("Undecided")
        assert "diagnosis.seeds" in made["would_settle"][0]

    def test_what_is_open_about_the_data_is_not_called_healthy(self):
        left = data("label_noise", 0.04, half=0.06, standing="undecided", probability=0.6)
        made = summary(**{**HEALTHY, "data": [left]})
        assert (made["verdict"], made["causes"]) == ("inconclusive", [])
        assert "label noise (+4.0 points" in " ".join(made["notes"])
        unlikely = data("label_noise", 0.01, standing="undecided", probability=0.1)
        assert summary(**{**HEALTHY, "data": [unlikely]})["verdict"] == "healthy"

    def test_no_difference_and_no_swap(self):
        assert summary(**{**HEALTHY, "findings": []})["harmless"] == []

    def test_few_test_images_are_said(self):
        assert any("18 test images" in note for note in summary(test_images=18)["notes"])
        assert not any("test images" in note for note in summary()["notes"])


class TestDescribe:
    def test_training_accuracy_that_is_stuck(self):
        found = describe_plateau(run("recipe", 0.68, train=0.72), 0.71, 3, "linear_probe")
        assert (found["metric"], found["level"], found["from_epoch"]) == ("train_accuracy", 0.71, 3)

    def test_memorised_images_leave_the_test_accuracy(self):
        found = describe_plateau(run("recipe", 0.68, train=0.99), 0.67, 3, None, (0.66, 0.68))
        assert (found["metric"], found["level"]) == ("test_accuracy", 0.68)
        assert found["curve"] == {"name": "val_accuracy", "level": 0.67, "range": [0.66, 0.68]}

    def test_nothing_trained(self):
        found = describe_plateau({**run("recipe", 0.1), "train_accuracy": None}, 0.0, None, "chance")
        assert found["metric"] == "train_accuracy"


def test_run_ids_by_name():
    records = [
        {"name": "finetune@recipe", "run_id": "a", "children": {}},
        {"name": "finetune@reference", "run_id": None, "children": {}},
        {"name": "intervene", "run_id": "i", "children": {"recipe + head": "h", "off": None}},
        {"name": "embed", "run_id": "e"},
    ]
    assert label_map(records) == {"recipe": "a", "recipe + head": "h"}
