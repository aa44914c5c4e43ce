"""No sentence of the report is false: 600 random records, and what every format says of them, read back."""

import html as entities
import re

import numpy as np
import pandas as pd
import pytest

from plateau_cause import numbers
from plateau_cause.causes import data_causes, recipe_factors
from plateau_cause.pipeline.gather import _levels as gathered_levels
from plateau_cause.pipeline.gather import _plateau as gathered_plateau
from plateau_cause.report import html, markdown, text
from plateau_cause.report.content import ReportContent
from plateau_cause.report.schema import validate
from plateau_cause.report.summary import summarize
from plateau_cause.report.waterfall import steps

RECORDS, HALF = 600, 0.0005 + 1e-9  # half of the last digit of an accuracy
FACTORS = tuple(factor.name for factor in recipe_factors() if factor.name != "learning_rate")
DATA = tuple(cause.name for cause in data_causes() if cause.name != "class_imbalance")
NUMBER = r"[+−]?\d+(?:\.\d+)?"
POINTS = re.compile(rf"({NUMBER}) points(?: \[({NUMBER}), ({NUMBER})\])?")
PERCENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)%")


class Record:
    """A record of the intervene stage, as it may come: every number random, the rule's promises kept."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.limit = float(self.random.choice([0.01, 0.03, 0.1]))
        self.recipe = float(self.random.choice([0.0, 1.0, self.random.random(), self.random.random()]))
        self.found = self._found()
        self.curves = self._curves()
        self.target = float(self.random.random()) if self.random.random() < 0.3 else None

    def change(self, low=-1.0, high=1.0):
        middle = float(self.random.uniform(low, high))
        half = float(self.random.exponential(0.03)) + 1e-4
        return {"effect": middle, "ci": [max(-1.0, middle - half), min(1.0, middle + half)]}

    def standing_change(self, standing):
        """Returns a change that the rule may call so: a cause pays, what is harmless surely does not."""
        while True:
            change = self.change(
                *{"cause": (self.limit, 1.0), "harmless": (-0.6, self.limit)}.get(standing, (-0.2, 0.3))
            )
            is_harmless = change["ci"][1] < self.limit
            if standing == "undecided" or is_harmless == (standing == "harmless"):
                return change

    def finding(self, name, standing):
        change = self.standing_change(standing)
        probability = float(self.random.choice([0.9, 0.95, 0.999, 1.0])) if standing == "cause" else 0.4
        return {
            "factor": name, "cause": name, "standing": standing, "difference": f"{name}: 1 instead of 2",
            **change, "probability": probability, "alone": self.change(-0.3, 0.6), "alternatives": [],
            "evidence": ["Seen."], "fix": {"recipe.trainable": "all"}, "runs": [f"recipe + {name}"],
            "title": f"{name} is wrong", "repair": "Repair it", "explanation": "It is so.",
        }  # fmt: skip

    def _standing(self, verdict):
        kinds = ["harmless", "undecided"] + ["cause"] * (2 * (verdict == "plateau"))
        return str(self.random.choice(kinds))

    def _found(self):
        verdict = str(self.random.choice(["plateau", "healthy", "inconclusive"]))
        names = self.random.permutation(FACTORS)[: self.random.integers(0, 5)]
        findings = [self.finding(str(name), self._standing(verdict)) for name in names]
        data = [
            {
                **self.finding(str(name), self._standing("plateau")),
                "levels": self._extra(name),
                "extrapolated": True,
                "kind": "data",
            }
            for name in self.random.permutation(DATA)[: self.random.integers(0, 3)]
        ]
        runs = [self.run("recipe", self.recipe), self.run("reference", float(self.random.random()))]
        runs += [self.run(f"recipe + {item['factor']}", float(self.random.random())) for item in findings]
        best = max(runs, key=lambda run: run["val_accuracy"])
        gain, before = best["test_accuracy"] - self.recipe, self.recipe
        if verdict == "healthy":
            findings = [item for item in findings if item["standing"] != "cause"]
        return {
            "verdict": verdict, "findings": findings, "data": data, "runs": runs, "alarms": self._alarms(),
            "gap": self.change(self.limit, 1.0) if verdict == "plateau" else self.change(-0.5, 0.1),
            "recommended": {
                "name": best["name"], "before": before, "after": best["test_accuracy"],
                "recipe": {"trainable": "all"},
                "gain": {"effect": gain, "ci": [max(-1.0, gain - 0.02), min(1.0, gain + 0.02)]},
            },
            "seconds": {run["name"]: run["cost_s"] for run in runs}, "reference_seconds": 3.0,
            "test_images": int(self.random.integers(2, 400)), "seeds": int(self.random.integers(1, 4)),
        }  # fmt: skip

    def _extra(self, name):
        level = float(self.random.random())
        return {"limited_data": {"more_data": level}, "label_noise": {"label_noise_ceiling": level}}.get(
            name, {}
        )

    def _alarms(self):
        known = [
            {
                "code": "one_class",
                "words": "The recipe predicts a for 99.1% of the test images.",
                "acquits": False,
            },
            {"code": "unbalanced", "words": "Accuracy is 80%, the mean over classes 50%.", "acquits": True},
        ]
        return [alarm for alarm in known if self.random.random() < 0.2]

    def run(self, name, test):
        return {
            "name": name, "train_accuracy": float(self.random.random() ** 0.2), "test_accuracy": test,
            "val_accuracy": float(self.random.random()), "class_mean": float(self.random.random()),
            "cost_s": 1.0,
            "diverged_step": 7 if self.random.random() < 0.05 else None, "epochs": 2,
        }  # fmt: skip

    def _curves(self):
        epochs = int(self.random.integers(1, 15))
        shape = self.random.choice(["flat", "noise", "rise"])
        base = {"flat": 0.6, "noise": 0.6, "rise": np.linspace(0.1, 0.9, epochs)}[str(shape)]
        wide = {"flat": 0.01, "noise": 0.2, "rise": 0.02}[str(shape)]
        columns = {
            c: np.clip(base + wide * self.random.standard_normal(epochs), 0, 1)
            for c in ("train_accuracy", "val_accuracy")
        }
        rest = {"train_loss": 1.0, "val_loss": 1.0, "learning_rate": 1e-3}
        return pd.DataFrame({"arm": "recipe", "epoch": np.arange(1, epochs + 1), **columns, **rest})

    def summary(self):
        view = {
            "linear_probe": {"accuracy": {"test": float(self.random.random())}},
            "knn": {"accuracy": {"test": 0.4}},
        }
        probes = {
            "chance": 0.25,
            "majority": 0.3,
            "views": dict.fromkeys(("recipe", "canonical", "random"), view),
        }
        levels = gathered_levels(self.found, probes)
        state = gathered_plateau(self.found, self.curves, levels, self.limit)
        runs = {run["name"]: f"id of {run['name']}" for run in self.found["runs"]}
        return {**summarize(self.found, levels, state, self.limit, runs, self.target), "run_id": None}


@pytest.fixture(scope="module")
def told():
    """Returns every record with its summary and what the report's formats say."""
    found = []
    for seed in range(RECORDS):
        record = Record(seed)
        summary = record.summary()
        validate(summary)
        runs = [{**run, "run_id": f"id of {run['name']}", "url": None} for run in record.found["runs"]]
        content = ReportContent(summary=summary, title="t", curves=record.curves, runs=runs)
        said = {
            "md": entities.unescape(markdown.render(content, [], "plots").replace("\\", "")),
            "html": " ".join(entities.unescape(re.sub("<[^>]*>", " ", html.render(content, []))).split()),
            "text": " ".join(text.render(summary, 100).split()),
        }
        found.append((record, summary, said))
    return found


