"""Fitting a scorer: transformers' Trainer around the network, the losses and the batches."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import (
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from train.dataset import FitSettings, LookDataset, SourceBatches, collate
from train.kadid import KADID_TYPES
from train.losses import encode_loss, expected_scores, level_loss, order_loss, plcc_loss
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
        **_: object,
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
        """Return tokens [B, K, P, D] of key frames [B, K, S, S, 3]; K may be 0.

        Tokens that were computed before pass as they are.
        """
        batch, count = keyframes.shape[:2]
        if keyframes.ndim == 4:
            return keyframes
        if count == 0:
            width = self.network.config.language.hidden_size
            return torch.zeros(batch, 0, 1, width, device=keyframes.device)
        tokens = self.network.visual_tokens(keyframes.flatten(0, 1))
        return tokens.reshape(batch, count, *tokens.shape[1:])


class TowerTask(nn.Module):
    """The tower and its projector under plain heads: quality, kind of distortion, encode.

    How hard and how small a picture was encoded teaches what compression looks like apart from
    what its content makes of it. Reading the pooled tokens directly teaches the tower in a
    fraction of the steps that the detour through the language model takes. The heads are
    dropped afterwards.
    """

    def __init__(self, network: Vqa2Network, fit: FitSettings) -> None:
        super().__init__()
        self.network, self.fit = network, fit
        width = network.config.tokens_per_keyframe * network.config.language.hidden_size
        self.norm = nn.LayerNorm(width)
        self.quality = nn.Linear(width, 1)
        self.kind = nn.Linear(width, len(KADID_TYPES) + 1)
        self.encode = nn.Linear(width, 2)

    def forward(
        self,
        keyframes: Tensor,
        labels: Tensor,
        groups: Tensor,
        kinds: Tensor,
        encodes: Tensor,
        **_: object,
    ) -> dict[str, Tensor]:
        """Return `loss` and `scores` [B] of a batch made by `collate`."""
        tokens = self.network.visual_tokens(keyframes.flatten(0, 1)).float()
        pooled = tokens.reshape(*keyframes.shape[:2], -1).mean(1)
        pooled = self.norm(pooled)
        scores = torch.sigmoid(self.quality(pooled).squeeze(-1).float())
        loss = 2 * functional.smooth_l1_loss(scores, labels, beta=0.1)
        loss = loss + self.fit.plcc_weight * plcc_loss(scores, labels)
        loss = loss + self.fit.order_weight * order_loss(scores, labels, groups)
        loss = loss + 0.2 * functional.cross_entropy(self.kind(pooled).float(), kinds)
        loss = loss + encode_loss(self.encode(pooled).float(), encodes)
        return {"loss": loss, "scores": scores}


#: What a trainer can fit: a module with settings, a batch in, a loss out.
Task = Scorer | TowerTask


class TaskTrainer(Trainer):
    """Trainer with batches of whole sources and a learning rate of its own for the tower."""

    def __init__(self, task: Task, dataset: LookDataset, arguments: TrainingArguments) -> None:
        super().__init__(model=task, args=arguments, train_dataset=dataset)
        self.task, self.dataset = task, dataset

    def get_train_dataloader(self) -> DataLoader:
        """Return batches of whole sources."""
        batches = SourceBatches(self.dataset.items, self.task.fit, self.args.seed)
        return DataLoader(
            self.dataset,
            batch_sampler=batches,
            collate_fn=collate,
            num_workers=self.args.dataloader_num_workers,
        )

    def create_optimizer(self, *_: object) -> torch.optim.Optimizer:
        """Return AdamW; norms, biases and embeddings are not decayed."""
        fit = self.task.fit
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in self.task.named_parameters():
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


class StopAfter(TrainerCallback):
    """Ends training after a step, the learning rate where its schedule has it."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Ask for the end, and for a checkpoint to go on from."""
        if state.global_step >= self.step:
            control.should_training_stop = control.should_save = True


def fit_task(
    task: Task, dataset: LookDataset, out: Path, seed: int, resume: bool = False
) -> list[dict[str, float]]:
    """Train `task` in place and return the log: one record every 20 steps.

    Parameters that need no gradient stay as they are; `out` holds checkpoints.
    """
    fit = task.fit
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
    trainer = TaskTrainer(task, dataset, arguments)
    if fit.stop:
        trainer.add_callback(StopAfter(fit.stop))
    trainer.train(resume_from_checkpoint=resume and get_last_checkpoint(str(out)) is not None)
    return [record for record in trainer.state.log_history if "loss" in record]
