"""transformers' Trainer around the task: our order, our optimizer groups, our checkpoints."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from train.instruct.dataset import Conversations, Order, collate
from train.instruct.known import CONFIGS
from train.instruct.looks import FULL
from train.instruct.lora import merged_state
from train.instruct.parts import part_of
from train.instruct.publish import Publisher, read_state
from train.instruct.recipe import Fit
from train.instruct.task import InstructTask
from train.instruct.watch import Watch
from train.processes import CONTEXT
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.model.devices import DTYPES

Sharding = Literal["none", "fsdp", "zero2", "zero3"]

#: Bytes a trained parameter takes in a checkpoint beside its weight: AdamW's two moments.
_MOMENTS = 8

#: Room a checkpoint must leave on the disk, bytes.
_SPARE = 64 << 20


def training_arguments(
    fit: Fit, out: Path, *, device: str = "auto", sharding: Sharding = "none"
) -> TrainingArguments:
    """Return transformers' arguments of a recipe.

    Raises:
        UsageError: the device cannot do it.
    """
    cpu = device == "cpu" or not torch.cuda.is_available()
    how: dict[str, Any] = {}
    if sharding == "fsdp":
        how = {"fsdp": True, "fsdp_config": json.loads((CONFIGS / "fsdp.json").read_text())}
    elif sharding != "none":
        how = {"deepspeed": str(CONFIGS / f"{sharding}.json")}
    try:
        arguments = TrainingArguments(
            output_dir=str(out),
            num_train_epochs=fit.epochs,
            max_steps=fit.steps or -1,
            per_device_train_batch_size=fit.batch,
            gradient_accumulation_steps=fit.accumulation,
            learning_rate=fit.learning_rate,
            adam_beta1=fit.betas[0],
            adam_beta2=fit.betas[1],
            adam_epsilon=fit.epsilon,
            weight_decay=fit.weight_decay,
            lr_scheduler_type="cosine",
            warmup_steps=fit.warmup,
            max_grad_norm=fit.clip,
            bf16=fit.precision == "bf16",
            seed=fit.seed,
            logging_steps=1,
            logging_nan_inf_filter=False,
            save_steps=fit.save_every,
            save_total_limit=fit.keep,
            dataloader_num_workers=fit.workers,
            use_cpu=cpu,
            ddp_find_unused_parameters=False,
            report_to=[],
            remove_unused_columns=False,
            disable_tqdm=True,
            **how,
        )
    except (ValueError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"cannot train this way ({reason}); change --sharding or --device"
        ) from error
    arguments._n_gpu = min(arguments.n_gpu, 1)  # more devices take more processes: torchrun
    return arguments


class InstructTrainer(Trainer):
    """Trainer whose data order, checkpoints and errors are ours.

    Every checkpoint is a model directory in the published layout, float32, that scoring loads;
    the optimizer's and the schedule's states lie beside the weights.
    """

    def __init__(
        self,
        task: InstructTask,
        dataset: Conversations,
        arguments: TrainingArguments,
        publisher: Publisher,
        watch: Watch,
    ) -> None:
        super().__init__(model=task, args=arguments, train_dataset=dataset, callbacks=[watch])
        for foreign in (PrinterCallback, ProgressCallback):  # they write on standard output
            self.remove_callback(foreign)
        self.task, self.dataset, self.publisher, self.watch = task, dataset, publisher, watch
        self.model_accepts_loss_kwargs = False  # our loss is a mean over conversations already

    @property
    def _folder(self) -> Path:
        return Path(str(self.args.output_dir))

    def get_train_dataloader(self) -> DataLoader:
        """Return this process's batches, in an order that depends on seed and epoch alone."""
        args, fit = self.args, self.dataset.recipe.fit
        order = Order(len(self.dataset), fit.batch, fit.seed, args.world_size, args.process_index)
        return DataLoader(
            self.dataset,
            batch_sampler=order,
            collate_fn=collate,
            num_workers=fit.workers,
            persistent_workers=fit.workers > 0,
            multiprocessing_context=CONTEXT if fit.workers else None,
        )

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Return AdamW with the tower's own learning rate; norms and biases are not decayed."""
        fit = self.dataset.recipe.fit
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in (model or self.task).named_parameters():
            if parameter.requires_grad:
                key = (part_of(name) == "vision_tower", parameter.ndim > 1)
                groups.setdefault(key, []).append(parameter)
        self.optimizer = torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "lr": fit.vision_learning_rate if tower else fit.learning_rate,
                    "weight_decay": fit.weight_decay if decayed else 0.0,
                }
                for (tower, decayed), parameters in groups.items()
            ],
            betas=fit.betas,
            eps=fit.epsilon,
        )
        return self.optimizer

    def training_step(self, model: nn.Module, inputs: dict[str, Any], *rest: Any) -> Tensor:
        """Take one step.

        Raises:
            VideoError: media of the batch cannot be decoded any more.
        """
        for reason in inputs.get("broken", ()):
            raise VideoError("unreadable", reason)
        loss: Tensor = super().training_step(model, inputs, *rest)
        return loss

    def take_up(self, checkpoint: Path) -> None:
        """Take the weights and the place of a run that had ended; not for a sharded one."""
        self._load_from_checkpoint(str(checkpoint))
        self.state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))

    def finish(self, folder: Path) -> Path | None:
        """Write the finished model, adapters merged in; None but in the main process."""
        state = self.accelerator.get_state_dict(self.model_wrapped)
        if not self.args.should_save:
            return None
        plain = merged_state(self.task.network, _own(state))
        dtype = DTYPES[self.dataset.recipe.fit.save_dtype]
        with self._telling(folder):
            return self.publisher.write(folder, plain, dtype)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Write the weights of a checkpoint; transformers writes the rest."""
        if self.args.should_save:
            state = self.task.state_dict() if state_dict is None else state_dict
            self.publisher.write(Path(output_dir or self._folder), _own(state))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if self.is_fsdp_enabled:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        found = read_state(Path(resume_from_checkpoint))
        network = self.task.network
        network.load_state_dict(
            {key: found[key.replace(".base_layer.", ".")] for key in network.state_dict()}
        )

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        folder = self._folder
        target = folder / f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
        self._check_room(folder)
        with self._telling(target):
            super()._save_checkpoint(model, trial)

    def _check_room(self, folder: Path) -> None:
        need, free = checkpoint_bytes(self.task) + _SPARE, shutil.disk_usage(folder).free
        if self.args.should_save and free < need:
            raise UsageError(
                f"no space for a checkpoint in {folder}: {need / 1e9:.2f} GB needed, "
                f"{free / 1e9:.2f} GB free; free some and go on with --resume"
            )

    @contextmanager
    def _telling(self, target: Path) -> Iterator[None]:
        """Turn a write that failed into one line, and take away what was written."""
        try:
            yield
        except (OSError, SafetensorError, RuntimeError) as error:
            if not _is_full(error):
                raise
            shutil.rmtree(target, ignore_errors=True)
            raise UsageError(
                f"no space left to write {target}; free some and go on with --resume"
            ) from error


def checkpoint_bytes(task: nn.Module) -> int:
    """Return the size of one checkpoint: weights, and the moments of those that learn."""
    weights = sum(each.numel() * each.element_size() for each in task.parameters())
    trained = sum(each.numel() for each in task.parameters() if each.requires_grad)
    return weights + trained * _MOMENTS


def _own(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix("network."): value for key, value in state.items()}


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in FULL
    # safetensors and torch give no errno: "No space left on device", "file write failed".
    told = str(error)
    return "No space left" in told or "write failed" in told or "failed writing" in told
