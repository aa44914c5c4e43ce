"""The peers' own training loops on image files: timm, Lightning, fastai, Hugging Face."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import v2

from benchmarks.speed import throughput
from benchmarks.speed.throughput import Workload
from plateau_cause import runtime

EPOCHS = 3


def timm_loop(work: Workload, files: Path) -> list[float]:
    """Returns when the start and each epoch's end were passed, in seconds: timm's own loader."""
    from timm.data import create_dataset, create_loader

    ends = [time.perf_counter()]
    seen = work.preprocessing
    loader = create_loader(
        create_dataset("", str(files), split="train"),
        (3, work.size_px, work.size_px),
        work.batch,
        is_training=True,
        use_prefetcher=False,
        color_jitter=0.0,
        mean=seen.mean,
        std=seen.std,
        num_workers=runtime.available_cpus(),
        device=work.device,
    )
    network = work.network().train()
    moving, criterion = throughput.optimizer(network), nn.CrossEntropyLoss()
    for _ in range(EPOCHS):
        for images, targets in loader:
            loss = criterion(network(images.contiguous(memory_format=torch.channels_last)), targets)
            moving.zero_grad()
            loss.backward()
            moving.step()
        ends.append(time.perf_counter())
    return ends


def lightning_loop(work: Workload, files: Path) -> list[float]:
    """Returns when the start and each epoch's end were passed, in seconds: Lightning's Trainer."""
    import lightning

    ends = [time.perf_counter()]

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = work.network()

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            return nn.functional.cross_entropy(self.network(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return throughput.optimizer(self.network)

        def on_train_epoch_end(self) -> None:
            ends.append(time.perf_counter())

    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(Module(), batches_of(work, files))
    return ends


def fastai_loop(work: Workload, files: Path) -> list[float]:
    """Returns when the start and each epoch's end were passed, in seconds: fastai's Learner."""
    from fastai.callback import progress  # noqa: F401  # gives a learner `no_bar`
    from fastai.callback.core import Callback
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    ends = [time.perf_counter()]

    class Ends(Callback):  # type: ignore[misc]
        def after_train(self) -> None:
            ends.append(time.perf_counter())

    loader = batches_of(work, files)
    learner = Learner(
        DataLoaders(loader, []),
        work.network(),
        loss_func=nn.CrossEntropyLoss(),
        opt_func=lambda groups, lr: OptimWrapper(opt=torch.optim.AdamW(groups, lr, fused=True)),
        cbs=[Ends()],
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit(EPOCHS, 1e-4)
    return ends


def hugging_face_loop(work: Workload, files: Path) -> list[float]:
    """Returns when the start and each epoch's end were passed, in seconds: Hugging Face's Trainer."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    ends = [time.perf_counter()]

    class Ends(TrainerCallback):
        def on_epoch_end(self, *_: Any, **__: Any) -> None:
            ends.append(time.perf_counter())

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = work.network()

        def forward(self, pixels: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
            logits = self.network(pixels)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    def collate(pairs: list[tuple[torch.Tensor, int]]) -> dict[str, torch.Tensor]:
        return {"pixels": torch.stack([p for p, _ in pairs]), "labels": torch.tensor([t for _, t in pairs])}

    network = Network()
    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=work.batch,
            num_train_epochs=EPOCHS,
            dataloader_num_workers=runtime.available_cpus(),
            dataloader_persistent_workers=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
        )
        trainer = Trainer(
            network,
            arguments,
            data_collator=collate,
            train_dataset=datasets.ImageFolder(str(files / "train"), random_crops(work)),
            optimizers=(throughput.optimizer(network), None),
            callbacks=[Ends()],
        )
        trainer.train()
    return ends


def random_crops(work: Workload) -> Callable[[Any], torch.Tensor]:
    """Returns the transform of every side: a random crop, a flip, the normalisation."""
    seen = work.preprocessing
    steps = [v2.RandomResizedCrop(work.size_px), v2.RandomHorizontalFlip(), v2.ToImage()]
    floats = v2.ToDtype(torch.float32, scale=True)
    return v2.Compose([*steps, floats, v2.Normalize(list(seen.mean), list(seen.std))])  # type: ignore[arg-type]


def batches_of(work: Workload, files: Path) -> DataLoader[Any]:
    """Returns torch's loader over the files, with a worker per CPU."""
    data = datasets.ImageFolder(str(files / "train"), random_crops(work))
    workers = runtime.available_cpus()
    return DataLoader(data, work.batch, shuffle=True, num_workers=workers, persistent_workers=True)
