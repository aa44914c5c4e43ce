"""Keras models as people write them, on its torch backend: read, frozen, trained, saved, moved like any."""

from __future__ import annotations

import copy
import pickle
import sys

import pytest
import torch
from tiny import make_arm
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.lab import build
from plateau_cause.lab.arm import pieces_of
from plateau_cause.lab.inspection import recipe_arm
from plateau_cause.pipeline.arms import predictor
from plateau_cause.training import checkpoint, keras_model, loop, model
from plateau_cause.training.user_code import load_user_code

keras_model.prepare()
keras = pytest.importorskip("keras")
layers = keras.layers

SIZE = 32
BYTES = {  # MobileNetV3 scales pixels itself: it reads 0..255
    "preprocessing.size": SIZE,
    "preprocessing.scale": "byte",
    "preprocessing.mean": None,
    "preprocessing.std": None,
    "optimizer.name": "adam",
    "optimizer.learning_rate": 0.01,
}
CLASSIC = """
import keras
from keras import layers

def build_model(num_classes):
    base = {base}
    {weights}
    for layer in base.layers:
        layer.trainable = {trainable}
    x = layers.GlobalAveragePooling2D()(base.outputs[0])
    x = layers.Dropout(0.2)(x)
    outputs = layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(base.inputs[0], outputs)
"""
APPLICATION = """keras.applications.MobileNetV3Small(
        input_shape=(32, 32, 3), include_top=False, weights=None, minimalistic=True
    )"""
SMALL = """keras.Sequential([
        keras.Input((32, 32, 3)),
        layers.Rescaling(1 / 127.5, offset=-1),
        layers.Conv2D(6, 3, strides=4, name="block1_conv"),
        layers.BatchNormalization(name="block1_bn"),
        layers.Conv2D(8, 3, strides=2, activation="relu", name="block2_conv"),
        layers.BatchNormalization(name="block2_bn"),
    ])"""
LOSS = """
def loss(output, target):
    return keras.losses.SparseCategoricalCrossentropy(from_logits={from_logits})(target, output)
"""
PIECES = pieces_of(("build_model",))


@pytest.fixture
def classic(tmp_path):
    """Returns a maker of the classic example's file, with parts exchanged or added."""

    def make(*more, base=APPLICATION, trainable="False", weights="pass"):
        path = tmp_path / "mine.py"
        path.write_text(CLASSIC.format(base=base, trainable=trainable, weights=weights) + "".join(more))
        return path

    return make


def small(num_classes=3, activation="softmax", dropout=0.5, **options):
    """Two convolutions with batch norm, a dense layer behind dropout; (B, 16, 16, 3) -> (B, C)."""
    keras_model.forget_names()
    inputs = keras.Input(options.pop("shape", (16, 16, 3)))
    x = layers.Conv2D(4, 3, strides=2, use_bias=False, **options)(inputs)
    x = layers.BatchNormalization(axis=1 if options else -1)(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(6, 3, **options)(x)
    x = layers.BatchNormalization(scale=False, center=False, axis=1 if options else -1)(x)
    x = layers.GlobalAveragePooling2D(**options)(x)
    x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, layers.Dense(num_classes, activation=activation)(x))


def images(count=4, size=16):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def state(network):
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def changed(before, network):
    return {name for name, tensor in network.state_dict().items() if not torch.equal(before[name], tensor)}


