"""accelerate in a plain loop: prepared loaders, accumulation, clipping, a schedule stepped at every batch."""
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
set_seed(0)
tf = transforms.Compose([transforms.Resize((32, 32)), transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
train_dataloader = DataLoader(datasets.ImageFolder("data/train", tf), shuffle=True, batch_size=8)
eval_dataloader = DataLoader(datasets.ImageFolder("data/val", tf), batch_size=8)
model = models.shufflenet_v2_x0_5(num_classes=3)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
lr_scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-3, epochs=2, steps_per_epoch=len(train_dataloader))
model, optimizer, train_dataloader, eval_dataloader, lr_scheduler = accelerator.prepare(model, optimizer, train_dataloader, eval_dataloader, lr_scheduler)
for epoch in range(2):
    model.train()
    for step, (x, y) in enumerate(train_dataloader):
        with accelerator.accumulate(model):
            outputs = model(x)
            loss = torch.nn.functional.cross_entropy(outputs, y)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            lr_scheduler.step()
            optimizer.zero_grad()
    model.eval()
    accurate = num = 0
    for step, (x, y) in enumerate(eval_dataloader):
        with torch.no_grad():
            outputs = model(x)
        preds, ref = accelerator.gather_for_metrics((outputs.argmax(dim=-1), y))
        accurate += (preds == ref).sum().item()
        num += len(ref)
    accelerator.print(f"acc {accurate / num:.4f}")
