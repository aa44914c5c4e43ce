"""Losses by name, against numbers computed by hand."""

import math

import pytest
import torch

from plateau_cause.config.recipe import Loss
from plateau_cause.training import losses

OUTPUT, TARGET = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1])


def value(**declared):
    return float(losses.build(Loss(**declared))(OUTPUT, TARGET))


def test_cross_entropy():
    assert value() == pytest.approx((math.log(1 + math.exp(-2)) + math.log(2)) / 2)


def test_cross_entropy_with_smoothing():
    right, wrong = math.log(1 + math.exp(-2)), math.log(1 + math.exp(2))
    expected = (0.9 * right + 0.1 * wrong + math.log(2)) / 2
    assert value(label_smoothing=0.2) == pytest.approx(expected)


def test_nll_reads_raw_outputs_and_falls_below_zero():
    assert value(name="nll") == -1.0


def test_mse_against_one_hot():
    assert value(name="mse") == pytest.approx((1 + 0 + 0 + 1) / 4)
    assert value(name="mse", label_smoothing=0.2) == pytest.approx((1.1**2 + 0.1**2 + 0.1**2 + 0.9**2) / 4)


def test_bce_with_logits():
    expected = (math.log(1 + math.exp(-2)) + 3 * math.log(2)) / 4
    assert value(name="bce") == pytest.approx(expected)


def test_softmax_twice_cannot_fall_below_its_floor():
    probabilities = torch.eye(10)
    found = float(losses.build(Loss())(probabilities, torch.arange(10)))
    assert found == pytest.approx(losses.double_softmax_floor(10))
    assert losses.double_softmax_floor(10) == pytest.approx(1.4612, abs=1e-4)