class TestTheClassicExample:
    def test_is_read_as_it_is(self, make_lab, classic):
        arm = recipe_arm(make_lab(classic()), make_arm(BYTES).recipe)
        assert arm.recipe.trainable == "head"
        assert arm.recipe.head.activation == "softmax"
        assert arm.recipe.head.dropout == pytest.approx(0.2)
        assert arm.recipe.batch_norm == "frozen"
        assert arm.weights == "other"

    @pytest.mark.parametrize(
        ("trainable", "said", "mode"),
        [("True", "all", "train"), ("layer.name.startswith('expanded_conv_10')", "part", "train")],
    )
    def test_what_else_trains_is_read_too(self, make_lab, classic, trainable, said, mode):
        recipe = recipe_arm(make_lab(classic(trainable=trainable)), make_arm(BYTES).recipe).recipe
        assert (recipe.trainable, recipe.batch_norm) == (said, mode)

    @pytest.mark.parametrize(
        ("from_logits", "activation", "loss"),
        [(False, None, "cross_entropy"), (True, "softmax", "cross_entropy")],
    )
    def test_softmax_is_a_fault_only_where_the_loss_expects_logits(
        self, make_lab, classic, from_logits, activation, loss
    ):
        file = classic(LOSS.format(from_logits=from_logits))
        recipe = recipe_arm(make_lab(file), make_arm(BYTES).recipe).recipe
        assert (recipe.head.activation, recipe.loss.name) == (activation, loss)

    def test_trains_its_head_alone(self, make_lab, classic):
        lab = make_lab(classic(LOSS.format(from_logits=False)))
        arm = recipe_arm(lab, make_arm({**BYTES, "schedule.epochs": 3}).recipe)
        task = build.task(lab, arm)
        before = state(task.model)
        outcome = loop.train(task)
        names = [f"layers.{len(task.model.layers) - 1}.{name}" for name in ("kernel", "bias")]
        assert changed(before, task.model) == set(names)
        assert torch.from_numpy(outcome.test_outputs).sum(1).allclose(torch.ones(18))
        assert [signal["block"] for signal in outcome.signals][-1] == "dense"

    def test_goes_on_where_it_was_killed(self, make_lab, classic, tmp_path, monkeypatch):
        monkeypatch.setattr(checkpoint, "SAVE_EVERY_S", 0.0)
        lab = make_lab(classic(base=SMALL, trainable="True"))
        arm = recipe_arm(lab, make_arm(BYTES).recipe)
        whole = loop.train(build.task(lab, arm))

        def kill(row):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            loop.train(build.task(lab, arm), tmp_path / "run.pt", kill)
        resumed = loop.train(build.task(lab, arm), tmp_path / "run.pt")
        assert resumed.history == whole.history
        assert (resumed.test_outputs == whole.test_outputs).all()

    def test_every_edit_of_an_intervention_takes_effect(self, make_lab, classic):
        lab = make_lab(classic(base=SMALL))
        arm = recipe_arm(lab, make_arm(BYTES).recipe)
        freed = arm.own - {"trainable", "activation", "dropout", "batch_norm"}
        values = {"trainable": "all", "batch_norm": "train", "head.activation": None, "head.dropout": 0.0}
        edited = make_arm({**BYTES, **values, "schedule.epochs": 1}, own=freed)
        task = build.task(lab, edited)
        before = state(task.model)
        outcome = loop.train(task)
        kinds = {name.rpartition(".")[2] for name in changed(before, task.model)}
        assert {"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"} <= kinds
        assert abs(torch.from_numpy(outcome.test_outputs).sum(1) - 1).max() > 0.01  # logits
        last_block = make_arm({**BYTES, "trainable": "last_block"}, own=freed)
        moving = [n for n, p in build.task(lab, last_block).model.named_parameters() if p.requires_grad]
        assert len(moving) == 6  # the last convolution, its batch norm, the head

    def test_a_linear_probe_starts_the_head(self, make_lab, classic):
        lab = make_lab(classic(base=SMALL))
        own = frozenset({"model", "weights"})
        arm = make_arm({**BYTES, "head.initialization": "linear_probe"}, own=own)
        task = build.task(lab, arm)
        linear = model.final_linear(task.model, 3)
        assert linear.weight.std() > 0
        assert torch.equal(linear.weight, model.as_given(task.model).layers[-1].kernel.value.t())

    def test_weights_from_a_file(self, make_lab, classic, tmp_path):
        built = load_user_code(classic(base=SMALL)).build_model(3)
        path = tmp_path / "base.weights.h5"
        keras.Model(built.input, built.layers[-4].output).save_weights(path)
        file = classic(base=SMALL, weights=f"base.load_weights({str(path)!r})")
        network = build.network(make_lab(file), make_arm({"preprocessing.size": SIZE}, own=PIECES))
        assert torch.equal(network.keras.layers[2].kernel.value, built.layers[2].kernel.value)

    def test_a_whole_model_from_a_file(self, make_lab, tmp_path):
        saved = small()
        saved.layers[1].trainable = False
        saved.save(tmp_path / "mine.keras")
        load = f"return keras.models.load_model({str(tmp_path / 'mine.keras')!r})"
        (tmp_path / "mine.py").write_text(f"import keras\ndef build_model(num_classes):\n    {load}\n")
        lab = make_lab(tmp_path / "mine.py")
        network = build.network(lab, make_arm(own=PIECES)).eval()
        assert torch.allclose(network(images()), saved(images().permute(0, 2, 3, 1)), atol=1e-6)
        assert recipe_arm(lab, make_arm({}).recipe).recipe.trainable == "part"

    def test_is_stored_and_read_again(self, make_lab, classic, tmp_path):
        import cloudpickle

        lab = make_lab(classic(base=SMALL), folder=tmp_path)
        arm = recipe_arm(lab, make_arm({**BYTES, "schedule.epochs": 1}).recipe)
        trained = predictor(lab, lab.run(arm, keep_weights=True))
        assert trained.gives_probabilities
        again = pickle.loads(cloudpickle.dumps(trained))
        shown = (images(2, 16).permute(0, 2, 3, 1) * 255).byte().numpy()
        assert trained.predict(shown).equals(again.predict(shown))


