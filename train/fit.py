"""Fitting a scorer: transformers' Trainer around the network, the losses and the batches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

from train.corpus import Item
from train.dataset import FitSettings, LookDataset, SourceBatches, collate
from train.losses import expected_scores, level_loss, order_loss, plcc_loss
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter
from vqa2cli.model.tokens import pad


class Scorer(nn.Module):
    """The network and its prompts: a batch in, losses and scores out."""

    def __init__(self, network: Vqa2Network, prompter: Prompter, fit: FitSettings) -> None:
        super().__init__()
        self.network, self.prompter, self.fit = network, prompter, fit

    def forward(
        self,
        keyframes: Tensor,
        motion: Tensor,
        facts: list[str],
        stalls: list[str],
        targets: Tensor,
        labels: Tensor,
        groups: Tensor,
    ) -> dict[str, Tensor]:
        """Return `loss` and `scores` [B] of a batch made by `collate`."""
        batch, count = keyframes.shape[:2]
        visual = self.network.visual_tokens(keyframes.flatten(0, 1)).unflatten(0, (batch, count))
        moving = self.network.motion_tokens(self.network.motion_features(motion))
        rows = [
            self.network.assemble(
                self.prompter.scoring_ids(count, motion.shape[1], facts=told, stalls=stood),
                [self.network.visual_block(visual[index]), moving[index]],
            )
            for index, (told, stood) in enumerate(zip(facts, stalls, strict=True))
        ]
        logits = self.network(*pad(rows))
        scores = expected_scores(logits, list(self.prompter.level_ids))
        loss = level_loss(logits, targets, list(self.prompter.level_ids))
        loss = loss + self.fit.plcc_weight * plcc_loss(scores, labels)
        loss = loss + self.fit.order_weight * order_loss(scores, labels, groups)
        return {"loss": loss, "scores": scores}


class ScorerTrainer(Trainer):
    """Trainer with batches of whole sources and a learning rate of its own for the tower."""

    def __init__(self, fit: FitSettings, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.fit = fit

    def get_train_dataloader(self) -> DataLoader:
        """Return batches of sources; the Trainer advances their epoch."""
        dataset = self.train_dataset
        batches = SourceBatches(dataset.items, self.fit, self.args.seed)
        loader = DataLoader(
            dataset,
            batch_sampler=batches,
            collate_fn=collate,
            num_workers=self.args.dataloader_num_workers,
        )
        return loader

    def create_optimizer(self, *_: object) -> torch.optim.Optimizer:
        """Return AdamW; norms, biases and embeddings are not decayed."""
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in self.model.named_parameters():
            decayed = parameter.ndim > 1 and "embed" not in name
            groups.setdefault(("vision_tower" in name, decayed), []).append(parameter)
        self.optimizer = torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "lr": self.fit.vision_learning_rate if vision else self.fit.learning_rate,
                    "weight_decay": self.fit.weight_decay if decayed else 0.0,
                }
                for (vision, decayed), parameters in groups.items()
            ],
            betas=(0.9, 0.99),
        )
        return self.optimizer


def fit_scorer(
    scorer: Scorer,
    items: Sequence[Item],
    looks: Sequence[Path],
    out: Path,
    seed: int,
    resume: bool = False,
) -> list[dict[str, float]]:
    """Train `scorer` in place and return the log: one record every 20 steps.

    Batch norms of the motion branch learn their statistics; `out` holds checkpoints.
    """
    fit = scorer.fit
    scorer.network.slowfast.freeze_norms(False)
    arguments = TrainingArguments(
        output_dir=str(out),
        seed=seed,
        num_train_epochs=fit.epochs,
        learning_rate=fit.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=fit.warmup,
        max_grad_norm=1.0,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        logging_steps=20,
        save_strategy="epoch",
        save_total_limit=1,
        report_to=[],
        remove_unused_columns=False,
        dataloader_num_workers=0,
    )
    trainer = ScorerTrainer(
        fit, model=scorer, args=arguments, train_dataset=LookDataset(items, looks, fit)
    )
    trainer.train(resume_from_checkpoint=resume)
    return [record for record in trainer.state.log_history if "loss" in record]
