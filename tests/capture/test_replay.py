"""A replay: the same script again, with interventions that take, and every held-out image judged."""

from __future__ import annotations

import json

import numpy as np
import pytest
from capture_cases import BROKEN, CASES

from plateau_cause.capture.possible.script import possible
from plateau_cause.capture.rules.every import observe

SMALL = ("module_level", "functions", "by_hand", "shadows", "in_memory", "package", "averaged")


@pytest.fixture
def replay(capture):
    """Returns a function that replays the script of a folder: (result, hits by split)."""

    def run(folder, *interventions, seed=0, settings=None, **given):
        status, printed, out = capture(
            "replay", folder, seed=seed, interventions=list(interventions), settings=settings or {}, **given
        )
        assert status == 0, printed
        return json.loads((out / "replay.json").read_text()), dict(np.load(out / "hits.npz"))

    return run


@pytest.mark.parametrize("name", ["module_level", "averaged"])
def test_a_replay_without_interventions_is_the_watched_run(name, prepare, replay, capture):
    folder = prepare(name)
    result, hits = replay(folder)
    capture("watch", folder)
    _, same = replay(folder)
    assert (result["error"], result["problems"], result["interventions"]) == (None, [], {})
    assert result["evaluations"]["val"]["accuracy"] == hits["val"].mean()
    assert result["epochs"][-1]["evaluations"][-1]["accuracy"] == pytest.approx(hits["val"].mean())
    assert (hits["val"] == same["val"]).all()


def test_another_seed_is_another_training_on_the_same_images(prepare, replay):
    folder = prepare("module_level")
    first, second = (replay(folder, seed=seed)[0] for seed in (0, 1))
    losses = [result["epochs"][0]["training"]["loss"] for result in (first, second)]
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("name", "broken"),
    [(name, one) for name, one in BROKEN if name in SMALL],
    ids=[f"{name}-{one.code}" for name, one in BROKEN if name in SMALL],
)
def test_every_fault_has_an_intervention_that_takes(name, broken, prepare, peek, replay):
    folder, run = prepare(name, (broken.old, broken.new), file=broken.file), CASES[name].run
    content = peek(folder, **run)
    found = possible(content, folder, observe(content, folder))
    assert len(found) == 1, found
    one = found[0]
    result, _ = replay(folder, one.name, settings={one.name: one.settings}, **run)
    assert result["interventions"][one.name].items() >= {"took": True, "words": None}.items()
    assert result["error"] is None
    assert result["problems"] == []


@pytest.mark.slow
def test_an_augmented_evaluation_is_judged_without_chance(prepare, peek, replay):
    case = CASES["reference"]
    broken = next(one for one in case.broken if one.code == "evaluation_augmented")
    folder = prepare("reference", (broken.old, broken.new), file=broken.file)
    content = peek(folder, **case.run)
    one = next(
        one for one in possible(content, folder, observe(content, folder)) if one.cause == "evaluation"
    )
    result, hits = replay(folder, one.name, settings={one.name: one.settings}, **case.run)
    assert (one.name, result["interventions"][one.name]["took"]) == ("evaluation_clean", True)
    text = (folder / broken.file).read_text()
    (folder / broken.file).write_text(text.replace(broken.new, broken.old))
    _, healthy = replay(folder, **case.run)
    (mended,), (same,) = hits.values(), healthy.values()
    assert np.array_equal(mended, same)


BY_HAND = "-{}.log_softmax(1).gather(1, yb[:, None]).mean()"


