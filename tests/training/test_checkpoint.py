"""A checkpoint holds everything, is written whole or not at all, and not too often."""

import pytest
import torch
from torch import nn

from plateau_cause.training import checkpoint
from plateau_cause.training.checkpoint import State


@pytest.fixture
def pieces():
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


def test_round_trip(tmp_path, pieces):
    model, optimizer = pieces
    state = State(
        epoch=2,
        seconds=60.0,
        kept_epoch=1,
        peaks=[0.1],
        history=[{"epoch": 1, "train_loss": float("nan")}],
        signals=[{"epoch": 1, "block": "all"}],
        kept_weights={"weight": torch.ones(2)},
    )
    path = tmp_path / "new folder" / "run.pt"
    checkpoint.save(path, state, model, optimizer)
    other = nn.Linear(3, 2)
    moved = torch.optim.SGD(other.parameters(), lr=5.0, momentum=0.9)
    loaded = checkpoint.load(path, other, moved)
    assert loaded.saved_at_s == 60.0
    assert (loaded.epoch, loaded.kept_epoch, loaded.peaks, loaded.signals) == (2, 1, [0.1], state.signals)
    assert torch.equal(loaded.kept_weights["weight"], torch.ones(2))
    assert torch.equal(other.weight, model.weight)
    assert moved.param_groups[0]["lr"] == 0.1
    assert torch.equal(
        moved.state[other.weight]["momentum_buffer"], optimizer.state[model.weight]["momentum_buffer"]
    )
    assert [entry.name for entry in path.parent.iterdir()] == ["run.pt"]


def test_is_not_written_again_within_seconds(tmp_path, pieces):
    path, state = tmp_path / "run.pt", State(seconds=1.0)
    checkpoint.save(path, state, *pieces)
    assert not path.exists()
    state.seconds = checkpoint.SAVE_EVERY_S + 0.1
    checkpoint.save(path, state, *pieces)
    assert path.exists()
    path.unlink()
    state.seconds += 1.0
    checkpoint.save(path, state, *pieces)
    assert not path.exists()


def test_nothing_saved_nothing_loaded(tmp_path, pieces):
    assert checkpoint.load(None, *pieces) is None
    assert checkpoint.load(tmp_path / "none.pt", *pieces) is None
    checkpoint.save(None, State(seconds=100.0), *pieces)


def test_without_an_optimizer(tmp_path, pieces):
    model, _ = pieces
    checkpoint.save(tmp_path / "run.pt", State(seconds=100.0, epoch=3), model, None)
    assert checkpoint.load(tmp_path / "run.pt", model, None).epoch == 3