def number(said):
    return float(said.replace("−", "-"))


def is_said(said, change):
    """Returns whether a number of points (a string) is this change, as exactly as it is written."""
    digits = len(said.partition(".")[2])
    return abs(number(said) - 100 * change) <= 0.5 * 10**-digits + 1e-6


def test_every_format_says_the_headline_the_notes_and_where_the_recipe_stands(told):
    for _, summary, said in told:
        for words in [summary["headline"], *summary["notes"], *summary["would_settle"]]:
            flat = " ".join(words.split())
            assert all(flat in " ".join(shown.split()) for shown in said.values()), words


def test_the_headline_follows_from_the_numbers(told):
    seen = set()
    for record, summary, _ in told:
        words, verified = summary["headline"], summary["verified"]
        before, after = numbers.percent(verified["before"]), numbers.percent(verified["after"])
        if "instead of" in words and "reaches" in words:
            seen.add("better")
            assert verified["after"] > verified["before"] and f"{after} instead of {before}" in words
        if "more than the recipe's" in words:
            seen.add("no better")
            assert verified["after"] <= verified["before"] and f"recipe's {before}" in words
        if summary["causes"]:
            first = summary["causes"][0]
            assert words.startswith(first["title"]) and is_said(
                POINTS.search(words).group(1), first["effect"]
            )
            assert first["effect"] == max(cause["effect"] for cause in summary["causes"])
            if "if this alone stayed" in words:
                seen.add("more than the whole")
                assert first["ci"][0] > verified["ci"][1]
            if "alone it hurts" in words:
                seen.add("hurts")
                assert first["alone_ci"][1] < 0
        if "mean over classes" in words and summary["verdict"] == "plateau":
            seen.add("one class")
            ends = {run["name"]: run["class_mean"] for run in record.found["runs"]}
            means = (
                numbers.percent(ends["recipe"]),
                numbers.percent(ends[record.found["recommended"]["name"]]),
            )
            assert words.index(means[0]) < words.rindex(means[1])
    assert seen == {"better", "no better", "hurts", "one class", "more than the whole"}


