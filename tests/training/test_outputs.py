"""Scores are found in whatever a network gives, and decide as its user means them."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.training.outputs import decisions, forward, logits

SCORES = torch.tensor([[1.0, 2.0], [4.0, 3.0]])
AUXILIARY = torch.zeros(2, 2)
Inception = namedtuple("Inception", ["logits", "aux_logits"])
GoogLeNet = namedtuple("GoogLeNet", ["logits", "aux_logits2", "aux_logits1"])


@dataclass
class ModelOutput:
    """As transformers has it: the loss, where there is one, stands before the logits."""

    loss: torch.Tensor | None
    logits: torch.Tensor


class Mapped(OrderedDict):
    """As transformers has it since: a dictionary whose entries are attributes too."""

    def __getattr__(self, name):
        return self[name]


@pytest.mark.parametrize(
    "output",
    [
        SCORES,
        (SCORES, AUXILIARY),
        [SCORES],
        Inception(SCORES, AUXILIARY),
        GoogLeNet(SCORES, None, None),
        {"aux": AUXILIARY, "logits": SCORES},
        {"features": None, "out": SCORES, "aux": AUXILIARY},
        {"scores": SCORES},
        ModelOutput(torch.tensor(0.3), SCORES),
        Mapped(loss=torch.tensor(0.3), logits=SCORES),
        SimpleNamespace(hidden=AUXILIARY, output=SCORES),
        ((SCORES, AUXILIARY), AUXILIARY),
    ],
    ids=lambda output: type(output).__name__,
)
def test_the_scores_are_found(output):
    assert logits(output) is SCORES


@pytest.mark.parametrize("output", [None, "logits", 3, [], {}, SimpleNamespace()])
def test_no_scores_are_one_clear_line(output):
    with pytest.raises(PlateauError, match=r"^recipe\.code: the network of build_model\(\) must give"):
        logits(output)


class TestDecisions:
    def test_an_output_per_class_is_left_alone(self):
        assert decisions(SCORES, 2) is SCORES

    @pytest.mark.parametrize("single", [torch.tensor([-2.0, 0.5]), torch.tensor([[-2.0], [0.5]])])
    def test_a_single_logit(self, single):
        assert decisions(single, 2).tolist() == [[0.0, -2.0], [0.0, 0.5]]

    def test_a_single_probability(self):
        assert decisions(torch.tensor([0.25, 0.75]), 2).argmax(1).tolist() == [0, 1]

    def test_an_answer_that_is_no_class_is_no_answer(self):
        found = decisions(torch.tensor([[1.0, 2.0, 0.0], [1.0, 2.0, 3.0]]), 2)
        assert found.tolist() == [[1.0, 2.0], [-torch.inf, -torch.inf]]


def test_an_error_in_a_users_network_is_one_clear_line():
    with pytest.raises(PlateauError, match=r"^recipe\.code: Linear\(\) raised RuntimeError: mat1 and mat2"):
        forward(nn.Linear(3, 2), torch.zeros(1, 4))
