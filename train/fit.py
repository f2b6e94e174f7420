"""Fitting a scorer: transformers' Trainer around the network, the losses and the batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_model
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
from transformers.trainer import TRAINER_STATE_NAME
from transformers.utils import SAFE_WEIGHTS_NAME

from train.assistant.task import AnswerTask, Questions
from train.augment import mixed
from train.checkpoints import last_checkpoint
from train.dataset import FitSettings, LookDataset
from train.kadid import KADID_TYPES
from train.losses import distance_loss, expected_scores, level_loss, order_loss, plcc_loss
from train.teacher import READERS, Teacher
from vqa2cli.model.devices import find_device, multiplies_bfloat16
from vqa2cli.model.expectation import statistics
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
        loss = loss + self.fit.distance_weight * distance_loss(scores, labels)
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


#: What the heads over a tower tell: a quality of its own and those of its teacher's readers, and
#: kinds of distortion.
HEADS = (1 + len(READERS), len(KADID_TYPES) + 1)

#: Dimensions of a token that hold it, in the mean and in the deviation over patches.
READ = -(-sum(HEADS) // 2)

#: Heads of this gain need no large tokens to be sure.
HEAD_GAIN = 3.0


class TowerTask(nn.Module):
    """The tower and its projector under plain heads that are to tell what a teacher tells.

    Reading the pooled tokens directly teaches the tower in a fraction of the steps that the detour
    through the language model takes. At the end the network gets two of the heads as its own.
    """

    def __init__(self, network: Vqa2Network, fit: FitSettings, teacher: Teacher) -> None:
        super().__init__()
        self.network, self.fit, self.teacher = network, fit, teacher
        self.heads = FixedHeads(network)
        self.before = [weight.detach().clone() for weight in self._learnt()]

    def _learnt(self) -> list[nn.Parameter]:
        parts = (self.network.vision_tower, self.network.mm_projector)
        return [weight for part in parts for weight in part.parameters() if weight.requires_grad]

    def forward(self, keyframes: Tensor, *_: object, **__: object) -> dict[str, Tensor]:
        """Return `loss` and `scores` [B] of patches [B, 1, s, s, C], of which some are mixed."""
        if self.training and self.fit.mixed:
            others = keyframes[torch.randperm(len(keyframes))]
            kept = torch.rand(len(keyframes)) >= self.fit.mixed
            blended = mixed(keyframes, others, self.fit.shuffled_tile)
            keyframes = torch.where(kept[:, None, None, None, None], keyframes, blended)
        qualities, kinds = self.taught(keyframes)
        told, kind, spare = self.read(keyframes)
        scores = torch.sigmoid(told)
        loss = 2 * functional.smooth_l1_loss(scores, qualities, beta=0.1)
        loss = loss + self.fit.plcc_weight * plcc_loss(scores[:, 0], qualities[:, 0])
        loss = loss + functional.cross_entropy(kind, kinds)
        # What no head reads, and what a softmax does not see, is to stay small.
        loss = loss + 0.01 * (spare.square().sum(-1).mean() + kind.mean(-1).square().mean())
        return {"loss": loss, "scores": scores[:, 0]}

    def read(self, keyframes: Tensor) -> tuple[Tensor, ...]:
        """Return what each head tells of key frames [B, K, s, s, C], [B, n], and the rest."""
        tokens = self.network.visual_tokens(keyframes.flatten(0, 1)).float()
        told = self.heads(tokens.reshape(*keyframes.shape[:2], *tokens.shape[1:]).mean(1)).float()
        parts: tuple[Tensor, ...] = told.split([*HEADS, told.shape[-1] - sum(HEADS)], -1)
        return parts

    def taught(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return qualities in 0-1 [B, 1 + readers] and probabilities of kinds [B, 26]."""
        found = statistics(patches[:, 0].detach()).cpu().numpy()
        readings = self.teacher.reader(found)
        alone = self.teacher.alone(readings)[:, None] / 100
        read = np.clip(readings[:, : len(READERS)] / 100, 0.0, 1.0)
        qualities = torch.from_numpy(np.hstack([alone, read])).float()
        kinds = torch.from_numpy(self.teacher.kinds(readings)).float()
        return qualities.to(patches.device), kinds.to(patches.device)

    def finish(self) -> None:
        """Give the network what its head reads: the quality by pictures alone, and the kinds.

        The tower goes back by the share of it that is kept: a mean of the weights before and after
        forgets less than those after (Wortsman et al., *Robust fine-tuning of zero-shot models*,
        CVPR 2022).

        Raises:
            ValueError: the network has no such head.
        """
        head = self.network.distortion_head
        if head is None:
            raise ValueError("the network has no head for what the tower was taught")
        weight, bias = self.heads.layer(head.weight.shape[1] // 2)
        rows = [0, *range(HEADS[0], sum(HEADS))]
        with torch.no_grad():
            for now, before in zip(self._learnt(), self.before, strict=True):
                now.lerp_(before.to(now), self.fit.kept)
            head.weight.copy_(weight[rows])
            head.bias.copy_(bias[rows])


class FixedHeads(nn.Module):
    """A turn of the tokens that does not learn: the tower has to come to what it reads.

    Tokens are to be a mean and a deviation. All but `READ` dimensions of them become constant.
    """

    turn: Tensor

    def __init__(self, network: Vqa2Network) -> None:
        """Leave `READ` dimensions of the projector's result to learn; one of the rest is 1."""
        super().__init__()
        turn = torch.empty(2 * READ, 2 * READ)
        nn.init.orthogonal_(turn, generator=torch.Generator().manual_seed(0))
        self.register_buffer("turn", HEAD_GAIN * turn, persistent=False)
        last = network.mm_projector[2]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.weight[READ:], last.bias[READ:], last.bias[READ] = 0.0, 0.0, 1.0
        for parameter in (last.weight, last.bias):
            learns = torch.zeros_like(parameter)
            learns[:READ] = 1.0
            parameter.register_hook(learns.mul)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, 2, D] -> [B, 2 READ]."""
        mean, deviation = tokens[..., :READ].unbind(1)
        return torch.cat([mean, deviation - 1.0], -1) @ self.turn

    def layer(self, width: int) -> tuple[Tensor, Tensor]:
        """Return weight [2 READ, 2 `width`] and bias of a linear layer that tells the same."""
        weight = self.turn.new_zeros(2 * READ, 2 * width)
        weight[:, :READ] = self.turn[:READ].T
        weight[:, width : width + READ] = self.turn[READ:].T
        return weight, -self.turn[READ:].sum(0)


#: What a trainer can fit: a module with settings, a batch in, a loss out; and what of.
Task = Scorer | TowerTask | AnswerTask
Samples = LookDataset | Questions


class TaskTrainer(Trainer):
    """Trainer with batches as the data has them and a learning rate of its own for the tower."""

    def __init__(self, task: Task, dataset: Samples, arguments: TrainingArguments) -> None:
        super().__init__(model=task, args=arguments, train_dataset=dataset)
        self.task, self.dataset = task, dataset

    def get_train_dataloader(self) -> DataLoader:
        """Return the batches of the data, in its own order."""
        return self.dataset.loader(self.args.seed)

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
    task: Task, dataset: Samples, out: Path, seed: int, resume: bool = False
) -> list[dict[str, float]]:
    """Train `task` in place and return the log: one record every 20 steps.

    Parameters that need no gradient stay as they are; `out` holds checkpoints. A stage that had
    ended before is taken up as it was, not trained on.
    """
    fit = task.fit
    last = last_checkpoint(out) if resume else None
    if last is not None:
        state = TrainerState.load_from_json(str(last / TRAINER_STATE_NAME))
        if state.global_step >= (fit.stop or fit.steps):
            load_model(task, last / SAFE_WEIGHTS_NAME)
            return _losses(state)
    device = find_device("auto")
    arguments = TrainingArguments(
        output_dir=str(out),
        seed=seed,
        max_steps=fit.steps,
        learning_rate=fit.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=fit.warmup,
        max_grad_norm=1.0,
        bf16=multiplies_bfloat16(device),
        use_cpu=device == "cpu",
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
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    return _losses(trainer.state)


def _losses(state: TrainerState) -> list[dict[str, float]]:
    return [record for record in state.log_history if "loss" in record]