class TestTheAdapter:
    def test_gives_what_keras_gives(self):
        raw = small()
        expected = raw(images().permute(0, 2, 3, 1))
        network = keras_model.adapted(raw).eval()
        assert torch.allclose(network(images()), expected, atol=1e-6)
        assert network.keras is raw

    def test_channels_first_is_left_as_it_is(self):
        raw = small(shape=(3, 16, 16), data_format="channels_first")
        network = keras_model.adapted(raw).eval()
        assert network.channels_first
        assert torch.allclose(network(images()), raw(images()), atol=1e-6)

    def test_parameters_are_what_could_train_and_the_rest_is_buffers(self):
        network = keras_model.adapted(small())
        kinds = [name.rpartition(".")[2] for name, _ in network.named_parameters()]
        assert kinds == ["kernel", "gamma", "beta", "kernel", "bias", "kernel", "bias"]
        assert [name.rpartition(".")[2] for name, _ in network.named_buffers()] == [
            "moving_mean",
            "moving_variance",
        ] * 2

    def test_batch_norm_follows_keras(self):
        """In training mode a layer updates its statistics exactly as Keras does; a frozen one does not."""
        network, twin = keras_model.adapted(small(dropout=0.0)), keras_model.adapted(small(dropout=0.0))
        twin.load_state_dict(network.state_dict())
        network.train()(images())
        twin.keras(images().permute(0, 2, 3, 1), training=True)
        assert not changed(state(twin), network)
        norms = [m for m in network.modules() if isinstance(m, model.BATCH_NORMS)]
        assert [m.training for m in norms] == [True, True]
        network.requires_grad_(False)
        network.train()
        assert not norms[0].training
        before = state(network)
        network(images())
        without_parameters = {"layers.3.moving_mean", "layers.3.moving_variance"}
        assert changed(before, network) == without_parameters

    def test_unfreezing_through_torch_wakes_batch_norm(self):
        raw = small()
        raw.trainable = False
        network = keras_model.adapted(raw)
        assert not any(p.requires_grad for p in network.parameters())
        network.requires_grad_(True)
        before = state(network)
        network.train()(images())
        assert {"layers.1.moving_mean", "layers.1.moving_variance"} == changed(before, network)
        norm = network.layers[1].eval()
        before = state(network)
        network(images())
        assert "layers.1.moving_mean" not in changed(before, network)
        assert norm.gamma.requires_grad  # statistics rest, what is learnt does not

    def test_dropout_can_be_read_and_set(self):
        network = keras_model.adapted(small(dropout=0.9)).train()
        assert not torch.equal(network(images()), network(images()))
        model.set_dropout(network, 0.0)
        network.layers[1].eval()
        network.layers[3].eval()
        assert torch.equal(network(images()), network(images()))

    def test_logits_are_cut_off_before_the_softmax(self):
        network = keras_model.adapted(small()).eval()
        linear = model.final_linear(network, 3)
        cut = model.FinalLinear(network, linear).eval()
        assert torch.allclose(cut(images()).softmax(1), network(images()), atol=1e-6)
        assert model.as_given(cut) is network.keras

    def test_names_are_the_same_whenever_it_is_built(self):
        first, second = keras_model.adapted(small()), keras_model.adapted(small())
        assert list(first.state_dict()) == list(second.state_dict())
        assert first.names == second.names
        second.load_state_dict(first.state_dict())
        assert torch.equal(first.eval()(images()), second.eval()(images()))

    def test_moving_it_moves_kerass_own_variables(self):
        network = keras_model.adapted(small())
        network.to(torch.float64)
        assert {v.value.dtype for v in network.keras.variables if "seed" not in v.path} == {torch.float64}
        shared = {id(v.value) for v in network.keras.variables}
        assert {id(t) for t in [*network.parameters(), *network.buffers()]} <= shared

    @pytest.mark.gpu
    def test_it_trains_on_a_gpu(self):
        network = keras_model.adapted(small()).to("cuda").train()
        network(images().cuda()).sum().backward()
        assert all(p.grad is not None and p.grad.is_cuda for p in network.parameters())

    def test_copies_and_pickles_are_independent(self):
        network = keras_model.adapted(small())
        network.layers[0].requires_grad_(False)
        network.eval()
        flags = [p.requires_grad for p in network.parameters()]
        for again in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
            assert torch.equal(again(images()), network(images()))
            assert [p.requires_grad for p in again.parameters()] == flags
            assert not again.training
            again.layers[0].kernel.data.zero_()
            assert network.layers[0].kernel.abs().sum() > 0

    def test_layers_inside_layers_are_found(self):
        inner = keras.Sequential([layers.Dense(5, activation="relu"), layers.BatchNormalization()])
        outer = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten(), inner, layers.Dense(2)])
        network = keras_model.adapted(outer)
        kinds = [type(layer).__name__ for layer in network.layers]
        assert kinds == ["KerasLinear", "KerasBatchNorm", "KerasLinear"]
        assert model.final_linear(network, 2) is network.layers[2]
        assert network.eval()(images(2, 4)).shape == (2, 2)

    def test_blocks_hold_every_parameter_once(self):
        network = keras_model.adapted(small())
        found = model.blocks(network)
        assert [name for name, _ in found] == ["conv2d", "conv2d_1", "dense"]
        assert [id(p) for _, group in found for p in group] == [id(p) for p in network.parameters()]

    def test_blocks_follow_the_words_of_the_names(self):
        names = [f"conv{i}_block{j}_{k}_conv" for i in (2, 3) for j in range(1, 15) for k in (1, 2)]
        held = [(name, nn.Linear(1, 1)) for name in ["conv1_conv", *names, "dense"]]
        two = [name for name, _ in keras_model._grouped(held, 2)]
        assert two == ["conv1_conv", *(f"conv{i}_block{j}" for i in (2, 3) for j in range(1, 15)), "dense"]
        assert [name for name, _ in keras_model._grouped(held, 1)] == ["conv1", "conv2", "conv3", "dense"]


