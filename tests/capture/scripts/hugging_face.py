"""A Hugging Face classifier in a plain loop: batches are dicts, the loss is computed by the model."""
import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
from transformers import ViTConfig, ViTForImageClassification, get_linear_schedule_with_warmup, set_seed

set_seed(7)
config = ViTConfig(
    image_size=16, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
    num_labels=3, hidden_dropout_prob=0.1,
)
to_pixels = transforms.Compose([
    transforms.Resize((16, 16)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3),
])
train_ds = datasets.ImageFolder("data/train")
eval_ds = datasets.ImageFolder("data/val")


def collate(examples):
    return {
        "pixel_values": torch.stack([to_pixels(image) for image, _ in examples]),
        "labels": torch.tensor([label for _, label in examples]),
    }


train_dataloader = DataLoader(train_ds, shuffle=True, collate_fn=collate, batch_size=8)
eval_dataloader = DataLoader(eval_ds, collate_fn=collate, batch_size=8)
model = ViTForImageClassification(config)
no_decay = ["bias", "layernorm"]
grouped = [
    {"params": [p for n, p in model.named_parameters() if not any(nd in n for nd in no_decay)], "weight_decay": 0.01},
    {"params": [p for n, p in model.named_parameters() if any(nd in n for nd in no_decay)], "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(grouped, lr=1e-3)
num_epochs = 2
lr_scheduler = get_linear_schedule_with_warmup(optimizer, 2, num_epochs * len(train_dataloader))

for epoch in range(num_epochs):
    model.train()
    for batch in train_dataloader:
        outputs = model(**batch)
        loss = outputs.loss
        loss.backward()
        optimizer.step()
        lr_scheduler.step()
        optimizer.zero_grad()
    model.eval()
    hits = 0
    for batch in eval_dataloader:
        with torch.no_grad():
            outputs = model(pixel_values=batch["pixel_values"])
        hits += (outputs.logits.argmax(-1) == batch["labels"]).sum().item()
    print(epoch, hits / len(eval_ds))
