"""What replays chose themselves is told with its line."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from plateau_cause.capture.possible.change import Possible
from plateau_cause.capture.rules.observation import Peeked
from plateau_cause.pipeline.script_chosen import as_chosen

BUILT = {"file": "train.py", "line": 1}


@pytest.fixture
def peeked(tmp_path):
    (tmp_path / "train.py").write_text('model.compile(Adam(learning_rate=0.1), "mse")\n')
    optimizers = [{"rates_by_hand": []}]
    return Peeked({"framework": "keras", "script": {"arguments": []}, "optimizers": optimizers}, tmp_path)


def found(**told):
    run = SimpleNamespace(content={"interventions": {"rate": told}})
    return SimpleNamespace(runs={"recipe": SimpleNamespace(content={"interventions": {}}), "reference": run})


def a_rate():
    settings = {"direction": "lower"}
    return Possible("rate", "learning_rate_high", "the rate of 0.1", "", BUILT, None, settings)


def test_a_rate_that_a_keras_script_found_has_its_patch(peeked):
    one = as_chosen(a_rate(), found(took=True, times=0.01), peeked)
    assert '+model.compile(Adam(learning_rate=0.001), "mse")' in one.patch
    assert (one.location, one.difference) == (BUILT, "rate times 0.01")


@pytest.mark.parametrize("told", [{"took": False, "times": 0.01}, {"took": True}])
def test_one_that_did_not_act_has_none(told, peeked):
    assert as_chosen(a_rate(), found(**told), peeked) == a_rate()


FROZEN = """\
for p in net.body.parameters():
    p.requires_grad_(False)
optimizer = Adam(net.head.parameters(), lr=0.003)
"""


def test_layers_that_thaw_under_a_rate_of_their_own_have_it_in_words_and_patch(tmp_path):
    (tmp_path / "train.py").write_text(FROZEN)
    content = {
        "model": {"frozen": {"place": {"file": "train.py", "line": 2}}, "parts": [{"name": "net"}]},
        "optimizers": [{"place": {"file": "train.py", "line": 3}}],
    }
    one = Possible("unfreeze", "frozen_layers", "frozen", "layers are frozen", BUILT, "a patch")
    run = SimpleNamespace(
        content={"interventions": {"unfreeze": {"took": True, "rate": 1e-4, "beside": 0.003}}}
    )
    made = as_chosen(one, SimpleNamespace(runs={"reference": run}), Peeked(content, tmp_path))
    assert made.repair.endswith(", at a rate of 0.0001 beside 0.003")
    assert '"lr": 0.0001}], lr=0.003)' in made.patch and "+    p.requires_grad_(True)" in made.patch