@pytest.mark.parametrize(
    "loss",
    [
        "nn.functional.nll_loss({}.log_softmax(1), yb)",
        "nn.NLLLoss()(nn.functional.log_softmax({}, dim=1), yb)",
        BY_HAND,
    ],
)
def test_a_log_softmax_of_what_is_activated_already(loss, prepare, peek, replay):
    """A cross-entropy in two steps, or by hand: its softmax is a second one."""
    given = ("model(xb)", "model(xb).softmax(1)")
    plain, twice = (("loss_fn(model(xb), yb)", loss.format(one)) for one in given)
    folder = prepare("module_level", twice)
    content = peek(folder)
    assert [one.code for one in observe(content, folder)] == ["loss_input"]
    assert content["loss"]["computes"] == "cross_entropy" and content["loss"]["place"] is not None
    mended, _ = replay(folder, "logits_to_loss")
    (folder / "train.py").write_text((folder / "train.py").read_text().replace(twice[1], plain[1]))
    assert observe(peek(folder), folder) == []
    healthy, _ = replay(folder)
    losses = [[epoch["training"]["loss"] for epoch in one["epochs"]] for one in (mended, healthy)]
    assert losses[0] == pytest.approx(losses[1])


SCHEDULED = ("lr=0.002)\n", "lr=0.002)\nscheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.1)\n")
PER_BATCH = ("        optimizer.step()\n", "        optimizer.step()\n        scheduler.step()\n")
PER_EPOCH = ("    model.eval()\n", "    scheduler.step()\n    model.eval()\n")


def test_a_mistimed_schedule_is_stepped_once_an_epoch(prepare, peek, replay):
    folder = prepare("module_level", SCHEDULED, PER_BATCH)
    content = peek(folder)
    one = possible(content, folder, observe(content, folder))[0]
    assert (one.name, one.cause, one.settings) == ("schedule", "schedule", {"every": "epoch"})
    mended, _ = replay(folder, "schedule", settings={"schedule": one.settings})
    assert mended["interventions"]["schedule"]["took"]
    (folder / "train.py").write_text((folder / "train.py").read_text().replace(PER_BATCH[1], PER_BATCH[0]))
    text = (folder / "train.py").read_text().replace(*PER_EPOCH)
    (folder / "train.py").write_text(text)
    healthy, _ = replay(folder)
    losses = [[epoch["training"]["loss"] for epoch in one["epochs"]] for one in (mended, healthy)]
    assert losses[0] == losses[1]  # the very training that the healthy twin is
    assert observe(peek(folder), folder) == []


def test_a_schedule_stepped_at_every_batch_and_every_epoch(prepare, peek):
    folder = prepare("module_level", SCHEDULED, PER_BATCH, PER_EPOCH)
    (one,) = possible(content := peek(folder), folder, observe(content, folder))
    assert (one.cause, one.settings) == ("schedule", {"every": "epoch"})
    assert "ExponentialLR is stepped at every batch" in one.words


def test_a_schedule_that_fades_at_its_own_beat_is_left_out(prepare, peek, replay):
    fading = (SCHEDULED[0], SCHEDULED[1].replace("0.1)", "1e-4)"))
    longer = ("range(2)", "range(5)")
    folder = prepare("module_level", fading, PER_EPOCH, longer)
    (one,) = possible(content := peek(folder), folder, observe(content, folder))
    assert (one.cause, one.settings) == ("schedule", {"every": "never"})
    mended, _ = replay(folder, "schedule", settings={"schedule": one.settings})
    text = (folder / "train.py").read_text()
    (folder / "train.py").write_text(text.replace("    scheduler.step()\n", ""))
    healthy, _ = replay(folder)
    losses = [[epoch["training"]["loss"] for epoch in one["epochs"]] for one in (mended, healthy)]
    assert losses[0] == losses[1]


def test_gradients_that_are_cleared_are_those_of_the_healthy_twin(prepare, replay):
    folder = prepare("module_level", ("        optimizer.zero_grad()\n", ""))
    mended, hits = replay(folder, "clear_gradients")
    text = (folder / "train.py").read_text()
    (folder / "train.py").write_text(
        text.replace("        loss =", "        optimizer.zero_grad()\n        loss =")
    )
    healthy, same = replay(folder)
    losses = [[epoch["training"]["loss"] for epoch in one["epochs"]] for one in (mended, healthy)]
    assert losses[0] == losses[1]
    assert (hits["val"] == same["val"]).all()
