"""Cause, alternative, harmless, undecided; plateau, healthy, inconclusive: each planted."""

import json

import numpy as np
import pytest
from by_hand import finding, game_of, hits, judged, played

EVERY = ["", "a", "b", "c", "ab", "ac", "bc", "abc"]


def standing(verdict):
    return {found.factor: found.standing for found in verdict.findings}


def test_a_cause_among_harmless_differences():
    verdict = judged(played(game_of("abc"), lambda broken: 0.1 * ("b" in broken), EVERY))
    assert verdict.verdict == "plateau"
    assert standing(verdict) == {"a": "harmless", "b": "cause", "c": "harmless"}
    found = finding(verdict, "b")
    assert found.effect is found.need and found.alternatives == ()
    assert found.probability > 0.95 > 0.05 > finding(verdict, "a").probability


def test_the_largest_cause_comes_first():
    loss = {"a": 0.06, "b": 0.2, "c": 0.1}
    verdict = judged(played(game_of("abc"), lambda broken: sum(loss[name] for name in broken), EVERY))
    assert [found.factor for found in verdict.causes] == ["b", "c", "a"]


def test_either_of_two_repairs_suffices_and_each_names_the_other():
    verdict = judged(played(game_of("abc"), lambda broken: 0.15 * (broken >= {"a", "b"}), EVERY))
    one, other, third = (finding(verdict, letter) for letter in "abc")
    assert (one.standing, other.standing, third.standing) == ("cause", "cause", "harmless")
    assert (one.alternatives, other.alternatives, third.alternatives) == (("b",), ("a",), ())
    assert one.effect is one.alone and one.effect.mean == pytest.approx(0.15, abs=0.01)
    assert one.need.mean == pytest.approx(0.0, abs=0.01)


def test_masked_causes_are_no_alternatives():
    verdict = judged(played(game_of("abc"), lambda broken: 0.15 * bool(broken & {"a", "b"}), EVERY))
    for letter in "ab":
        found = finding(verdict, letter)
        assert (found.standing, found.alternatives) == ("cause", ())
        assert found.effect is found.need and found.alone.mean == pytest.approx(0.0, abs=0.01)


def test_what_hurts_alone_and_pays_later_is_a_cause():
    def loss(broken):
        return 0.1 * len(broken & {"a", "b"}) + 0.16 * ("b" in broken and "a" not in broken)

    found = finding(judged(played(game_of("abc"), loss, EVERY)), "a")
    assert found.standing == "cause" and found.alone.mean < -0.03 and found.need.mean > 0.07


def test_undecided_before_anything_tells_them_apart():
    verdict = judged(played(game_of("abc"), lambda broken: 0.2 * ("b" in broken), ["", "abc"]))
    assert verdict.verdict == "plateau" and not verdict.causes
    assert set(standing(verdict).values()) == {"undecided"}


def test_healthy_accuses_nobody():
    verdict = judged(played(game_of("abc"), lambda broken: 0.0, EVERY))
    assert verdict.verdict == "healthy"
    assert set(standing(verdict).values()) == {"harmless"}


def test_a_recipe_better_than_the_reference_is_healthy():
    verdict = judged(played(game_of("abc"), lambda broken: -0.1 * ("b" in broken), EVERY))
    assert verdict.verdict == "healthy" and not verdict.causes
    assert verdict.gap.mean == pytest.approx(-0.1, abs=0.02)


def test_inconclusive_where_few_images_do_not_tell():
    verdict = judged(played(game_of("ab"), lambda broken: 0.05 * bool(broken), ["", "ab"], images=60))
    assert verdict.verdict == "inconclusive" and not verdict.causes
    assert 0.2 < verdict.gap.probability(0.03) < 0.97


@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_loss_below_what_is_worth_reporting_is_no_cause(times):
    verdict = judged(
        played(game_of("ab"), lambda broken: 0.012 * ("a" in broken), ["", "a", "b", "ab"] * times)
    )
    assert verdict.verdict != "plateau" and not verdict.causes


def test_what_is_worth_reporting_is_for_the_user_to_say():
    game = played(game_of("ab"), lambda broken: 0.06 * ("a" in broken), ["", "a", "b", "ab"] * 3)
    assert [found.factor for found in judged(game, 0.03).causes] == ["a"]
    assert not judged(game, 0.1).causes and judged(game, 0.1).verdict == "healthy"


def test_masked_small_ones_are_not_called_harmless():
    """Breaking a alone was never run: what hides behind b is not acquitted."""
    verdict = judged(played(game_of("ab", 0.5), lambda broken: 0.2 * bool(broken), ["", "ab", "b"]))
    assert finding(verdict, "b").standing == "cause"
    assert finding(verdict, "a").standing == "undecided"


def test_findings_come_in_the_games_order_and_as_plain_types():
    verdict = judged(played(game_of("cab"), lambda broken: 0.15 * (broken >= {"a", "b"}), EVERY))
    assert [found.factor for found in verdict.findings] == ["c", "a", "b"]
    for found in verdict.findings:
        json.dumps([found.probability, found.is_spare, found.alternatives])


def test_a_gap_that_more_runs_take_back_is_no_plateau():
    game = played(game_of("a"), lambda broken: 0.0, ["", "a"])
    game = game.with_run(frozenset("a"), hits(0.85))
    for _ in range(3):
        game = game.with_run(frozenset("a"), hits(0.9)).with_run(frozenset(), np.asarray(hits(0.9)))
    assert judged(game).verdict == "healthy"


class TestFewImages:
    """What so few images cannot show is not called healthy for being unlikely beforehand."""

    def verdict(self, images, recipe, reference):
        game = game_of("a", 0.05)
        for word, accuracy in (("a", recipe), ("", reference)):
            hard_first = np.arange(images) / images
            shift = 0.3 if word else 0.0  # the two runs recognise others
            game = game.with_run(frozenset(word), ((hard_first + shift) % 1.0) < accuracy)
        return judged(game).verdict

    @pytest.mark.parametrize(
        ("images", "says"), [(6, "inconclusive"), (30, "inconclusive"), (1000, "healthy")]
    )
    def test_equal_accuracies(self, images, says):
        assert self.verdict(images, 2 / 3, 2 / 3) == says

    def test_a_reference_that_is_surely_worse_leaves_nothing_to_find(self):
        assert self.verdict(60, 0.9, 0.4) == "healthy"

    def test_runs_that_agree_on_every_image_tell_with_few(self):
        game = game_of("a", 0.05)
        for word in ("a", ""):
            game = game.with_run(frozenset(word), np.arange(40) < 30)
        assert judged(game).verdict == "healthy"


def test_what_is_surely_so_has_no_probability_of_more_than_one():
    game = game_of("abc", 0.5)
    for word in ("abc", "", "bc", "a"):
        game = game.with_run(frozenset(word), hits(0.02 if "a" in word else 0.95), has_learned=True)
    assert max(finding.probability for finding in judged(game).findings) <= 1.0


def test_what_is_open_is_no_more_than_the_recipe_can_gain():
    def loss(broken):  # a ruins the training that b suits, and hardly its own
        return 0.02 * ("a" in broken) + 0.15 * ("a" in broken and "b" not in broken)

    found = finding(judged(played(game_of("ab"), loss, ["", "", "a", "a", "b", "ab", "ab"])), "a")
    assert found.standing == "undecided"
    assert found.need.mean > 0.1 and found.effect is found.alone and found.alone.mean < 0.05
