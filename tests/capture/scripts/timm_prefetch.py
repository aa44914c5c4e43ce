"""timm: create_loader with its prefetcher: the images are normalised after the DataLoader."""
import timm
import torch
from timm.data import create_dataset, create_loader
from timm.loss import LabelSmoothingCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import AverageMeter, accuracy

device = torch.device("cpu")
timm.utils.random_seed(5)
model = timm.create_model("resnet10t", pretrained=False, num_classes=3)
dataset_train = create_dataset("", root="data", split="train", is_training=True)
dataset_eval = create_dataset("", root="data", split="val")
kw = dict(input_size=(3, 32, 32), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), num_workers=0, persistent_workers=False, device=device)
loader_train = create_loader(dataset_train, batch_size=8, is_training=True, no_aug=True, **kw)
loader_eval = create_loader(dataset_eval, batch_size=8, is_training=False, **kw)
optimizer = create_optimizer_v2(model, opt="adamw", lr=5e-4, weight_decay=0.05)
lr_scheduler, num_epochs = create_scheduler_v2(optimizer, sched="cosine", num_epochs=2, warmup_epochs=0, cooldown_epochs=0)
train_loss_fn = LabelSmoothingCrossEntropy(smoothing=0.1)


def train_one_epoch(epoch):
    model.train()
    for batch_idx, (input, target) in enumerate(loader_train):
        output = model(input)
        loss = train_loss_fn(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def validate():
    model.eval()
    top1 = AverageMeter()
    for input, target in loader_eval:
        output = model(input)
        acc1, _ = accuracy(output, target, topk=(1, 2))
        top1.update(acc1.item(), output.size(0))
    return top1.avg


for epoch in range(2):
    train_one_epoch(epoch)
    lr_scheduler.step(epoch + 1)
    print(f"acc {validate() / 100:.4f}")
