"""The Keras scripts: what a peek must say of each, and how each is broken by a line or two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Edits = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Broken:
    """Edits, the observation that they must lead to first of all, and text of the line that must be named."""

    code: str
    cause: str
    edits: Edits
    line: str
    offers: str  # the intervention that undoes it
    is_patched: bool = False


@dataclass(frozen=True)
class Case:
    """A script, the backend it runs on, and what is true of it."""

    facts: dict[str, Any]
    broken: dict[str, Broken]
    backend: str = "tensorflow"
    unasked: tuple[str, ...] = ()  # facts that the healthy script has as well
    lines: dict[str, str] = field(default_factory=dict)  # path into the peek → text of the line


LAST_FIT = """SGD(0.01), loss=loss, metrics=["accuracy"])
model.fit(x_train, one_hot, batch_size=8, epochs=1, validation_data=val"""
FADING = (
    LAST_FIT,
    f"""{LAST_FIT.replace("epochs=1", "epochs=6")},
          callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 * 0.1**epoch)]""",
)
OWN_LOSS = (
    "loss = keras.losses.CategoricalCrossentropy(from_logits=True)",
    "def loss(y, p):\n    return -keras.ops.sum(y * keras.ops.log(keras.ops.clip(p, 1e-7, 1.0)), -1)",
)
MOBILENET = "x = tf.keras.applications.mobilenet.preprocess_input(inputs)"
BY_GENERATOR = "val_gen = ImageDataGenerator(preprocessing_function=preprocess_input)"

CASES = {
    "functional": Case(
        {
            "keras.library": "keras", "model.base.name": "MobileNet", "model.base.expects": "tf",
            "keras.enters_as": {"training": "tf", "validation": "tf"}, "model.trains.layers": "everything",
            "optimizers.0.class": "Adam", "loss.function": "sparse_categorical_crossentropy",
            "loss.options.from_logits": True, "loss.on": "logits", "loaders.0.data_set.length": 48,
            "loaders.0.name": "train_ds", "loaders.0.batch_size": 16, "loaders.0.shuffle": True,
            "loaders.1.name": "val_ds", "loaders.1.shuffle": False, "model.head.outputs": 3,
            "loaders.1.labels.classes": ["amber", "blue", "green"], "training.modes.dropout.training": 1,
            "evaluation.modes.dropout.training": 0, "epochs.count": 2, "seen.steps": 2,
            "model.weights.0.tensors": 135, "model.weights.0.matched": 135,
        },
        {
            "range": Broken("preprocessing_unexpected", "preprocessing",
                            ((MOBILENET, "x = tf.keras.layers.Rescaling(1.0 / 255)(inputs)"),), "Rescaling(",
                            "preprocessing", is_patched=True),
            "logits": Broken("loss_input", "loss_function", (("from_logits=True", "from_logits=False"),),
                             "from_logits=False", "logits_to_loss", is_patched=True),
            "frozen": Broken("frozen_layers", "frozen_layers",
                             (("base_model.trainable = True", "base_model.trainable = False"),),
                             "trainable = False", "unfreeze", is_patched=True),
            "labels": Broken("labels_in_another_order", "label_mapping",
                             (("shuffle=False)", "shuffle=False, class_names=['green', 'blue', 'amber'])"),),
                             "val_ds = load(", "labels_mapped"),
            "rate": Broken("step_too_high", "learning_rate_high", (("learning_rate=1e-3", "learning_rate=0.1"),),
                           "Adam(", "rate"),
            "clone": Broken("weights_elsewhere", "weights_not_loaded",
                            (("base_model.trainable = True",
                              "base_model = tf.keras.models.clone_model(base_model)\nbase_model.trainable = True"),),
                            "clone_model(", "keep_loaded"),
            "random": Broken("weights_random", "weights_not_loaded",
                             (('weights="mobilenet.weights.h5"', "weights=None"),
                              ("base_model.trainable = True", "base_model.trainable = False")), "MobileNet(", ""),
            "warm": Broken("schedule_warms_long", "schedule",
                           (("learning_rate=1e-3",
                             "tf.keras.optimizers.schedules.PolynomialDecay(0.0, 1000, 1e-3)"),), "Adam(",
                           "rate_full"),
            "penalty": Broken("penalty_strong", "regularization",
                              (("Dense(3)", "Dense(3, kernel_regularizer=tf.keras.regularizers.L2(0.5))"),),
                              "Dense(3", "no_penalty"),
        },
        unasked=("training_overridden",),
        lines={"optimizers.0.place": "Adam(", "loss.built": "Crossentropy(", "epochs.place": "model.fit(",
               "model.base.place": "MobileNet(", "loaders.0.place": "train_ds = load(",
               "model.head.place": "Dense(3)"},
    ),
    "bottleneck": Case(
        {
            "model.base.name": "MobileNet", "model.base.expects": "tf", "model.head.outputs": 3,
            "keras.enters_as": {"training": "tf", "validation": "tf"}, "model.weights.0.matched": 135,
            "model.trains.layers": "sequential", "model.frozen.layers": "mobilenet_0.25_32",
            "loaders.0.name": "train_features", "loaders.0.image.tensor.shape": [6, 32, 32, 3],
            "training.modes.batch_norm.training": 0, "training.modes.dropout.training": 1,
        },
        {
            "frozen": Broken("computed_beforehand", "frozen_layers", (), "train_features = base.predict",
                             "unfreeze", is_patched=True),
            "range": Broken("preprocessing_unexpected", "preprocessing",
                            (("preprocess_input(keras.ops.image.resize(x_train, (32, 32)))",
                              "keras.ops.image.resize(x_train, (32, 32)) / 255"),
                             ("preprocess_input(keras.ops.image.resize(x_val, (32, 32)))",
                              "keras.ops.image.resize(x_val, (32, 32)) / 255")), "train_features = base.predict",
                            "preprocessing"),
        },
        unasked=("computed_beforehand",),
        lines={"computed_at": "train_features = base.predict", "model.base.place": "MobileNet("},
    ),
    "sequential": Case(
        {
            "model.base.name": "tiny", "model.base.expects": None, "loss.on": "probabilities",
            "keras.validation_split": 0.25, "loaders.0.data_set.length": 36, "loaders.1.data_set.length": 12,
            "keras.rescaling.0.class": "Rescaling", "seeds.keras.value": 7, "training.modes.batch_norm.training": 2,
        },
        {
            "apart": Broken("labels_off_folders", "label_noise",
                            (('x_test, y_test = load("data/test")\n',
                              'x_test, y_test = load("data/test")\nCLASSES = ["amber", "blue", "green"]\n'),
                             ("y_train[order], batch", "np.random.permutation(y_train), batch")), "model.fit(",
                            "labels_by_folder"),
            "part": Broken("passes_left_early", "training_length",
                           (("batch_size=8, epochs=2", "batch_size=8, steps_per_epoch=1, epochs=2"),), "model.fit(",
                           "whole_passes", is_patched=True),
            "split": Broken("split_of_sorted", "data_order",
                            (("x_train[order], y_train[order]", "x_train, y_train"),), "model.fit(",
                            "split_shuffled", is_patched=True),
            "relu": Broken("output_activation", "head", (('activation="softmax"', 'activation="relu"'),),
                           'activation="relu"', "logits_to_loss", is_patched=True),
            "logits": Broken("loss_input", "loss_function",
                             (('"sparse_categorical_crossentropy"',
                               "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"),),
                             "from_logits=True", "logits_to_loss", is_patched=True),
        },
    ),
    "subclassed": Case(
        {
            "model.parts.0.class": "Classifier", "model.unfrozen_later.layers": "tiny", "seen.fits": 2,
            "model.frozen.parameters": 0, "loaders.0.labels.shape": [48, 3], "optimizers.0.groups.0.momentum": 0.9,
        },
        {
            "stale": Broken("trainable_after_compile", "frozen_layers",
                            (('model.compile(optimizer=keras.optimizers.SGD(0.01), loss=loss, metrics=["accuracy"])\n',
                              ""),), "base.trainable = True", "compile_again", is_patched=True),
            "norms": Broken("frozen_batch_norms_train", "batch_norm",
                            (("base.trainable = False",
                              'for layer in base.layers:\n    layer.trainable = "bn" in layer.name'),
                             ("base.trainable = True\n", "")), "self.base(images", "batch_norm"),
            "judged": Broken("evaluates_in_training_mode", "evaluation",
                             (("training=training)))", "training=True)))"),
                              ("base.trainable = False", "base.trainable = True")), "self.base(images",
                             "evaluation_mode"),
            "logits": Broken("loss_input", "loss_function", (("from_logits=True", "from_logits=False"),),
                             "from_logits=False", "logits_to_loss", is_patched=True),
            "loss of its own": Broken("loss_input", "loss_function", (OWN_LOSS,), "Dense(classes)",
                                      "logits_to_loss", is_patched=True),
            "focal": Broken("loss_input", "loss_function",
                            (("CategoricalCrossentropy(from_logits=True)",
                              "CategoricalFocalCrossentropy(from_logits=False)"),),
                            "from_logits=False", "logits_to_loss", is_patched=True),
            "logits of a later fit": Broken(
                "loss_input", "loss_function",
                (("SGD(0.01), loss=loss",
                  "SGD(0.01), loss=keras.losses.CategoricalCrossentropy(from_logits=False)"),),
                "SGD(0.01)", "logits_to_loss", is_patched=True),
            "schedule of a later fit": Broken("schedule_fades", "schedule", (FADING,), "callbacks=",
                                              "schedule"),
        },
    ),
    "pipeline": Case(
        {
            "loaders.0.varies": True, "loaders.1.varies": False, "keras.callbacks.0.class": "EarlyStopping",
            "loaders.0.data_set.transform.steps": ["shuffle(1000)", "batch(8)", "map(augmented)"],
        },
        {
            "augmented": Broken("evaluation_augmented", "evaluation", (("map(plain)", "map(augmented)"),),
                                "val = val.batch", "evaluation_clean"),
            "order": Broken("not_shuffled", "data_order", (("train = train.shuffle(1000)\n", ""),),
                            "train = train.batch(8)", "shuffle"),
            "cache": Broken("augmented_once", "augmentation",
                            (("train = train.batch(8).map(augmented)", "train = train.batch(8).map(augmented).cache()"),),
                            ".cache()", "augmented_anew"),
            "buffer": Broken("hardly_shuffled", "data_order", (("shuffle(1000)", "shuffle(6)"),),
                             "train.shuffle(6)", "shuffle", is_patched=True),
            "waits": Broken("callback_waits", "training_length",
                            (("EarlyStopping(patience=3)", 'EarlyStopping("val_accuracy", patience=3, mode="min")'),
                             ("epochs=2", "epochs=40")), "EarlyStopping(", "callback_turned"),
            "range": Broken("evaluation_normalised_otherwise", "evaluation",
                            (("    return rescale(image), label\n\n\ntrain", "    return image, label\n\n\ntrain"),),
                            "val = val.batch", "evaluation_normalised"),
        },
    ),
    "generator": Case(
        {
            "model.base.is_nested": False, "model.base.name": "MobileNet", "loaders.0.varies": True,
            "loaders.1.varies": False, "keras.enters_as.training": "tf", "loaders.0.data_set.length": 48,
            "loaders.0.data_set.folder": "data/train",
        },
        {
            "labels": Broken("labels_in_another_order", "label_mapping",
                             (("    classes=CLASSES,\n", "    classes=CLASSES[::-1],\n"),),
                             "val_flow = ", "labels_mapped"),
            "range": Broken("preprocessing_unexpected", "preprocessing",
                            (("preprocessing_function=preprocess_input, horizontal_flip", "rescale=1 / 255, horizontal_flip"),
                             (BY_GENERATOR, "val_gen = ImageDataGenerator(rescale=1 / 255)")),
                            "train_gen = ", "preprocessing", is_patched=True),
            "order": Broken("not_shuffled", "data_order",
                            (("batch_size=16, classes=CLASSES)\n", "batch_size=16, classes=CLASSES, shuffle=False)\n"),),
                            "train_flow = ", "shuffle", is_patched=True),
            "clipped": Broken("gradients_clipped_away", "training_loop",
                              (("momentum=0.9)", "momentum=0.9, clipnorm=1e-4)"),), "SGD(", "no_clipping",
                              is_patched=True),
            "augmented": Broken("evaluation_augmented", "evaluation",
                                ((BY_GENERATOR, f"{BY_GENERATOR[:-1]}, rotation_range=40)"),), "val_gen = ",
                                "evaluation_clean"),
        },
    ),
    "hub_layer": Case(
        {"keras.library": "tf_keras", "model.base.is_hub": True, "model.base.expects": "unit",
         "keras.enters_as.training": "unit", "model.trains.layers": "everything", "loaders.1.shuffle": True},
        {
            "frozen": Broken("frozen_layers", "frozen_layers", ((", trainable=True", ""),), "KerasLayer(",
                             "unfreeze", is_patched=True),
            "range": Broken("preprocessing_unexpected", "preprocessing", (("Rescaling(1.0 / 255)", "Rescaling(1.0)"),),
                            "Rescaling(1.0)", "preprocessing", is_patched=True),
        },
    ),
    "legacy": Case(
        {"keras.library": "tf_keras", "schedules.0.class": "ExponentialDecay", "gradients.clipping.function": "clipnorm",
         "gradients.clipping.limit": 1.0, "training.modes.batch_norm.training": 0, "model.base.training": False},
        {
            "frozen": Broken("frozen_layers", "frozen_layers", (("base.trainable = True", "base.trainable = False"),),
                             "trainable = False", "unfreeze", is_patched=True),
            "clone": Broken("weights_elsewhere", "weights_not_loaded",
                            (("base.trainable = True", "base = tf_keras.models.clone_model(base)\nbase.trainable = True"),),
                            "clone_model(", "keep_loaded"),
            "penalty": Broken("penalty_strong", "regularization",
                              (('activation="softmax"',
                                'activation="softmax", kernel_regularizer=tf_keras.regularizers.l1(0.3)'),),
                              "Dense(3", "no_penalty"),
            "logits": Broken("loss_input", "loss_function", ((', activation="softmax"', ""),), "model.compile(",
                             "logits_to_loss", is_patched=True),
        },
    ),
    "on_torch": Case(
        {"keras.backend": "torch", "loaders.0.shuffle": True, "loaders.0.data_set.length": 48,
         "optimizers.0.class": "AdamW"},
        {
            "order": Broken("not_shuffled", "data_order", (('"train", shuffle=True', '"train", shuffle=False'),),
                            "model.fit(", "shuffle"),
            "logits": Broken("loss_input", "loss_function", (("from_logits=True", "from_logits=False"),),
                             "from_logits=False", "logits_to_loss", is_patched=True),
        },
        backend="torch",
    ),
    "on_jax": Case(
        {"keras.backend": "jax", "loaders.0.data_set.class": "Batches", "seeds.keras.value": 3},
        {
            "order": Broken("not_shuffled", "data_order", (('"train", shuffle=True', '"train", shuffle=False'),),
                            "train_data = ", "shuffle"),
            "rate": Broken("step_too_high", "learning_rate_high", (("Adam(1e-3)", "Adam(0.1)"),), "Adam(",
                           "rate"),
        },
        backend="jax",
    ),
}  # fmt: skip


def at(content: Any, path: str) -> Any:
    """Returns what stands at a dotted path of a document."""
    for part in path.split("."):
        content = content[int(part)] if part.isdecimal() else content[part]
    return content