class TestMistakes:
    def test_without_input_shape(self):
        with pytest.raises(PlateauError, match="has no variables yet; begin it with"):
            keras_model.adapted(keras.Sequential([layers.Dense(3)]))

    def test_another_backend(self, monkeypatch):
        monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
        with pytest.raises(PlateauError, match="on the jax backend; set KERAS_BACKEND=torch"):
            keras_model.adapted(small())

    def test_another_input_size(self, make_lab, classic):
        with pytest.raises(PlateauError) as caught:
            recipe_arm(make_lab(classic(base=SMALL)), make_arm({**BYTES, "preprocessing.size": 48}).recipe)
        assert str(caught.value).startswith("recipe.code: the network of build_model() at line 5 raised Val")
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("line", "hint"),
        [
            ("from tensorflow.keras import layers", "write `import keras` for `tensorflow.keras`"),
            ("import keras", "pip install keras"),
        ],
    )
    def test_a_missing_package(self, tmp_path, monkeypatch, line, hint):
        monkeypatch.setitem(sys.modules, "tensorflow", None)
        monkeypatch.setitem(sys.modules, "keras", None)
        (tmp_path / "mine.py").write_text(f"{line}\n")
        with pytest.raises(PlateauError) as caught:
            load_user_code(tmp_path / "mine.py")
        assert hint in str(caught.value)

    def test_other_modules_are_left_alone(self):
        network = nn.Linear(2, 2)
        assert keras_model.adapted(network) is network
        assert keras_model.adapted(3) == 3
