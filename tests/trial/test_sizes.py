"""How large images are stored follows the recipe, the user's file and the weights."""

from dataclasses import replace

import pytest

from plateau_cause.config.params import BackboneParams, Data, Params
from plateau_cause.config.recipe import put
from plateau_cause.images.prepare import stored_px
from plateau_cause.trial.sizes import asked_px, read_px


def given(size=64, name="tf_efficientnet_lite0", weights="none", code=None):
    data, backbone = Data(source="imagefolder", path="x"), BackboneParams(name=name, weights=weights)
    params = Params(data=data, backbone=backbone)
    return replace(params, recipe=put(params.recipe, {"preprocessing.size": size, "code": code}))


@pytest.mark.parametrize(
    ("params", "asked"),
    [
        (given(), 224),
        (given(size=288), 288),
        (given(name="tf_efficientnet_lite2"), 260),
        (given(name="inception_v3"), 299),
        (given(name="owner/name"), 224),
    ],
)
def test_the_larger_of_recipe_and_weights(params, asked):
    assert asked_px(params) == asked


def test_the_users_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def transform(image, train):\n    return image.resize((512, 512))\n")
    assert read_px(given(code=str(path))) == asked_px(given(code=str(path))) == 512
    path.write_text("def loss(output, target): ...\nx = Resize(512)\n")
    assert read_px(given(code=str(path))) == 64
    path.write_text("def transform(:\n")
    assert read_px(given(code=str(path))) == 224


def test_null_stores_half_more_and_a_number_is_obeyed():
    assert stored_px(Data(), 224) == 336
    assert stored_px(Data(stored_size=96), 224) == 96
