"""Evaluation that is processed otherwise than training."""

from dataclasses import replace

import pytest
import torch
from tiny import make_arm

from plateau_cause.causes.evaluation import FACTOR
from plateau_cause.lab import build
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.training.transform_inputs import TransformInputs, moments_differ

OWN = frozenset({"transform", "augmentation", "evaluation"})


def test_is_swapped_alone(rates):
    recipe, reference = make_arm(own=OWN), make_arm()
    assert FACTOR.is_different(recipe, reference, rates)
    assert FACTOR.swapped(recipe, reference, rates).own == OWN - {"evaluation"}
    assert FACTOR.swapped(reference, recipe, rates).own == {"evaluation"}
    assert not FACTOR.is_different(reference, replace(reference, own=OWN - {"evaluation"}), rates)


def test_says_what_differs(evidence):
    (sentence,) = FACTOR.explain(make_arm(own=OWN), make_arm(), evidence)
    assert "train=True" in sentence and sentence.endswith(".")


def tensor(image):
    return (
        torch.tensor(list(image.resize((8, 8)).tobytes()), dtype=torch.float32).view(8, 8, 3).permute(2, 0, 1)
    )


@pytest.mark.parametrize(
    ("train", "evaluation", "differ"),
    [
        (lambda x: x / 255, lambda x: x / 255, False),
        (lambda x: x, lambda x: (x / 255 - 0.5) / 0.5, True),
        (lambda x: (x / 255 - 0.5) / 0.25, lambda x: x / 255, True),
        (lambda x: x / 255 + 0.01 * torch.randn(1), lambda x: x / 255, False),
        (lambda x: x.flip(2) if torch.rand(1) < 0.5 else x, lambda x: x / 255, True),
        (lambda x: x.flip(2) if torch.rand(1) < 0.5 else x, lambda x: x, False),
    ],
)
def test_both_sides_are_looked_at(tiny_dataset, train, evaluation, differ):
    def transform(image, training):
        return train(tensor(image)) if training else evaluation(tensor(image))

    apart = TransformInputs(tiny_dataset.store, transform, True, torch.device("cpu"))
    assert apart.sides_differ() is differ


def test_evaluated_as_trained_on_and_the_same_every_time(tiny_dataset):
    def transform(image, training):
        return tensor(image) + torch.rand(1) if training else tensor(image) / 255

    inputs = TransformInputs(tiny_dataset.store, transform, True, torch.device("cpu"), apart=False)
    rows = torch.arange(4)
    again = TransformInputs(tiny_dataset.store, transform, True, torch.device("cpu"), apart=False)
    assert torch.equal(inputs.evaluation(rows), again.evaluation(rows))
    assert inputs.evaluation(rows).max() > 2


def test_looking_leaves_the_generators_as_they_were(tiny_dataset):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    inputs = TransformInputs(
        tiny_dataset.store, lambda i, t: tensor(i), True, torch.device("cpu"), apart=False
    )
    inputs.evaluation(torch.arange(3))
    assert torch.equal(torch.get_rng_state(), before)


def test_crops_do_not_count_as_a_difference():
    images = torch.rand(16, 3, 8, 8)
    assert not moments_differ(images, images[:, :, 2:6, 2:6].repeat(1, 1, 2, 2))
    assert moments_differ(images, images * 255)


def test_trained_on_the_same_side_where_nothing_is_drawn_anew(tiny_dataset):
    """Without its random changes the recipe still trains on what training reads, not evaluation."""

    def transform(image, training):
        return tensor(image) + torch.rand(1) if training else tensor(image) / 255

    def inputs(**options):
        return TransformInputs(
            tiny_dataset.store, transform, False, torch.device("cpu"), differ=True, **options
        )

    rows, generator = torch.arange(4), torch.Generator()
    broken, mended = inputs(apart=True), inputs(apart=False)
    assert broken.training(rows, generator).max() > 2 and broken.evaluation(rows).max() <= 1
    assert torch.equal(mended.training(rows, generator), mended.evaluation(rows))
    assert mended.is_fixed and not broken.is_fixed


FILE = """
import numpy as np
import torch


def tensor(image):
    return torch.from_numpy(np.array(image.convert("RGB").resize((8, 8)))).permute(2, 0, 1) / 255


def transform(image, train):
    side = tensor(image)
    return {train} if train else {other}
"""


def lab_of(make_lab, tmp_path, train, other):
    (tmp_path / "mine.py").write_text(FILE.format(train=train, other=other))
    return make_lab(tmp_path / "mine.py")


def test_the_reference_alone_can_evaluate_as_the_file_does(make_lab, tmp_path):
    lab = lab_of(make_lab, tmp_path, "(side.flip(2) if torch.rand(1) < 0.5 else side)", "side * 255")
    assert lab.sides_differ
    rows = torch.arange(4)
    plain, broken = (build.inputs(lab, make_arm(own=own)) for own in (frozenset(), frozenset({"evaluation"})))
    assert torch.equal(plain.training(rows, torch.Generator()), broken.training(rows, torch.Generator()))
    assert broken.evaluation(rows).max() > 50 > plain.evaluation(rows).max()


def test_a_random_side_of_training_is_read_from_plain_colours(make_lab, tmp_path):
    """Its crops hide what it does to a pixel; evaluation, which is fixed, is normalised otherwise."""
    lab = lab_of(make_lab, tmp_path, "(side.roll(int(torch.randint(8, ())), 2) - 0.5) / 0.25", "side")
    arm = recipe_arm(lab, make_arm().recipe)
    assert arm.recipe.preprocessing.mean == pytest.approx((0.5, 0.5, 0.5), abs=0.01)
    assert arm.recipe.preprocessing.std == pytest.approx((0.25, 0.25, 0.25), abs=0.01)
    assert "evaluation" in arm.own
