"""The scripts: how each is run, what a peek must say of it, and how each is broken by one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Broken:
    """One edit, the observation it must lead to, and text of the line that must be named."""

    code: str
    old: str
    new: str
    line: str
    file: str = "train.py"  # that is edited
    named: str | None = None  # that is named, where it is another
    is_patched: bool = False  # whether the decision stands there in plain sight


@dataclass(frozen=True)
class Case:
    """A script and what is true of it."""

    facts: dict[str, Any]
    lines: dict[str, tuple[str, str]]  # path into the peek → file and text of the line
    broken: list[Broken]
    run: dict[str, Any] = field(default_factory=dict)


IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
TRAIN, VAL = "loaders.0", "loaders.1"
COMMON = {
    f"{TRAIN}.role": "train", f"{VAL}.role": "evaluation", "seen.steps": 2, "seen.is_so_far": False,
    "training.modes.training": True, "evaluation.modes.training": False, "epochs.count": 2,
    "gradients.are_cleared": True, "problems": [], "model.frozen.parameters": 0,
    "model.not_held.parameters": 0, "model.strangers.parameters": 0, "model.trains.layers": "everything",
}  # fmt: skip

CASES = {
    "tutorial": Case(
        {
            "model.parts.0.class": "torchvision.models.resnet.ResNet", "model.parts.0.name": "model_ft",
            "model.head.name": "fc", "model.head.outputs": 3, "optimizers.0.class": "optim.SGD",
            "optimizers.0.groups.0.lr": 0.001, "optimizers.0.groups.0.momentum": 0.9,
            "schedules.0.class": "lr_scheduler.StepLR", "schedules.0.stepped_every": "epoch",
            "schedules.0.options.step_size": 7, "loss.function": "nn.CrossEntropyLoss", "loss.on": "logits",
            f"{TRAIN}.name": 'dataloaders["train"]', f"{TRAIN}.batch_size": 8, f"{TRAIN}.shuffle": True,
            f"{TRAIN}.data_set.length": 48, f"{VAL}.data_set.length": 24, f"{VAL}.shuffle": True,
            f"{TRAIN}.image.normalisation.channels": "rgb", f"{TRAIN}.varies": True, f"{VAL}.varies": False,
            f"{TRAIN}.labels.class_to_idx": {"amber": 0, "blue": 1, "green": 2},
            "training.modes.batch_norm": {"count": 20, "training": 20}, "seeds.torch.value": 0,
            "evaluation.modes.batch_norm": {"count": 20, "training": 0}, "average": None,
        },
        {
            "optimizers.0.place": ("train.py", "optim.SGD("), "optimizers.0.step": ("train.py", "optimizer.step()"),
            "gradients.cleared_at": ("train.py", "zero_grad()"), "loss.built": ("train.py", "CrossEntropyLoss()"),
            "loss.place": ("train.py", "criterion(outputs"), "schedules.0.place": ("train.py", "StepLR("),
            "schedules.0.step": ("train.py", "scheduler.step()"), "model.parts.0.place": ("train.py", "models.resnet18("),
            "model.head.place": ("train.py", "model_ft.fc = "), f"{TRAIN}.data_set.place": ("train.py", "ImageFolder("),
            f"{TRAIN}.data_set.transform.place": ("train.py", '"train": transforms'),
            f"{VAL}.data_set.transform.place": ("train.py", '"val": transforms'),
            "training.set_at": ("train.py", "model.train()"), "evaluation.set_at": ("train.py", "model.eval()"),
            "seeds.torch.place": ("train.py", "manual_seed("), "epochs.place": ("train.py", "range(num_epochs)"),
        },
        [
            Broken("optimizer_parameters", "SGD(model_ft.parameters()", "SGD(model_ft.fc.parameters()", "optim.SGD(",
                   is_patched=True),
            Broken("evaluation_normalised_otherwise",
                   "        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),\n    ]),\n}",
                   "    ]),\n}", '"val": transforms', is_patched=True),
            Broken("gradients_not_cleared", "                optimizer.zero_grad()\n", "", "optimizer.step()",
                   is_patched=True),
            Broken("step_too_low", "lr=0.001", "lr=1e-9", "optim.SGD("),
            Broken("evaluation_seen_otherwise", '"val": transforms.Compose([\n        transforms.Resize((32, 32))',
                   '"val": transforms.Compose([\n        transforms.Resize((99, 99)), transforms.CenterCrop(32)',
                   '"val": transforms'),
            Broken("training_sees_part", '"train": transforms.Compose([\n        transforms.Resize((32, 32))',
                   '"train": transforms.Compose([\n        transforms.RandomResizedCrop(32, scale=(0.02, 0.05))',
                   '"train": transforms'),
            Broken("passes_left_early", "                running_corrects += torch.sum(preds == labels.data)\n",
                   "                running_corrects += torch.sum(preds == labels.data)\n                break\n", "break",
                   is_patched=True),
            Broken("few_images_read", "dataloaders = {\n",
                   'image_datasets["train"] = torch.utils.data.Subset(image_datasets["train"], range(0, 48, 6))\n'
                   "dataloaders = {\n", "Subset("),
            Broken("classes_drawn_apart", "batch_size=8, shuffle=True, num_workers=0)",
                   "batch_size=8, sampler=torch.utils.data.WeightedRandomSampler(\n"
                   "        [0.001 if y else 1.0 for y in image_datasets[x].targets], 48))", "DataLoader("),
        ],
    ),
    "package": Case(
        {
            "model.parts.0.class": "pkg.model.Net", "script.is_module": True, "optimizers.0.groups.0.lr": 0.05,
            "optimizers.0.groups.0.weight_decay": 1e-4, "schedules": [], "loss.options.label_smoothing": 0.1,
            "gradients.clipping.limit": 5.0, "gradients.clipping.function": "clip_grad_norm_",
            f"{TRAIN}.name": "train_loader", f"{TRAIN}.drop_last": True, f"{TRAIN}.batch_size": 12,
            f"{VAL}.name": "val_loader", "loaders.2.role": "unread", "loaders.2.data_set.length": 18,
            f"{TRAIN}.data_set.class": "pkg.data.Folder", f"{TRAIN}.varies": True,
            f"{VAL}.labels.by_folder": {"amber": 0, "blue": 1, "green": 2},
            "training.modes.dropout": {"count": 1, "training": 1}, "seeds.random.value": 3,
            "seeds.numpy.value": 3, "seeds.torch.value": 3, "model.head.name": "head",
        },
        {
            "gradients.clipping.place": ("pkg/train.py", "clip_grad_norm_("),
            "loss.built": ("pkg/train.py", "CrossEntropyLoss("), "epochs.place": ("pkg/train.py", "range(args.epochs)"),
            f"{VAL}.data_set.place": ("pkg/data.py", "val_set = "), f"{TRAIN}.place": ("pkg/data.py", "drop_last=True"),
            "seeds.numpy.place": ("pkg/utils.py", "np.random.seed"), "model.parts.0.place": ("pkg/train.py", "Net(3)"),
            "model.head.place": ("pkg/model.py", "self.head = "),
        },
        [
            Broken("loss_input", "self.head(self.dropout(x))", "self.head(self.dropout(x)).softmax(1)", ".softmax(1)",
                   "pkg/model.py", is_patched=True),
            Broken("labels_in_another_order", "sorted(os.listdir(root))", "sorted(os.listdir(root), reverse=not train)",
                   "val_set = ", "pkg/data.py"),
            Broken("evaluation_normalised_otherwise", "image.astype(np.float32) / 255 - 0.5) / 0.25",
                   "image.astype(np.float32) / 255 - self.train * 0.5) / (0.25 if self.train else 1)", "val_set = ",
                   "pkg/data.py"),
            Broken("gradients_clipped_away", "default=5.0", "default=0.0001", "clip_grad_norm_(", "pkg/train.py",
                   is_patched=True),
        ],
        {"target": "pkg.train", "is_module": True, "arguments": ["--data", "data", "--epochs", "2"]},
    ),
    "functions": Case(
        {
            "model.parts.0.class": "torchvision.models.mobilenetv3.MobileNetV3", "model.parts.0.name": "net",
            "optimizers.0.class": "optim.AdamW", "loss.function": "cross_entropy", "loss.built": None,
            f"{TRAIN}.image.tensor.shape": [48, 3, 28, 28], f"{TRAIN}.name": "train_loader",
            f"{VAL}.name": "test_loader", "optimizers.0.name": "opt", "evaluation.has_gradients": False,
        },
        {
            "optimizers.0.place": ("train.py", "optim.AdamW("), "loss.place": ("train.py", "F.cross_entropy("),
            f"{TRAIN}.data_set.transform.place": ("train.py", "train_tf = "),
            "model.parts.0.place": ("train.py", "net = mobilenet_v3_small("),
        },
        [
            Broken("evaluates_in_training_mode", "    net.eval()\n", "", "        for x, y in loader:",
                   is_patched=True),
            Broken("frozen_layers", "    return net\n",
                   "    for p in net.features.parameters(): p.requires_grad = False\n    return net\n",
                   "requires_grad = False", is_patched=True),
            Broken("step_too_high", "lr=1e-3", "lr=10.0", "optim.AdamW("),
        ],
    ),
    "module_level": Case(
        {
            "model.parts.0.class": "nn.Sequential", "optimizers.0.class": "optim.Adam",
            f"{TRAIN}.data_set.class": "Subset", f"{TRAIN}.data_set.length": 36, f"{VAL}.data_set.length": 12,
            f"{TRAIN}.data_set.within": ["torchvision.datasets.folder.ImageFolder"],
            "training.modes.dropout": {"count": 1, "training": 1}, f"{TRAIN}.varies": False,
        },
        {"loss.built": ("train.py", "CrossEntropyLoss()"), "optimizers.0.place": ("train.py", "optim.Adam(")},
        [
            Broken("loss_input", "nn.Linear(8 * 7 * 7, 3),", "nn.Linear(8 * 7 * 7, 3), nn.Softmax(dim=1),", "nn.Softmax",
                   is_patched=True),
            Broken("evaluates_in_training_mode", "    model.eval()\n", "", "accuracy = sum("),
            Broken("trains_in_evaluation_mode", "    model.train()\n", "    model.eval()  # why?\n", "# why?",
                   is_patched=True),
        ],
    ),
    "hugging_face": Case(
        {
            "model.parts.0.class": "transformers.models.vit.modeling_vit.ViTForImageClassification",
            "loss.inside_model": True, "loss.on": "logits", "optimizers.0.groups.0.weight_decay": 0.01,
            "optimizers.0.groups.1.weight_decay": 0.0, "schedules.0.class": "lr_scheduler.LambdaLR",
            "schedules.0.stepped_every": "batch", f"{TRAIN}.image.tensor.shape": [48, 3, 16, 16],
            "training.output.shape": [8, 3], f"{VAL}.name": "eval_dataloader",
        },
        {
            "loss.place": ("train.py", "outputs = model(**batch)"),
            "schedules.0.place": ("train.py", "lr_scheduler = get_linear"),
            "gradients.cleared_at": ("train.py", "optimizer.zero_grad()"),
        },
        [
            Broken("gradients_not_cleared", "        optimizer.zero_grad()\n", "", "optimizer.step()", is_patched=True),
            Broken("optimizer_parameters", "AdamW(grouped, lr", "AdamW(model.classifier.parameters(), lr",
                   "optim.AdamW(", is_patched=True),
            Broken("evaluates_in_training_mode", "    model.eval()\n", "", "for batch in eval_dataloader:",
                   is_patched=True),
        ],
    ),
    "timm_style": Case(
        {
            "model.parts.0.class": "timm.models.resnet.ResNet", "optimizers.0.class": "optim.AdamW",
            "loss.function": "timm.loss.cross_entropy.LabelSmoothingCrossEntropy", "loss.on": "logits",
            f"{TRAIN}.name": "loader_train", f"{TRAIN}.varies": True, f"{TRAIN}.drop_last": True,
            f"{VAL}.image.tensor.shape": [24, 3, 32, 32], "optimizers.0.groups.0.lr": 1e-4,
            "schedules.0.class": "timm.scheduler.cosine_lr.CosineLRScheduler", "schedules.0.options.warmup_t": 1,
            "schedules.0.stepped_every": "epoch", "optimizers.0.rates_by_hand": [],
        },
        {"model.parts.0.place": ("train.py", "timm.create_model("), f"{VAL}.place": ("train.py", "loader_eval = "),
         "schedules.0.place": ("train.py", "scheduler = CosineLRScheduler("),
         "optimizers.0.place": ("train.py", "create_optimizer_v2(model")},
        [
            Broken("loss_input", "train_loss_fn(output, target)", "train_loss_fn(output.softmax(-1), target)",
                   ".softmax(-1)", is_patched=True),
            Broken("evaluation_normalised_otherwise", "batch_size=8, **cfg)",
                   'batch_size=8, **{**cfg, "mean": (0, 0, 0), "std": (1, 1, 1)})', "loader_eval = "),
        ],
    ),
    "reference": Case(
        {
            "schedules.2.class": "lr_scheduler.SequentialLR", "schedules.2.stepped_every": "epoch",
            "schedules.0.part_of": "lr_scheduler.SequentialLR", "schedules.0.stepped_every": None,
            "schedules.2.options.milestones": [1], "optimizers.0.rates_by_hand": [],
            "optimizers.0.groups.0.weight_decay": 0.0, "optimizers.0.groups.1.weight_decay": 1e-4,
            "optimizers.0.groups.0.lr": 0.01, f"{TRAIN}.sampler.class": "RandomSampler", f"{TRAIN}.shuffle": True,
            f"{VAL}.shuffle": False, "loss.options.label_smoothing": 0.1,
        },
        {"schedules.2.place": ("train.py", "lr_scheduler = torch.optim.lr_scheduler.SequentialLR"),
         f"{TRAIN}.data_set.transform.place": ("train.py", "return T.Compose(steps)")},
        [
            Broken("evaluation_augmented", "    if train:\n", "    if True:\n", "return T.Compose(steps)"),
            Broken("step_too_high", "default=0.02", "default=200.0", "torch.optim.SGD("),
            Broken("evaluates_in_training_mode", "    model.eval()\n", "",
                   "        for image, target in data_loader:", is_patched=True),
        ],
    ),
    "by_hand": Case(
        {
            "optimizers.0.groups.0.lr": 0.01, "optimizers.0.rates_by_hand.0.rate": 0.01,
            "model.parts.0.name": "backbone", "model.parts.1.name": "head", "schedules": [],
            "optimizers.0.groups.0.holds": "backbone, head",
        },
        {"optimizers.0.rates_by_hand.0.place": ("train.py", 'group["lr"] = lr')},
        [
            Broken("optimizer_parameters", "[*backbone.parameters(), *head.parameters()]", "head.parameters()",
                   "optim.SGD(", is_patched=True),
            Broken("no_gradient", "features = backbone(images)", "features = backbone(images).detach()",
                   "features = backbone(images)", is_patched=True),
            Broken("evaluation_normalised_otherwise",
                   "val_transform = transforms.Compose([transforms.Resize((16, 16)), transforms.ToTensor(), norm])",
                   "val_transform = transforms.Compose([transforms.Resize((16, 16)), transforms.ToTensor()])",
                   "val_transform = ", is_patched=True),
        ],
    ),
    "accumulation": Case(
        {
            "gradients.backward_calls_per_step": 2, "gradients.scaler.enabled": False,
            "training.autocast": "bfloat16", "evaluation.autocast": None, "gradients.clipping.limit": 1.0,
            f"{TRAIN}.batch_size": 4, f"{TRAIN}.image.normalisation.mean": [0.5, 0.5, 0.5],
            "training.modes.batch_norm": {"count": 1, "training": 1},
        },
        {"gradients.scaler.place": ("train.py", "scaler.step(optimizer)"),
         "training.place": ("train.py", 'logits = model(batch["image"])')},
        [
            Broken("gradients_not_cleared", "                optimizer.zero_grad()\n", "", "scaler.step(optimizer)",
                   is_patched=True),
            Broken("labels_in_another_order", "CLASSES.index(self.files[i].split(os.sep)[-2])}",
                   "(CLASSES if len(self) > 30 else CLASSES[::-1]).index(self.files[i].split(os.sep)[-2])}",
                   "val_dl = "),
        ],
    ),
    "averaged": Case(
        {
            "average.class": "AveragedModel", "average.name": "ema_model", "optimizers.0.class": "optim.RMSprop",
            "evaluation.model": "ema_model", "training.model": "model",
        },
        {"average.place": ("train.py", "ema_model = ")},
        [
            Broken("evaluates_in_training_mode", "    ema_model.eval()\n", "", "for x, y in val_iter:", is_patched=True),
            Broken("optimizer_before_head", "lr=1e-3)\n", "lr=1e-3)\nmodel.fc = nn.Linear(16, 3)\n", "RMSprop("),
        ],
    ),
    "in_memory": Case(
        {
            f"{TRAIN}.data_set.class": "TensorDataset", f"{TRAIN}.image.raw": None, "model.head.outputs": 1,
            "loss.function": "nn.BCEWithLogitsLoss", "loss.on": "logits", "evaluation.has_gradients": True,
            f"{TRAIN}.image.tensor.shape": [48, 1, 12, 12], f"{VAL}.name": "test_loader",
            f"{VAL}.labels.seen": {"0": 8, "1": 8},
        },
        {"loss.built": ("train.py", "BCEWithLogitsLoss()"), f"{TRAIN}.place": ("train.py", "train_loader = ")},
        [
            Broken("loss_input", "net(xb).squeeze(1)\n", "net(xb).squeeze(1).sigmoid()\n", ".sigmoid()",
                   is_patched=True),
            Broken("no_steps", "        optimizer.step()\n", "", "loss.backward()"),
            Broken("dropout_in_evaluation", "self.drop(x.mean((2, 3)))",
                   "nn.functional.dropout(x.mean((2, 3)), 0.5)", "nn.functional.dropout(", is_patched=True),
        ],
    ),
    "weighted": Case(
        {
            "model.parts.0.within": ["DataParallel"], f"{TRAIN}.sampler.class": "WeightedRandomSampler",
            f"{TRAIN}.workers": 1, "schedules.0.class": "lr_scheduler.OneCycleLR",
            "schedules.0.stepped_every": "batch", "optimizers.0.groups.1.holds": "fc",
            "model.weights.0.matched": 120, "model.weights.0.tensors": 122,
        },
        {"model.weights.0.place": ("train.py", "model.load_state_dict("),
         "model.head.place": ("train.py", "model.fc = nn.Linear")},
        [
            Broken("schedule_mistimed", "            scheduler.step()\n        model.eval()",
                   "        scheduler.step()\n        model.eval()", "scheduler.step()"),
            Broken("weights_not_loaded", 'torch.load("resnet18.pt", weights_only=True)',
                   '{f"m.{k}": v for k, v in torch.load("resnet18.pt", weights_only=True).items()}',
                   "model.load_state_dict("),
        ],
    ),
    "shadows": Case(
        {
            "model.parts.0.class": "model.LogNet", "model.parts.0.within": [],
            "loss.function": "nn.NLLLoss", "loss.on": "log-probabilities",
            "optimizers.0.groups.0.nesterov": True, "model.parts.0.name": "self.model",
        },
        {"model.parts.0.place": ("model.py", "return LogNet("), "compiled": ("train.py", "torch.compile("),
         f"{VAL}.data_set.transform.place": ("transforms.py", "eval_transform = ")},
        [
            Broken("trains_in_evaluation_mode", "        self.model.train()\n", "", "self.model.eval()",
                   is_patched=True),
            Broken("loss_input", "F.log_softmax(", "F.softmax(", "F.softmax(", "model.py", is_patched=True),
        ],
    ),
}  # fmt: skip
BROKEN = [(name, broken) for name, case in CASES.items() for broken in case.broken]


def line_of(path: Path, text: str) -> int:
    """Returns the number of the only line that holds a text."""
    found = [number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line]
    assert len(found) == 1, (text, found)
    return found[0]
