"""The Trainer of Hugging Face on a small ViT: warmup, evaluation at the end of each epoch."""
import numpy as np
import torch
from torchvision import datasets, transforms
from transformers import Trainer, TrainingArguments, ViTConfig, ViTForImageClassification

tf = transforms.Compose([transforms.Resize((16, 16)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])
train_ds, val_ds = datasets.ImageFolder("data/train", tf), datasets.ImageFolder("data/val", tf)
torch.manual_seed(0)
config = ViTConfig(image_size=16, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, num_labels=3)
model = ViTForImageClassification(config)


def collate_fn(examples):
    return {"pixel_values": torch.stack([x for x, _ in examples]), "labels": torch.tensor([y for _, y in examples])}


def compute_metrics(p):
    acc = (np.argmax(p.predictions, axis=1) == p.label_ids).mean()
    print(f"acc {acc:.4f}")
    return {"accuracy": acc}


args = TrainingArguments(
    output_dir="out_hf", per_device_train_batch_size=8, per_device_eval_batch_size=8, num_train_epochs=2, eval_strategy="epoch",
    save_strategy="no", learning_rate=1e-3, report_to=[], remove_unused_columns=False, use_cpu=True, disable_tqdm=True, warmup_steps=2,
)
trainer = Trainer(model=model, args=args, data_collator=collate_fn, train_dataset=train_ds, eval_dataset=val_ds, compute_metrics=compute_metrics)
trainer.train()
