"""What the model reads: the same whether cached or not, random only where the transform is."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import PREPROCESSING, SIZE

from plateau_cause.errors import PlateauError
from plateau_cause.training.inputs import CachedInputs, PixelInputs
from plateau_cause.training.transform_inputs import TransformInputs
from plateau_cause.training.transforms import as_tensor, fit_channels

CPU = torch.device("cpu")
ROWS = torch.tensor([3, 0, 7])


class Transform:
    """Counts its calls; random in training where asked."""

    def __init__(self, noise: float = 0.0) -> None:
        self.noise, self.calls = noise, 0

    def __call__(self, image, train):
        self.calls += 1
        tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return tensor + self.noise * torch.randn(()) if train else tensor


class TestTransform:
    def inputs(self, dataset, transform, augmented=True):
        found = TransformInputs(dataset.store, transform, augmented, CPU)
        transform.calls = 0
        return found

    def test_without_randomness_is_called_once_per_image(self, tiny_dataset):
        transform = Transform()
        inputs = self.inputs(tiny_dataset, transform)
        assert not inputs.augmented
        first = inputs.training(ROWS, torch.Generator())
        assert torch.equal(inputs.training(ROWS, torch.Generator()), first)
        assert transform.calls == 3
        assert torch.equal(first[1], as_tensor(transform(tiny_dataset.store.image(0), True)))

    def test_randomness_is_seen_and_not_cached(self, tiny_dataset):
        transform = Transform(noise=0.1)
        inputs = self.inputs(tiny_dataset, transform)
        assert inputs.augmented
        generator = torch.Generator()
        first, second = (inputs.training(ROWS, generator) for _ in range(2))
        assert not torch.equal(first, second)
        assert torch.equal(inputs.training(ROWS, torch.Generator()), first)
        evaluated = inputs.evaluation(ROWS)
        assert torch.equal(inputs.evaluation(ROWS), evaluated)
        assert transform.calls == 12

    def test_rare_randomness_is_seen(self, tiny_dataset):
        def erased(image, train):
            tensor = torch.ones(3, 4, 4)
            return tensor * 0 if train and torch.rand(()) < 0.05 else tensor

        torch.manual_seed(0)
        assert TransformInputs(tiny_dataset.store, erased, True, CPU).augmented

    def test_augmentation_taken_away(self, tiny_dataset):
        inputs = self.inputs(tiny_dataset, Transform(noise=0.1), augmented=False)
        assert torch.equal(inputs.training(ROWS, torch.Generator()), inputs.evaluation(ROWS))

    def test_different_shapes_are_one_clear_line(self, tiny_dataset):
        sizes = iter(range(5, 50))
        inputs = TransformInputs(
            tiny_dataset.store, lambda i, train: torch.zeros(3, next(sizes), 4), False, CPU
        )
        with pytest.raises(
            PlateauError, match=r"^recipe\.code: transform\(\) gives tensors of different shapes"
        ):
            inputs.evaluation(ROWS)

    @pytest.mark.parametrize("number", [float("nan"), float("inf")])
    def test_what_is_no_number_is_one_clear_line(self, tiny_dataset, number):
        with pytest.raises(
            PlateauError, match=r"^recipe\.code: transform\(\) gives values that are no numbers"
        ):
            TransformInputs(
                tiny_dataset.store, lambda i, train: torch.full((3, 4, 4), number), False, CPU
            ).evaluation(ROWS)

    def test_channels_last_is_said(self):
        with pytest.raises(PlateauError, match=r"not \(4, 5, 3\): its channels come last, permute"):
            as_tensor(torch.zeros(4, 5, 3))

    def test_gray_is_fine(self):
        assert as_tensor(torch.zeros(1, 4, 5, dtype=torch.uint8)).shape == (1, 4, 5)

    @pytest.mark.parametrize("value", [None, 3.0, torch.zeros(2, 2), [[1]]])
    def test_something_else_than_an_image(self, value):
        with pytest.raises(PlateauError, match=r"transform\(\) must give a tensor \(3, H, W\)"):
            as_tensor(value)

    def test_numpy_is_fine(self):
        assert as_tensor(np.zeros((3, 2, 2), np.float64)).dtype == torch.float32


class TestPixels:
    def images(self):
        return np.random.default_rng(0).integers(0, 256, (8, 3, SIZE, SIZE), dtype=np.uint8)

    def test_evaluation_is_normalised(self):
        images = self.images()
        found = PixelInputs(images, PREPROCESSING, "strong", CPU).evaluation(ROWS)
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (PREPROCESSING.mean, PREPROCESSING.std))
        assert torch.allclose(found, (torch.from_numpy(images)[ROWS] / 255 - mean) / std, atol=1e-5)

    def test_training_is_augmented_by_the_generator(self):
        inputs = PixelInputs(self.images(), PREPROCESSING, "strong", CPU)
        first, again = (inputs.training(ROWS, torch.Generator().manual_seed(0)) for _ in range(2))
        assert torch.equal(first, again)
        assert not torch.equal(first, inputs.training(ROWS, torch.Generator().manual_seed(1)))

    def test_without_augmentation_training_is_evaluation(self):
        inputs = PixelInputs(self.images(), PREPROCESSING, "none", CPU)
        assert torch.equal(inputs.training(ROWS, torch.Generator()), inputs.evaluation(ROWS))


class TestChannels:
    def test_gray_is_repeated(self):
        gray = torch.rand(2, 1, 4, 4)
        assert torch.equal(fit_channels(gray, 3), torch.cat([gray] * 3, dim=1))

    def test_colours_are_weighed_as_pil_does(self):
        image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8))
        colours = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
        expected = torch.from_numpy(np.array(image.convert("L"))).float()
        assert torch.allclose(fit_channels(colours, 1)[0, 0], expected, atol=1)

    def test_what_fits_is_left_alone(self):
        images = torch.rand(2, 3, 4, 4)
        assert fit_channels(images, 3) is images


def test_cached_activations_by_row():
    activations = torch.randn(9, 4)
    inputs = CachedInputs(activations)
    assert torch.equal(inputs.evaluation(ROWS), activations[ROWS])
    assert torch.equal(inputs.training(ROWS, torch.Generator()), activations[ROWS])
