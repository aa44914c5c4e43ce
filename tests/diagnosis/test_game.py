"""Sets as bits, runs in their order."""

import numpy as np
from by_hand import game_of, hits


def test_bits_follow_the_order_of_the_factors():
    game = game_of("abc")
    assert [game.bits(frozenset(word)) for word in ("", "a", "b", "ab", "c", "abc")] == [0, 1, 2, 3, 4, 7]
    assert game.everything == frozenset("abc")


def test_a_run_is_added_and_the_game_before_it_stays():
    before = game_of("ab")
    after = before.with_run(frozenset("a"), hits(0.75))
    assert before.runs == () and len(after.runs) == 1
    assert after.runs[0].broken == {"a"} and after.runs[0].hits.mean() == 0.75
    assert after.runs[0].hits.dtype == np.float64


def test_repetitions_are_those_of_the_same_set():
    game = game_of("ab")
    for word in ("a", "ab", "a"):
        game = game.with_run(frozenset(word), hits(0.5))
    assert [game.repetitions(frozenset(word)) for word in ("a", "ab", "b")] == [2, 1, 0]
