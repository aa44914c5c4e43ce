"""What is finished is found again, the same in every number."""

import numpy as np
import pytest
import torch
from tiny import make_arm
from torch import nn

from plateau_cause.lab import store
from plateau_cause.lab.store import Result
from plateau_cause.training.task import Outcome


@pytest.fixture
def result():
    arm = make_arm({"preprocessing.scale": "as in your file"}, own=frozenset({"model", "weights"}), seed=2)
    outcome = Outcome(
        history=[{"epoch": 1, "train_loss": 0.1 + 0.2}, {"epoch": 2, "train_loss": float("nan")}],
        signals=[{"epoch": 1, "block": "stem", "gradient_norm": 1e-30, "update_ratio": 0.0}],
        val_outputs=np.float32([[0.1, np.nan]]),
        test_outputs=np.float32([[1, 2], [3, 1]]),
        kept_epoch=2,
        seconds=1.5,
    )
    return Result(key="abc", arm=arm, outcome=outcome, cost=12.5)


def test_round_trip(tmp_path, result):
    store.save(tmp_path / "runs", result)
    found = store.load(tmp_path / "runs", "abc")
    assert (found.key, found.arm, found.cost) == (result.key, result.arm, result.cost)
    assert found.arm.digest("here") == result.arm.digest("here")
    one, other = found.outcome, result.outcome
    np.testing.assert_equal(one.history, other.history)
    assert (one.signals, one.kept_epoch, one.seconds) == (other.signals, other.kept_epoch, other.seconds)
    assert np.array_equal(one.val_outputs, other.val_outputs, equal_nan=True)
    assert np.array_equal(one.test_outputs, other.test_outputs)


def test_unfinished_is_not_found(tmp_path, result):
    assert store.load(None, "abc") is None
    assert store.load(tmp_path, "abc") is None
    store.save(tmp_path, result)
    (tmp_path / "abc.json").unlink()  # written last
    assert store.load(tmp_path, "abc") is None
    store.save(None, result)


def test_weights(tmp_path):
    network = nn.Linear(2, 2)
    store.save_weights(tmp_path / "new", "abc", network)
    state = torch.load(store.weights_path(tmp_path / "new", "abc"), weights_only=True)
    assert torch.equal(state["weight"], network.weight)


def test_numbers_from_any_of_the_folders(tmp_path):
    store.remember(tmp_path / "second", "key", {"optimum": 0.1})
    assert store.recall([tmp_path / "first", tmp_path / "second"], "key") == {"optimum": 0.1}
    assert store.recall([tmp_path / "first"], "key") is None
    store.remember(None, "key", {})


def test_hits_do_not_count_what_is_not_a_number():
    outputs = np.array([[1.0, 0.0], [np.nan, 0.0], [0.0, 1.0]])
    assert store.hits(outputs, np.array([0, 0, 0])).tolist() == [True, False, False]


def test_a_digest_of_rows_knows_their_order():
    rows = np.array([3, 1, 2])
    assert store.rows_digest(rows) == store.rows_digest(rows.copy())
    assert store.rows_digest(rows) != store.rows_digest(rows[::-1])


def test_an_arms_digest_knows_everything():
    arms = [
        make_arm(),
        make_arm(seed=1),
        make_arm(images="half"),
        make_arm({"batch_size": 3}),
        make_arm(own=frozenset({"loss"})),
    ]
    digests = {arm.digest("here") for arm in arms} | {make_arm().digest("there")}
    assert len(digests) == 6
    assert make_arm(own=frozenset({"a", "b"})).digest("") == make_arm(own=frozenset({"b", "a"})).digest("")