def test_healthy_hides_nothing_that_was_measured(told):
    count = 0
    for record, summary, _ in told:
        if summary["verdict"] == "healthy":
            count += 1
            assert not summary["causes"] and all(alarm["acquits"] for alarm in record.found["alarms"])
        if "may still be hidden" in summary["headline"]:
            most = number(re.search(rf"at most ({NUMBER}) points", summary["headline"]).group(1)) / 100
            ends = [summary["gap"]["ci"][1], summary["verified"]["ci"][1]]
            ends += [entry["ci"][1] for entry in summary["undecided"]]
            ends += [
                level - summary["verified"]["before"]
                for name, level in summary["levels"].items()
                if name in ("knn", "linear_probe", "linear_probe_canonical", "reference")
            ]
            assert max(ends) <= most + 0.005
    assert count > 20


def test_harmless_surely_gains_too_little_and_what_is_better_surely_is(told):
    for record, summary, _ in told:
        assert all(entry["ci"][1] < record.limit for entry in summary["harmless"])
        assert not any(
            entry["ci"][1] < 0 and entry["effect"] <= -record.limit for entry in summary["harmless"]
        )
        assert all(entry["ci"][1] < 0 for entry in summary["better_as_is"])
        groups = [{e["factor"] for e in summary[key]} for key in ("harmless", "better_as_is", "undecided")]
        named = {entry["cause"] for entry in summary["causes"]}
        others = [item for item in record.found["findings"] if item["standing"] != "cause"]
        assert {item["factor"] for item in others if item["cause"] not in named} <= set().union(*groups)
        assert not groups[0] & groups[1]


def test_a_curve_stays_where_it_is_said_to(told):
    kinds = set()
    for record, summary, said in told:
        state = summary["plateau"]
        name = "Training" if state["metric"] == "train_accuracy" else "Validation"
        curve = record.curves["train_accuracy" if name == "Training" else "val_accuracy"].to_numpy()
        stays = re.search(
            rf"{name} accuracy stays (?:between )?(?:at )?(\S+?)%(?: and (\S+)%)? from epoch (\d+) on",
            said["html"],
        )
        ends = re.search(rf"{name} accuracy ends at (\S+)%", said["html"])
        assert bool(stays) != bool(ends)
        if stays:
            low, high = (number(end or stays.group(1)) / 100 for end in stays.groups()[:2])
            tail = curve[int(stays.group(3)) - 1 :]
            assert tail.min() >= low - HALF and tail.max() <= high + HALF
        else:
            assert number(ends.group(1)) / 100 == pytest.approx(curve[-1], abs=HALF)
        kinds.add((name, bool(stays)))
        assert f"test accuracy is {numbers.percent(summary['verified']['before'])}" in said["html"]
        if named := re.search(r"the level of [a-z ,]+ \((\S+)%\)", said["text"]):
            level = summary["levels"][state["explained_by"]]
            assert number(named.group(1)) / 100 == pytest.approx(level, abs=HALF)
    assert len(kinds) == 4


