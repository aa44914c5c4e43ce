"""Public training scripts in four styles, and how each is broken by one edit; what has to be named first, and where."""

from __future__ import annotations

from dataclasses import dataclass

# ruff: noqa: E501 - an edit is one line

FREEZE = "requires_grad"
HALF = "transforms.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])"


@dataclass(frozen=True)
class Fault:
    """One edit of a script.

    Attributes:
        kind: of the fault.
        old, new: the edit.
        causes: any of which is right.
        lines: texts, one of which the named line must hold; none: any line of the script.
        arguments: of the command line, instead of an edit.
    """

    kind: str
    old: str
    new: str
    causes: frozenset[str]
    lines: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


def _of(kind: str, old: str, new: str, causes: str, *lines: str, arguments: tuple[str, ...] = ()) -> Fault:
    return Fault(kind, old, new, frozenset(causes.split()), lines, arguments)


LOSS = "loss_function head"
HELD = "optimizer_parameters weights_update head"
EVALUATED = "evaluation preprocessing"
STILL = "batch_norm training_loop"
# fmt: off
FAULTS: dict[str, tuple[Fault, ...]] = {
    "tutorial": (
        _of('freeze', 'num_ftrs = model_ft', 'for param in model_ft.parameters():\n    param.requires_grad = False\nnum_ftrs = model_ft', 'frozen_layers', FREEZE),
        _of('not_normalised', f'        transforms.ToTensor(),\n        {HALF}\n    ]),\n}}', '        transforms.ToTensor()\n    ]),\n}', EVALUATED, "'val': transforms", 'ImageFolder('),
        _of('no_zero_grad', '                    optimizer.zero_grad()\n', '', 'training_loop', 'optimizer.step()', 'loss.backward()'),
        _of('softmax', 'nn.Linear(num_ftrs, len(class_names))', 'nn.Sequential(nn.Linear(num_ftrs, len(class_names)), nn.Softmax(dim=1))', LOSS, 'Softmax'),
        _of('labels', 'data_transforms[x]) for', "data_transforms[x], target_transform=None if x == 'train' else lambda y: 9 - y) for", 'label_mapping', 'ImageFolder('),
        _of('rate', 'lr=0.01', 'lr=1.0', 'learning_rate_high', 'optim.SGD('),
        _of('early_optimizer', 'num_ftrs = model_ft', 'optimizer_ft = optim.SGD(model_ft.parameters(), lr=0.01, momentum=0.9)  # early\nnum_ftrs = model_ft', HELD, '# early'),
        _of('eval_mode', '                    model.train()\n', '                    model.eval()  # left on\n', STILL, '# left on'),
        _of('augmented', 'transforms.RandomHorizontalFlip()', 'transforms.RandomResizedCrop(48, scale=(0.02, 0.1)), transforms.RandomRotation(180)', 'augmentation', "'train': transforms", 'ImageFolder('),
    ),
    "flags": (
        _of('freeze', '', '', 'frozen_layers', FREEZE, arguments=('--linear-probe',)),
        _of('not_normalised', 'T.CenterCrop(48), T.ToTensor(), T.Normalize(mean, std)])', 'T.CenterCrop(48), T.ToTensor()])', EVALUATED, 'eval_tf', 'val_ds'),
        _of('no_zero_grad', '        optimizer.zero_grad(set_to_none=True)\n', '', 'training_loop', 'optimizer.step()', 'loss.backward()'),
        _of('softmax', 'loss = F.cross_entropy(logits, targets)', 'loss = F.cross_entropy(logits.softmax(dim=-1), targets)', LOSS, 'softmax'),
        _of('labels', '    val_ds = ImageFolder(f"{args.data_root}/val", transform=eval_tf)\n', '    val_ds = ImageFolder(f"{args.data_root}/val", transform=eval_tf, target_transform=lambda y: (y + 1) % 10)\n', 'label_mapping', 'val_ds', 'val_loader'),
        _of('rate', '', '', 'learning_rate_high', 'AdamW(', arguments=('--lr', '0.2')),
        _of('early_optimizer', '    params = [p for p in model.parameters() if p.requires_grad]\n', '    params = [p for p in model.parameters() if p.requires_grad]\n    model.reset_classifier(num_classes)\n', HELD, 'AdamW(', 'reset_classifier'),
        _of('eval_mode', '    model.train()\n', '    model.eval()  # left on\n', STILL, '# left on'),
        _of('decay', 'weight_decay=args.weight_decay)', 'weight_decay=400.0)', 'regularization', 'weight_decay=400'),
    ),
    "own_data_set": (
        _of('freeze', '        width = self', '        for p in self.backbone.parameters():\n            p.requires_grad = False\n        width = self', 'frozen_layers', FREEZE),
        _of('not_normalised', 'valid_transform = transforms.Compose([*to_input, norm])', 'valid_transform = transforms.Compose(to_input)', EVALUATED, 'valid_transform', 'valid_data'),
        _of('no_zero_grad', '        optimizer.zero_grad()\n', '', 'training_loop', 'optimizer.step()', 'loss.backward()'),
        _of('softmax', 'nn.Linear(64, num_classes))', 'nn.Linear(64, num_classes), nn.Softmax(1))', LOSS, 'Softmax'),
        _of('labels', 'valid_transform)\ntrain_loader', 'valid_transform, CLASSES[::-1])\ntrain_loader', 'label_mapping', 'valid_data', 'valid_loader', 'label'),
        _of('rate', 'lr=1e-3', 'lr=1e-1', 'learning_rate_high', 'Adam('),
        _of('early_optimizer', 'loss_fn = nn.Cross', 'optimizer = torch.optim.Adam(model.backbone.parameters(), lr=1e-3)  # early\nloss_fn = nn.Cross', HELD, '# early'),
        _of('eval_mode', '    model.train()\n', '    model.eval()  # left on\n', STILL, '# left on'),
        _of('dropout', 'nn.Dropout(0.2)', 'nn.Dropout(0.97)', 'regularization', 'Dropout('),
    ),
    "trainer": (
        _of('freeze', '        self.model.fc = nn', '        self.model.requires_grad_(False)\n        self.model.fc = nn', 'frozen_layers', FREEZE),
        _of('not_normalised', '    ops += [v2.Normalize([0.5] * 3, [0.5] * 3)]\n', '    if train:\n        ops += [v2.Normalize([0.5] * 3, [0.5] * 3)]\n', EVALUATED, 'v2.Compose', 'v2.Normalize', 'val_set', 'if train'),
        _of('no_zero_grad', '            self.optimizer.zero_grad()\n', '', 'training_loop', 'optimizer.step()', 'loss.backward()'),
        _of('softmax', 'self.criterion(self.model(x), y)', 'self.criterion(torch.softmax(self.model(x), 1), y)', LOSS, 'softmax'),
        _of('labels', 'make_transform(cfg, False))\n', 'make_transform(cfg, False), target_transform=[3, 0, 4, 1, 2, 9, 5, 6, 8, 7].__getitem__)\n', 'label_mapping', 'val_set', 'val_loader'),
        _of('rate', 'base_lr: float = 0.02', 'base_lr: float = 2.0', 'learning_rate_high', 'SGD(', 'base_lr'),
        _of('early_optimizer', '        self.model.fc = nn.Linear(self.model.fc.in_features, len(self.train_set.classes))\n', '        self.optimizer = torch.optim.SGD(self.model.parameters(), cfg.base_lr, momentum=0.9)  # early\n        self.model.fc = nn.Linear(self.model.fc.in_features, len(self.train_set.classes))\n', HELD, '# early'),
        _of('eval_mode', '        self.model.train()\n', '        self.model.eval()  # left on\n', STILL, '# left on'),
    ),
    "keras_tutorial": (
        _of('freeze', '    layer.trainable = True', '    layer.trainable = False', 'frozen_layers', 'trainable = False'),
        _of('rescaled', 'x = tf.keras.applications.mobilenet.preprocess_input(inputs)', 'x = tf.keras.layers.Rescaling(1.0 / 255)(inputs)', 'preprocessing', 'Rescaling'),
        _of('bytes', 'x = tf.keras.applications.mobilenet.preprocess_input(inputs)\nx = base_model(x)', 'x = base_model(inputs)', 'preprocessing'),
        _of('labels', 'image_size=(48, 48), batch_size=64, shuffle=False)', 'image_size=(48, 48), batch_size=64, shuffle=False, class_names=list("1234567890"))', 'label_mapping', 'val_ds'),
        _of('logits', 'SparseCategoricalCrossentropy()', 'SparseCategoricalCrossentropy(from_logits=True)', LOSS, 'from_logits', 'softmax'),
        _of('stale', 'history = model.fit(train_ds,', "base_model.trainable = False\nmodel.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])\nmodel.fit(train_ds, validation_data=val_ds, epochs=1)\nbase_model.trainable = True  # without compile\nhistory = model.fit(train_ds,", 'frozen_layers', '# without compile', 'fit(', 'compile('),
        _of('rate', '', '', 'learning_rate_high', 'Adam(', 'args.lr', arguments=('--lr', '0.1')),
        _of('sorted', 'batch_size=16, seed=3)', 'batch_size=16, shuffle=False)', 'data_order', 'train_ds'),
    ),
    "keras_generator": (
        _of('freeze', 'model = keras.models.Sequential()', 'for layer in conv_base.layers:\n    layer.trainable = False\n\nmodel = keras.models.Sequential()', 'frozen_layers', 'trainable = False'),
        _of('not_preprocessed', 'test_datagen = ImageDataGenerator(preprocessing_function=preprocess_input)', 'test_datagen = ImageDataGenerator()', EVALUATED, 'test_datagen', 'validation_generator'),
        _of('rescaled', 'preprocessing_function=preprocess_input, width_shift_range=0.05)\ntest_datagen = ImageDataGenerator(preprocessing_function=preprocess_input)', 'rescale=1.0 / 255, width_shift_range=0.05)\ntest_datagen = ImageDataGenerator(rescale=1.0 / 255)', 'preprocessing', 'train_datagen', 'test_datagen', '_generator'),
        _of('labels', 'class_mode="categorical", shuffle=False', 'class_mode="categorical", shuffle=False, classes=list("9876543210")', 'label_mapping', 'validation_generator'),
        _of('rate', 'learning_rate=1e-3', 'learning_rate=0.1', 'learning_rate_high', 'learning_rate'),
        _of('sorted', 'class_mode="categorical", seed=1', 'class_mode="categorical", shuffle=False', 'data_order', 'train_generator'),
        _of('augmented', 'test_datagen = ImageDataGenerator(preprocessing_function=preprocess_input)', 'test_datagen = ImageDataGenerator(preprocessing_function=preprocess_input, rotation_range=180)', 'evaluation', 'test_datagen', 'validation_generator'),
        _of('activation', 'activation="softmax"', 'activation="relu"', LOSS, 'relu', 'loss='),
    ),
    "keras_arrays": (
        _of('freeze', 'backbone.trainable = True', 'backbone.trainable = False', 'frozen_layers', 'trainable = False'),
        _of('not_scaled', 'x_val = x_val / 127.5 - 1.0\n', '', EVALUATED),
        _of('unit', 'x_train = x_train / 127.5 - 1.0\nx_val = x_val / 127.5 - 1.0', 'x_train = x_train / 255.0\nx_val = x_val / 255.0', 'preprocessing'),
        _of('logits', 'layers.Dense(classes)', 'layers.Dense(classes, activation="softmax")', LOSS, 'softmax', 'from_logits'),
        _of('rate', 'learning_rate=0.003', 'learning_rate=3.0', 'learning_rate_high', 'SGD('),
        _of('eval_mode', 'x = self.backbone(x, training=training)', 'x = self.backbone(x, training=True)', 'batch_norm evaluation', 'training=True'),
    ),
}
# fmt: on
