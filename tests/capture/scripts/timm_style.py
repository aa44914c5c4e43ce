"""timm: create_model, create_dataset, create_loader, its optimizer factory and its cosine schedule."""
import timm
import torch
from timm.data import create_dataset, create_loader
from timm.loss import LabelSmoothingCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler

timm.utils.random_seed(5)
model = timm.create_model("resnet10t", pretrained=False, num_classes=3)
cfg = dict(input_size=(3, 32, 32), is_training=False, use_prefetcher=False, num_workers=0, persistent_workers=False,
           mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), device=torch.device("cpu"))
dataset_train = create_dataset("", root="data", split="train", is_training=True)
dataset_eval = create_dataset("", root="data", split="val")
loader_train = create_loader(dataset_train, batch_size=8, **{**cfg, "is_training": True}, scale=(0.8, 1.0))
loader_eval = create_loader(dataset_eval, batch_size=8, **cfg)
optimizer = create_optimizer_v2(model, opt="adamw", lr=5e-4, weight_decay=0.05)
scheduler = CosineLRScheduler(optimizer, t_initial=2, lr_min=1e-5, warmup_t=1, warmup_lr_init=1e-4)
train_loss_fn = LabelSmoothingCrossEntropy(smoothing=0.1)


def train_one_epoch(epoch):
    model.train()
    for batch_idx, (input, target) in enumerate(loader_train):
        output = model(input)
        loss = train_loss_fn(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def validate():
    model.eval()
    hits = 0
    with torch.no_grad():
        for input, target in loader_eval:
            hits += int((model(input).argmax(1) == target).sum())
    return hits / len(dataset_eval)


for epoch in range(2):
    train_one_epoch(epoch)
    scheduler.step(epoch + 1)
    print(epoch, validate())