def test_shares_add_up_within_what_they_are_shares_of(told):
    bases = set()
    for _, summary, said in told:
        causes = [cause for cause in summary["causes"] if cause["kind"] == "recipe"]
        shares = re.findall(r"(< 1|\d+)% (of the gap|of all effects together)", said["md"])
        shares = [(0 if share == "< 1" else int(share), base) for share, base in shares]
        assert len(shares) == len(causes) and sum(share for share, _ in shares) <= 100
        together = sum(cause["effect"] for cause in causes)
        for cause, (share, base) in zip(causes, shares, strict=True):
            whole = summary["gap"]["effect"] if base == "of the gap" else together
            assert -1e-9 <= cause["effect"] / whole - share / 100 < 0.01
            bases.add(base)
    assert len(bases) == 2


def test_every_effect_is_said_alike_everywhere_and_nothing_is_certain(told):
    for _, summary, said in told:
        for entry in [
            *summary["causes"],
            *summary["harmless"],
            *summary["better_as_is"],
            *summary["undecided"],
        ]:
            words = numbers.points_with_interval(entry["effect"], entry["ci"])
            assert all(words in re.sub(r"points\*\* ", "points ", shown) for shown in said.values())
        for shown in said.values():
            assert not re.search(r"(?<![\d.])(100|0)% probability|probability (100|0)%", shown)
            for match in POINTS.finditer(shown):  # an interval holds its effect, to the digit that is written
                effect, low, high = match.groups()
                if low is not None:
                    digit = 10 ** -len(effect.partition(".")[2])
                    assert number(low) - digit <= number(effect) <= number(high) + digit


def test_the_waterfall_goes_from_zero_to_the_top_by_what_was_measured(told):
    for _, summary, _ in told:
        bars = {bar.label: bar for bar in steps(summary)}
        own = bars["Your recipe"]
        assert own.end == summary["verified"]["before"]
        assert own.start == (0.25 if own.end >= 0.25 else 0.0)  # below chance it is no bar from chance down
        assert bars["Recommended recipe"].end == summary["verified"]["after"]
        is_blamed = any(cause["cause"] == "label_noise" for cause in summary["causes"])
        assert is_blamed or "Wrong test labels" not in bars
        for bar in bars.values():
            shown = PERCENT.match(bar.value)
            if shown:
                assert number(shown.group(1)) / 100 == pytest.approx(bar.end, abs=HALF)
            else:
                assert is_said(POINTS.match(bar.value).group(1), bar.end - bar.start)


def test_best_is_what_did_best_on_validation_images(told):
    for record, _, said in told:
        runs = {run["name"]: run["val_accuracy"] for run in record.found["runs"]}
        assert runs[record.found["recommended"]["name"]] == max(runs.values())
        assert "best recipe measured" not in said["html"] + said["md"]


def test_notes_say_what_the_record_says(told):
    for record, summary, _ in told:
        notes = " ".join(summary["notes"])
        diverged = [run for run in record.found["runs"] if run["diverged_step"] is not None]
        assert notes.count("from step 7 on") == len(diverged)
        assert ("test images: an effect below" in notes) == (summary["test_images"] < 100)
        assert (f"means over {record.found['seeds']} seeds" in notes) == (record.found["seeds"] > 1)
        if record.target is not None:
            before, after = summary["verified"]["before"], summary["verified"]["after"]
            by = (
                "as it stands."
                if before >= record.target
                else "not by"
                if after >= record.target
                else "missed by"
            )
            assert by in notes
