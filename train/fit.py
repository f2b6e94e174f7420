"""Fitting a scorer: transformers' Trainer around the network, the losses and the batches."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

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
        count = keyframes.shape[1]
        visual = self.visual_tokens(keyframes)
        features = motion if motion.ndim == 3 else self.network.motion_features(motion)
        moving = self.network.motion_tokens(features)
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

    def visual_tokens(self, keyframes: Tensor) -> Tensor:
        """Return tokens [B, K, P, D] of key frames [B, K, S, S, 3]; K may be 0."""
        batch, count = keyframes.shape[:2]
        if count == 0:
            width = self.network.config.language.hidden_size
            return torch.zeros(batch, 0, 1, width, device=keyframes.device)
        tokens = self.network.visual_tokens(keyframes.flatten(0, 1))
        return tokens.reshape(batch, count, *tokens.shape[1:])


class ScorerTrainer(Trainer):
    """Trainer with batches of whole sources and a learning rate of its own for the tower."""

    def __init__(self, scorer: Scorer, dataset: LookDataset, arguments: TrainingArguments) -> None:
        super().__init__(model=scorer, args=arguments, train_dataset=dataset)
        self.scorer, self.dataset = scorer, dataset

    def get_train_dataloader(self) -> DataLoader:
        """Return batches of whole sources."""
        batches = SourceBatches(self.dataset.items, self.scorer.fit, self.args.seed)
        return DataLoader(
            self.dataset,
            batch_sampler=batches,
            collate_fn=collate,
            num_workers=self.args.dataloader_num_workers,
        )

    def create_optimizer(self, *_: object) -> torch.optim.Optimizer:
        """Return AdamW; norms, biases and embeddings are not decayed."""
        fit = self.scorer.fit
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in self.scorer.named_parameters():
            if not parameter.requires_grad:
                continue
            decayed = parameter.ndim > 1 and "embed" not in name
            groups.setdefault(("vision_tower" in name, decayed), []).append(parameter)
        self.optimizer = torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "lr": fit.vision_learning_rate if vision else fit.learning_rate,
                    "weight_decay": fit.weight_decay if decayed else 0.0,
                }
                for (vision, decayed), parameters in groups.items()
            ],
            betas=(0.9, 0.99),
        )
        return self.optimizer


def fit_scorer(
    scorer: Scorer, dataset: LookDataset, out: Path, seed: int, resume: bool = False
) -> list[dict[str, float]]:
    """Train `scorer` in place and return the log: one record every 20 steps.

    Parameters that need no gradient stay as they are; `out` holds checkpoints.
    """
    fit = scorer.fit
    arguments = TrainingArguments(
        output_dir=str(out),
        seed=seed,
        max_steps=fit.steps,
        learning_rate=fit.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=fit.warmup,
        max_grad_norm=1.0,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        logging_steps=20,
        save_steps=200,
        save_total_limit=1,
        report_to=[],
        remove_unused_columns=False,
        dataloader_num_workers=0,
    )
    trainer = ScorerTrainer(scorer, dataset, arguments)
    trainer.train(resume_from_checkpoint=resume)
    return [record for record in trainer.state.log_history if "loss" in record]
