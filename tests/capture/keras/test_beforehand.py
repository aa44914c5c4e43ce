"""Features that a script computed by `predict` before its fit: traced back to their images, however."""

from __future__ import annotations

import pytest

from plateau_cause.capture.rules.every import observe

TRAIN, VAL = "train_features = base.predict(prepared_train)", "val_features = base.predict(prepared_val)"
LOOPED = """
def computed(images):
    found = np.zeros((len(images), 1, 1, 256))
    for start in range(0, len(images), 5):
        found[start : start + 5] = {call}
    return found


train_features = computed(prepared_train)
"""
LOADED = f'{VAL}\nnp.save("val.npy", val_features)\nval_features = np.load("val.npy")'
SEQUENCED = """
class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 6

    def __getitem__(self, number):
        return prepared_train[8 * number : 8 * number + 8]


train_features = base.predict(Batches())
"""
VAL_LOOPED = "val_features = computed(prepared_val)"
SPELLINGS = {  # name -> edits, text of the line that computed them
    "batches in a loop": (
        ((TRAIN, LOOPED.format(call="base.predict(images[start : start + 5])")), (VAL, VAL_LOOPED)),
        "base.predict(images",
    ),
    "calls": (
        ((TRAIN, LOOPED.format(call="base(images[start : start + 5], training=False)")), (VAL, VAL_LOOPED)),
        "base(images",
    ),
    "calls on a batch": (
        ((TRAIN, LOOPED.format(call="base.predict_on_batch(images[start : start + 5])")), (VAL, VAL_LOOPED)),
        "base.predict_on_batch",
    ),
    "a file, and flattened": (
        ((TRAIN, f"{TRAIN}.reshape(48, -1)"), (VAL, f"{LOADED}.reshape(len(val_features), -1)")),
        "train_features = base",
    ),
    "what Keras reads in batches": (((TRAIN, SEQUENCED),), "base.predict(Batches"),
    "a part of a network": (
        (("prepared_val = ", "base = keras.Model(base.input, base.layers[-4].output)\nprepared_val = "),),
        "train_features = base",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_images_are_found(name, prepare, peek):
    edits, line = SPELLINGS[name]
    folder = prepare("bottleneck", edits)
    content = peek(folder)
    found = observe(content, folder)
    assert content["problems"] == []
    assert [one.code for one in found] == ["computed_beforehand"]
    assert line in (folder / "train.py").read_text().splitlines()[found[0].location["line"] - 1]
    assert content["model"]["base"]["name"] == "MobileNet"
    assert [one["data_set"]["length"] for one in content["loaders"]] == [48, 24]


@pytest.mark.parametrize("name", ["batches in a loop", "a part of a network"])
def test_the_network_is_trained_on_them(name, prepare, replay):
    folder = prepare("bottleneck", SPELLINGS[name][0])
    result, hits = replay(folder, {"unfreeze": {"part": "all"}})
    assert result["interventions"]["unfreeze"]["took"] and result["problems"] == []
    assert len(hits["val"]) == 24


@pytest.mark.slow
def test_seen_through_it_trains_as_before(prepare, replay):
    """A change of no effect on the network: the same training, whether on images or on their features."""
    folder = prepare("bottleneck")
    as_it_is, _ = replay(folder)
    through, _ = replay(folder, {"norm_momentum": {"momentum": 0.5}})
    losses = [[epoch["training"]["loss"] for epoch in one["epochs"]] for one in (as_it_is, through)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


OTHERS = {
    "images made otherwise beforehand": (
        (TRAIN, "train_features = prepared_train"),
        (VAL, "val_features = prepared_val"),
        ("layers.Flatten(input_shape=train_features.shape[1:])", "base"),
        ("layers.Dense(16", "layers.Flatten())\ntop.add(layers.Dense(16"),
    ),
    "only a part of them": ((VAL, "val_features = base.predict(prepared_val) * 2.0"),),
}


@pytest.mark.parametrize("name", OTHERS)
def test_anything_else_stays_as_it_is(name, prepare, peek):
    folder = prepare("bottleneck", OTHERS[name])
    content = peek(folder)
    assert content["computed_at"] is None and content["problems"] == []
    assert "computed_beforehand" not in [one.code for one in observe(content, folder)]
